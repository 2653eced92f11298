"""Envoy's own `mcp_router` behind the gate: one server to clients, several to rules."""

import json

import pytest

from harness.envoy import RECORD_SECONDS, eventually
from harness.mcp import CLIENTS, Exchange, McpGateway, Refused, Wire
from harness.mcp.multiplexer import multiplex
from harness.mcp.wire import legacy, messages, rpc

# The one revision that it speaks in Envoy 1.40.
REVISION = "2025-06-18"
RULES = [
    {"deny": {"servers": ["billing"], "resources": ["*customers*"]}},
    {"allow": {"tools": ["crm.crm.search", "*.crm.read_*"], "prompts": ["billing.*-triage"], "resources": ["*crm://*"]}},
    {"allow": {"tools": ["*"], "servers": ["billing"], "arguments": {"/to": {"equals": "ada"}}}},
]


@pytest.fixture
def servers(mcp_servers):
    """Two servers on two SDKs that offer the same."""
    crm, billing = mcp_servers("python", "json"), mcp_servers("typescript-2", "json")
    for server in (crm, billing):
        # It makes `null` of an object without members, which the TypeScript client takes for no schema.
        some = {"type": "object", "properties": {"any": {"type": "string"}}}
        empty = [tool["name"] for tool in listed(Wire(server.port)) if not tool["inputSchema"].get("properties")]
        server.change({name: {"inputSchema": some} for name in empty})
    return {"crm": crm, "billing": billing}


@pytest.fixture
def gateway(tmp_path, servers):
    def change(bootstrap):
        multiplex(bootstrap, "crm", {name: server.port for name, server in servers.items()})
        names = list(servers)
        bootstrap.gate(servers={"all": {"path": "/crm/mcp", "backends": {"separator": "__", "names": names}}})

    with McpGateway(tmp_path, change, rules=RULES, crm=servers["crm"]) as gateway:
        yield gateway


def listed(wire):
    session = wire.open_session(REVISION)
    return messages(wire.send(Exchange(legacy(REVISION, session), rpc("tools/list", {}))))[-1]["result"]["tools"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_rules_name_the_server_behind_it_and_its_own_tool(gateway, servers, client, era):
    with CLIENTS[client](gateway.url(), era) as user:
        assert user.revision == REVISION
        tools = {tool["name"] for tool in user.tools()}
        own = {tool["name"] for tool in listed(Wire(servers["billing"].port))}
        assert tools == {"crm__crm.search", "crm__crm.read_customer"} | {f"billing__{name}" for name in own}
        assert [prompt["name"] for prompt in user.prompts()] == ["billing__support-triage"]
        assert [resource["uri"] for resource in user.resources()] == ["crm+crm://customers/7"]
        assert user.call("crm__crm.search", query="Ada").text.startswith("ran crm.search")
        assert user.call("billing__mail.send", to="ada", body="hi").text.startswith("ran mail.send")
        assert "reason=no_rule" in user.call("billing__mail.send", to="eve", body="hi").text
        assert "reason=no_rule" in user.call("crm__mail.send", to="ada", body="hi").text
        assert user.prompt("billing__support-triage")["messages"]
        for refused in (lambda: user.prompt("crm__support-triage"), lambda: user.read("billing+crm://customers/7")):
            with pytest.raises(Refused, match="refused by policy"):
                refused()
        assert json.loads(user.read("crm+crm://customers/7")["contents"][0]["text"])["name"] == "Ada"
    assert [ran["tool"] for ran in servers["crm"].ran()] == ["crm.search"]
    assert [ran["tool"] for ran in servers["billing"].ran()] == ["mail.send"]

    def named():
        return {record["asked"].get("gen_ai.tool.name") for record in gateway.envoy.records()}

    assert eventually(lambda: named() >= {"crm.crm.search", "billing.mail.send", "crm.mail.send"}, RECORD_SECONDS)


@pytest.mark.parametrize("name", ["search", "other__search", "CRM__crm.search", "crm_crm.search", "crm__"])
def test_a_name_of_no_server_behind_it_goes_nowhere(gateway, servers, name):
    wire = Wire(gateway.envoy.port, "/crm/mcp")
    session = wire.open_session(REVISION)
    params = {"name": name, "arguments": {"to": "ada"}}
    answer = wire.send(Exchange(legacy(REVISION, session), rpc("tools/call", params)))
    (message,) = messages(answer)
    assert message.get("error") or message["result"]["isError"], message
    assert servers["crm"].ran() == servers["billing"].ran() == []


def test_a_session_is_of_who_opened_it_also_through_two_hops(gateway):
    wire = Wire(gateway.envoy.port, "/crm/mcp")
    session = wire.open_session(REVISION)
    assert "@" not in session
    forged = wire.send(Exchange(legacy(REVISION, session[:-2] + "AA"), rpc("tools/list", {})))
    assert forged.status == 404
