"""A list shows a caller exactly what a call would be allowed."""

from functools import cache

import pytest

from harness.mcp import Exchange, McpGateway, Wire
from harness.mcp.wire import legacy, messages, meta, modern, rpc
from mcp_servers.weak import WeakServer

SESSIONS = "2025-11-25"
READ_ONLY = {"annotations": {"read_only": True}}
ALL = {"allow": {"tools": ["*"], "prompts": ["*"], "resources": ["*"]}}
APPROVED = {"by": "approver", "approvers": {"teams": ["dba"]}}
POLICIES = {
    "nothing": [],
    "all": [ALL],
    "some": [{"allow": {"tools": ["*.read_*", "*.search"], "prompts": ["*-triage"], "resources": ["crm://*"]}}],
    "all-but": [
        {"deny": {"tools": ["*.test_*"], "prompts": ["*.test_*"], "resources": ["test://static-*", "test://template/*"]}},
        ALL,
    ],
    "confirmed": [
        {"confirm": {"tools": ["*.delete_row"]} | APPROVED},
        {"confirm": {"tools": ["*.mail.*"], "by": "caller"}},
        {"allow": {"tools": ["*.reports.*"], "teams": ["research"]}},
    ],
    "arguments": [
        {"deny": {"tools": ["*.search"], "arguments": {"/query": {"glob": ["*secret*"]}}}},
        {"allow": {"tools": ["*.search", "*.delete_row"], "arguments": {"/query": {"max_length": 9}}}},
        {"deny": {"tools": ["*.read_*"]}},
        {"allow": {"tools": ["*"], "arguments": {"/id": {"max": 9}}}},
    ],
    "capitals": [{"deny": {"tools": ["*.CRM.*"], "prompts": ["*.SUPPORT-*"], "resources": ["CRM://*"]}}, ALL],
    "shadow": [{"shadow": True, "deny": {"tools": ["*"]}}, {"allow": {"tools": ["*.crm.*"]}}],
    "trusted": [{"allow": {"tools": ["*"]} | READ_ONLY}],
    "untrusted": [{"allow": {"tools": ["*"]} | READ_ONLY}],
    "untrusted-denied": [{"deny": {"tools": ["*"], "annotations": {"destructive": True}}}, ALL],
    "methods": [
        {"deny": {"methods": ["prompts/get"]}},
        {"allow": {"methods": ["resources/subscribe"]}},
        {"allow": {"tools": ["*"], "methods": ["tools/call"]}},
    ],
}
# What a call may come with: of what may be called at all, one of these may.
ARGUMENTS = ({}, {"query": "Ada"}, {"id": 7}, {"query": "a secret that is long", "id": 99})
# Where a list stands in its result, and what names an entry of it.
LISTS = {
    "tools/list": ("tools", "name"),
    "prompts/list": ("prompts", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
}


class Gate:
    """Every policy before one server that lists, and before a server that runs anything, which says what may be called."""

    def __init__(self, gateway, server):
        self.port, self.server = gateway.envoy.port, server
        self.call_denied = cache(self.call_denied)
        self.session = cache(self.session)

    def session(self, path, port, headers=()):
        return Wire(port, path).open_session(SESSIONS, list(headers))

    def send(self, port, path, era, method, params, named=None, headers=()):
        if era == "legacy":
            ordinary = legacy(SESSIONS, self.session(path, port, headers))
        else:
            ordinary, params = modern(method, named), params | {"_meta": meta()}
        answer = Wire(port, path).send(Exchange([*ordinary, *headers], rpc(method, params)))
        assert answer.status == 200, answer.body
        return messages(answer)[-1]

    def listed(self, port, path, era, method):
        """The entries of all pages by name, and the results."""
        key, name = LISTS[method]
        entries, results, cursor = [], [], {}
        while True:
            result = self.send(port, path, era, method, cursor)["result"]
            results.append(result)
            entries += [entry[name] for entry in result[key]]
            if "nextCursor" not in result:
                return entries, results
            cursor = {"cursor": result["nextCursor"]}

    def call_denied(self, policy, era, method, name):
        """Whether the policy lets nobody call it, whatever with."""
        return all(self._denied(policy, era, *call) for call in calls(method, name))

    def _denied(self, policy, era, method, params):
        named = params.get("name", params.get("uri"))
        message = self.send(self.port, f"/{policy}/mcp", era, method, params, named, (("x-runs", "1"),))
        told = message.get("error", {}).get("message", "")
        if message.get("result", {}).get("isError"):
            told = message["result"]["content"][0]["text"]
        # What a rule wants confirmed is not denied.
        waits = "approval_" in told or "confirmation_" in told
        return told.startswith("refused by policy") and not waits


def calls(method, name):
    """What somebody does with an entry of that list."""
    match method:
        case "tools/list":
            return [("tools/call", {"name": name, "arguments": arguments}) for arguments in ARGUMENTS]
        case "prompts/list":
            return [("prompts/get", {"name": name})]
        case "resources/list":
            return [("resources/read", {"uri": name})]
    return [("resources/read", {"uri": name.replace("{id}", "7")})]


@pytest.fixture(scope="module")
def gates(mcp_servers, tmp_path_factory):
    """By the name of a server and how it answers."""
    running, weak = {}, WeakServer()
    weak.__enter__()

    def gate(name, answers):
        if (name, answers) not in running:

            def change(bootstrap):
                hosts = bootstrap.hcm["route_config"]["virtual_hosts"][-1]["routes"]
                for policy, rules in POLICIES.items():
                    bootstrap.serve(policy, rules=rules, trust_annotations=policy == "trusted")
                    runs = {"path": f"/{policy}/mcp", "headers": [{"name": "x-runs", "present_match": True}]}
                    hosts.insert(0, hosts[-1] | {"match": runs, "route": hosts[-1]["route"] | {"cluster": "reports"}})

            directory = tmp_path_factory.mktemp("lists")
            server = mcp_servers(name, answers)
            made = McpGateway(directory, change, rules=[], crm=server, reports=weak)
            running[name, answers] = made, Gate(made.__enter__(), server)
        mcp_servers(name, answers)
        return running[name, answers][1]

    yield gate
    for made, _ in running.values():
        made.__exit__(None, None, None)
    weak.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("name", "answers", "era", "page"),
    [
        ("python", "sse", "modern", None),
        ("python", "json", "modern", 3),
        ("python", "sse", "legacy", 3),
        ("python", "json", "legacy", None),
        ("typescript-2", "sse", "modern", 2),
        ("typescript-1", "json", "legacy", 5),
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_shown_is_what_is_not_denied(gates, policy, name, answers, era, page):
    gate = gates(name, answers)
    gate.server.change({}, page)
    shown_at_all, hidden_at_all = 0, 0
    for method in LISTS:
        everything, pages = gate.listed(gate.server.port, "/mcp", era, method)
        assert len(everything) > 0
        shown, results = gate.listed(gate.port, f"/{policy}/mcp", era, method)
        assert len(results) == len(pages), "a page that shows nothing is a page"
        assert shown == [entry for entry in everything if not gate.call_denied(policy, era, method, entry)]
        shown_at_all += len(shown)
        hidden_at_all += len(everything) - len(shown)
        if era == "modern":
            assert {result["cacheScope"] for result in results} == {"private"}
    assert (shown_at_all > 0) == (policy not in ("nothing", "untrusted")) and (hidden_at_all > 0) == (policy != "all")
