"""The official conformance suite finds the same in front of Envoy as at the server itself, and would tell if not."""

import pytest

from harness.mcp import MODERN, SERVERS, McpGateway, conformance

SESSIONS = "2025-11-25"
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
# The suite waits for some streams for half a second only, which a busy machine may not manage.
TRIES = 3

EVERY = [
    ("python", SESSIONS),
    ("python", MODERN),
    ("typescript-2", SESSIONS),
    ("typescript-2", MODERN),
    ("typescript-1", SESSIONS),
]

# What our servers do not do, and the suite does not score: tasks, an extension.
TASKS = "tasks"
# What version 2 of the TypeScript SDK leaves to its user, who here does not do it, and the gate does: to compare `Mcp-Param-*`
# with the arguments.
HEADERS = "http-custom-header-server-validation"
IMPROVED = {("python", MODERN): {TASKS}, ("typescript-2", MODERN): {TASKS, HEADERS}}
LEFT = {("python", MODERN): {TASKS}, ("typescript-2", MODERN): {TASKS}}


def family(scenario):
    return TASKS if scenario.startswith("tasks") else scenario


@pytest.mark.parametrize(("name", "revision"), EVERY)
def test_the_conformance_suite_finds_nothing_changed_but_what_the_gate_makes_better(
    mcp_gateways, mcp_servers, name, revision
):
    direct_url, gate_url = mcp_servers(name).url, mcp_gateways(name).url()
    for _ in range(TRIES):
        direct, through = conformance(direct_url, revision), conformance(gate_url, revision)
        found = (
            direct.differences(through),
            {family(scenario) for scenario, *_ in direct.improved(through)},
            {family(scenario) for scenario, _ in through.failed()},
        )
        expected = ([], IMPROVED.get((name, revision), set()), LEFT.get((name, revision), set()))
        if found == expected:
            break
    assert found == expected
    assert direct.count("SUCCESS") >= (150 if revision == MODERN else 84)


@pytest.mark.parametrize("revision", [SESSIONS, MODERN])
def test_a_server_that_is_dead_is_seen(tmp_path, revision):
    with SERVERS["typescript-2"]() as dies, McpGateway(tmp_path, crm=dies) as gateway:
        dies.stop()
        dead = conformance(gateway.url(), revision)
    # Dozens of its checks succeed all the same.
    assert dead.count("SUCCESS") > 20
    assert {"tools-call-simple-text", "tools-list"} <= {scenario for scenario, _ in dead.failed()}


def lua(code):
    def change(bootstrap):
        script = {"@type": LUA, "default_source_code": {"inline_string": code}}
        bootstrap.hcm["http_filters"].insert(0, {"name": "lua", "typed_config": script})

    return change


def without(header):
    def change(bootstrap):
        bootstrap.hcm["route_config"]["request_headers_to_remove"] = [header]

    return change


@pytest.mark.parametrize(
    ("revision", "broken", "scenario"),
    [
        (SESSIONS, lua("function envoy_on_response(answer) answer:body() end"), "tools-call-elicitation"),
        (MODERN, lua("function envoy_on_response(answer) answer:body() end"), "server-stateless"),
        (SESSIONS, without("mcp-session-id"), "tools-list"),
        (SESSIONS, without("last-event-id"), "server-sse-polling"),
        (MODERN, without("mcp-method"), "tools-list"),
    ],
    ids=["buffered", "buffered-modern", "no-session", "no-resumption", "no-method"],
)
def test_a_proxy_that_breaks_mcp_is_seen(mcp_servers, tmp_path, revision, broken, scenario):
    server = mcp_servers("typescript-2")
    with McpGateway(tmp_path, broken, crm=server) as gateway:
        direct, through = (conformance(url, revision, (scenario,), seconds=3) for url in (server.url, gateway.url()))
    assert direct.failed() == set()
    assert direct.differences(through) != []
