"""What rules say of a call: in both eras, in the answer and in the record."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from harness.envoy import RECORD_SECONDS, EnvoyFailed, eventually
from harness.mcp import CLIENTS, MODERN, Exchange, McpGateway, Refused, Wire, bearer
from harness.mcp.gateway import SUBJECTS
from harness.mcp.wire import legacy, messages, meta, modern, rpc
from mcp_servers.weak import WeakServer

SESSIONS = "2025-11-25"
ERAS = ["legacy", "modern"]
MEETINGS = [(client, era) for client in CLIENTS for era in ERAS]
DENIED = -31001
MORE = {
    "support": {"tier": "gold", "environment": "production", "feature": "triage-chat"},
    "research": {"agent": "crawler", "tier": "free", "environment": "test", "feature": "papers"},
}
ALL = {"allow": {"tools": ["*"]}}


def window(start: int, end: int, offset: int = 0) -> dict:
    """From so many hours after now until so many, by a clock that is so many hours ahead."""
    times = [(datetime.now(UTC) + timedelta(hours=hours + offset)).strftime("%H:%M") for hours in (start, end)]
    return dict(zip(("from", "to"), times, strict=True)) | {"utc_offset": f"{offset:+03d}:00"}


def asks(rules: list[dict], *questions: tuple, **settings: object) -> tuple:
    """Rules of a server, and what they say: who asks for what, by which rule (or none) it is decided, and why."""
    return rules, questions, settings


def tool(name: str, **arguments: object) -> tuple[str, dict]:
    return "tools/call", {"name": name, "arguments": arguments}


def prompt(name: str) -> tuple[str, dict]:
    return "prompts/get", {"name": name}


def read(uri: str) -> tuple[str, dict]:
    return "resources/read", {"uri": uri}


def complete(**ref: str) -> tuple[str, dict]:
    return "completion/complete", {"ref": ref, "argument": {"name": "id", "value": "p"}}


def listen(*uris: str) -> tuple[str, dict]:
    return "subscriptions/listen", {"notifications": {"resourceSubscriptions": list(uris)}}


YES, NO = ("allow", "#1", "rule"), ("deny", None, "no_rule")
UNCLEAR = ("deny", "#1", "unclear_argument")
SEARCH, SEND, DELETE = tool("crm.search", query="Ada"), tool("mail.send", to="eve"), tool("database.delete_row", id=7)


def attribute(name: str, value: str) -> tuple:
    return asks([{"allow": {"tools": ["*"], name: [value]}}], ("support", SEARCH, YES), ("research", SEARCH, NO))


def argument(condition: dict, good: list, bad: list, unclear: list, then: str = "allow") -> tuple:
    """One argument: with the `good` ones the rule matches, with the `bad` not, and of the `unclear` nobody can say."""
    matches, unsure = (YES, NO) if then == "allow" else (("deny", "#1", "rule"), UNCLEAR)
    misses = NO if then == "allow" else ("allow", "#2", "rule")
    rules = [{then: {"tools": ["*.search"], "arguments": {"/query": condition}}}]
    rules += [] if then == "allow" else [ALL]
    table = [(good, matches), (bad, misses), (unclear, unsure)]
    questions = [("support", tool("crm.search", query=value), expected) for values, expected in table for value in values]
    absent = ("support", tool("crm.search"), misses)
    folded = ("support", tool("crm.search", Query="Ada"), unsure)
    return asks(rules, *questions, absent, folded)


CASES = {
    "three-lines": asks(
        [
            {"allow": {"tools": ["*.read_*", "*.search"], "teams": ["support"]}},
            {"confirm": {"tools": ["*.delete_row"], "by": "approver", "approvers": {"teams": ["dba"]}, "within": "10m"}},
            {"deny": {"tools": ["*"], "reason": "ask the platform team"}},
        ],
        ("support", SEARCH, YES),
        ("support", tool("crm.read_customer", id=7), YES),
        ("support", DELETE, ("confirm", "#2", "approval_pending")),
        ("support", SEND, ("deny", "#3", "rule", "ask the platform team")),
        ("research", SEARCH, ("deny", "#3", "rule", "ask the platform team")),
        ("support", prompt("support-triage"), NO),
    ),
    "nothing": asks(
        [], *[("support", of, NO) for of in (SEARCH, prompt("a"), read("a://b"), complete(type="ref/prompt", name="a"))]
    ),
    "first-match": asks(
        [{"name": "no-mail", "deny": {"tools": ["*.mail.*"]}}, ALL, {"deny": {"tools": ["*.search"]}}],
        ("support", SEND, ("deny", "no-mail", "rule")),
        ("support", SEARCH, ("allow", "#2", "rule")),
    ),
    "users": attribute("users", "ada@*"),
    "teams": attribute("teams", "support"),
    "agents": attribute("agents", "triage"),
    "tiers": attribute("tiers", "gold"),
    "environments": attribute("environments", "prod*"),
    "features": attribute("features", "*-chat"),
    "keys": attribute("keys", "support"),
    "servers": asks([{"allow": {"tools": ["*"], "servers": ["serv*"]}}], ("support", SEARCH, YES)),
    "other-servers": asks([{"allow": {"tools": ["*"], "servers": ["crm"]}}], ("support", SEARCH, NO)),
    "all-must-fit": asks(
        [{"allow": {"tools": ["*"], "teams": ["support"], "tiers": ["free"]}}],
        ("support", SEARCH, NO),
        ("research", SEARCH, NO),
    ),
    "names-in-capitals": asks(
        [{"deny": {"tools": ["*.crm.search"]}}, ALL],
        ("support", tool("crm.Search"), ("deny", "#1", "unclear_name")),
        ("support", tool("crm.search2"), ("allow", "#2", "rule")),
    ),
    "capitals-are-not-allowed": asks([{"allow": {"tools": ["*.crm.search"]}}], ("support", tool("crm.Search"), NO)),
    "prompts": asks(
        [{"allow": {"prompts": ["prompts.support-*"]}}],
        ("support", prompt("support-triage"), YES),
        ("support", complete(type="ref/prompt", name="support-triage"), YES),
        ("support", prompt("other"), NO),
        ("support", complete(type="ref/prompt", name="other"), NO),
        ("support", tool("support-triage"), NO),
    ),
    "resources": asks(
        [{"allow": {"resources": ["crm://customers/*"]}}],
        ("support", read("crm://customers/7"), YES),
        ("support", complete(type="ref/resource", uri="crm://customers/{id}"), YES),
        ("support", ("resources/subscribe", {"uri": "crm://customers/7"}), YES),
        ("support", ("resources/unsubscribe", {"uri": "crm://customers/7"}), YES),
        ("support", listen("crm://customers/7", "crm://customers/8"), YES),
        ("support", read("crm://orders/7"), NO),
        ("support", complete(type="ref/resource", uri="crm://orders/{id}"), NO),
        ("support", ("resources/subscribe", {"uri": "crm://orders/7"}), NO),
        ("support", listen("crm://customers/7", "crm://orders/7"), NO),
        ("support", read("CRM://customers/7"), NO),
    ),
    "subscribe-only": asks(
        [{"allow": {"resources": ["*"], "methods": ["resources/subscribe", "subscriptions/*"]}}],
        ("support", ("resources/subscribe", {"uri": "crm://customers/7"}), YES),
        ("support", listen("crm://customers/7"), YES),
        ("support", read("crm://customers/7"), NO),
    ),
    "listening-to-lists": asks(
        [{"allow": {"methods": ["subscriptions/listen"]}}],
        ("support", ("subscriptions/listen", {"notifications": {"toolsListChanged": True}}), YES),
    ),
    "methods": asks(
        [{"deny": {"methods": ["logging/*"]}}, {"allow": {"methods": ["custom/*"]}}],
        ("support", ("custom/one", {}), ("allow", "#2", "rule")),
        ("support", ("other/one", {}), NO),
        ("support", ("logging/setLevel", {"level": "error"}), ("deny", "#1", "rule")),
        ("support", ("ping", {}), ("allow", None, "not_ruled")),
        ("support", ("server/discover", {}), ("allow", None, "not_ruled")),
    ),
    "an-empty-rule": asks([{"allow": {}}], ("support", SEARCH, YES), ("support", ("custom/one", {}), YES)),
    "equals": argument({"equals": "Ada"}, ["Ada"], ["ada", ""], [["Ada"], {"a": 1}, 1, None, True]),
    "equals-denied": argument({"equals": "Ada"}, ["Ada"], ["ada", "", None], [["Ada"], {"a": 1}, 1, True], "deny"),
    "equals-number": argument({"equals": 7}, [7, 7.0], [8, -7], ["7", [7], None]),
    "one-of": argument({"one_of": ["Ada", 7, True]}, ["Ada", 7, True], ["Eve", 8, False], [["Ada"], None]),
    "glob": argument({"glob": ["cust*", "ord?*"]}, ["customers"], ["Customers", "x customers"], [7, ["customers"]]),
    "glob-denied": argument({"glob": ["*secret*"]}, ["a secret"], ["a"], [7, ["a secret"], {"secret": 1}], "deny"),
    "range": argument({"min": 1, "max": 100}, [1, 1e2, 99.5], [0, 100.5, -1e9, 1e300], ["7", [7], None, True]),
    "range-denied": argument({"min": 100}, [100, 1e300], [99], ["100", [100]], "deny"),
    "length": argument({"min_length": 2, "max_length": 3}, ["ab", "äöü"], ["a", "abcd", ""], [["ab"], 12, None]),
    "deep": asks(
        [{"allow": {"tools": ["*"], "arguments": {"/where/table": {"equals": "customers"}, "/ids/0": {"max": 9}}}}],
        ("support", tool("crm.search", where={"table": "customers"}, ids=[7]), YES),
        ("support", tool("crm.search", where={"table": "orders"}, ids=[7]), NO),
        ("support", tool("crm.search", where={"table": "customers"}, ids=[10]), NO),
        ("support", tool("crm.search", where={"table": "customers"}), NO),
        ("support", tool("crm.search", where={"table": "customers", "Table": "orders"}, ids=[7]), NO),
        ("support", tool("crm.search", where=[{"table": "customers"}], ids=[7]), NO),
    ),
    "unclear-to-confirm": asks(
        [{"confirm": {"tools": ["*"], "by": "caller", "arguments": {"/id": {"max": 9}}}}, ALL],
        ("support", tool("database.delete_row", id=7), ("confirm", "#1", None)),
        ("support", tool("database.delete_row", id="7"), UNCLEAR),
        ("support", tool("database.delete_row", id=10), ("allow", "#2", "rule")),
    ),
    "now": asks([{"allow": {"tools": ["*"], "between": window(-1, 1)}}], ("support", SEARCH, YES)),
    "now-elsewhere": asks([{"allow": {"tools": ["*"], "between": window(-1, 1, 9)}}], ("support", SEARCH, YES)),
    "not-now": asks([{"allow": {"tools": ["*"], "between": window(1, 3)}}], ("support", SEARCH, NO)),
    "not-now-elsewhere": asks([{"allow": {"tools": ["*"], "between": window(-3, -1, -8)}}], ("support", SEARCH, NO)),
    "trusted": asks(
        [{"allow": {"tools": ["*"], "annotations": {"read_only": True}}}],
        ("support", SEARCH, YES),
        ("support", DELETE, NO),
        trust_annotations=True,
    ),
    "untrusted": asks(
        [{"allow": {"tools": ["*"], "annotations": {"read_only": True}}}],
        ("support", SEARCH, NO),
        ("support", DELETE, NO),
    ),
    "untrusted-counts-as-destructive": asks(
        [{"deny": {"tools": ["*"], "annotations": {"destructive": True}}}, ALL],
        ("support", SEARCH, ("deny", "#1", "rule")),
        ("support", DELETE, ("deny", "#1", "rule")),
        # Who says nothing destroys.
        ("support", tool("reports.slow", seconds=0), ("deny", "#1", "rule")),
    ),
    "before-the-gates": asks(
        [{"name": "own", "deny": {"tools": ["*.search"]}}],
        ("support", SEARCH, ("deny", "own", "rule")),
        ("dba", SEND, ("allow", "rules.dba", "rule")),
        ("dba", SEARCH, ("deny", "own", "rule")),
        ("support", SEND, NO),
    ),
}
QUESTIONS = [
    pytest.param(case, who, *asked, expected, era, id=f"{case}-{number}-{era}")
    for case, (_, questions, _) in CASES.items()
    for number, (who, asked, expected) in enumerate(questions)
    for era in ERAS
    if era == ("legacy" if asked[0] in ("resources/subscribe", "resources/unsubscribe") else era)
    if era == ("legacy" if asked[0] in ("ping", "logging/setLevel") else era)
    if era == ("modern" if asked[0] in ("subscriptions/listen", "server/discover") else era)
]


class Asking:
    """Everybody's requests to a gate, each with an id that its record is found by."""

    def __init__(self, gateway):
        self.gateway, self._ids, self._sessions = gateway, count(1), {}

    def wire(self, server):
        return Wire(self.gateway.envoy.port, f"/{server}/mcp")

    def ask(self, server, who, era, method, params, headers=()):
        """Its answer and the one message in it, and the record's `decision`."""
        wire, id = self.wire(server), next(self._ids)
        key = list(bearer(who).items())
        if era == "legacy":
            if (server, who) not in self._sessions:
                self._sessions[server, who] = wire.open_session(SESSIONS, key)
            exchange = Exchange(
                [*legacy(SESSIONS, self._sessions[server, who]), *key, *headers], rpc(method, params, id)
            )
        else:
            name = params.get("name", params.get("uri")) if method in NAMED else None
            exchange = Exchange(
                [*modern(method, name), *key, *headers], rpc(method, {"_meta": meta(), **params}, id)
            )
        answer = wire.send(exchange)
        (message,) = messages(answer)
        return answer, message, self.record(id)["decision"]

    def record(self, id):
        found = []

        def records():
            found[:] = [one for one in self.gateway.envoy.records() if one["asked"].get("jsonrpc.request.id") == str(id)]
            return found

        assert eventually(records, RECORD_SECONDS)
        return found[0]


NAMED = ("tools/call", "prompts/get", "resources/read")


def keys(bootstrap):
    for key in bootstrap.gate_config["keys"]:
        key["subject"] = SUBJECTS[key["id"]] | MORE.get(key["id"], {})


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A server behind each case's rules."""

    def change(bootstrap):
        keys(bootstrap)
        for case, (rules, _, settings) in CASES.items():
            bootstrap.serve(case, rules=rules, **settings)

    rules = [{"name": "dba", "allow": {"tools": ["before-the-gates.*"], "teams": ["dba"]}}]
    directory = tmp_path_factory.mktemp("policy")
    with WeakServer() as server, McpGateway(directory, change, rules=rules, who=None, crm=server) as gateway:
        asking = Asking(gateway)
        for case in CASES:
            asking.ask(case, "support", "modern", "tools/list", {})
        asking.server = server
        yield asking


@pytest.mark.parametrize(("case", "who", "method", "params", "expected", "era"), QUESTIONS)
def test_rules_decide(asking, case, who, method, params, expected, era):
    verdict, rule, reason, *told = expected
    if rule and "." not in rule:
        rule = f"servers.{case}.rules.{rule}"
    asking.server.forget()
    answer, message, decision = asking.ask(case, who, era, method, params)
    assert answer.status == 200
    assert decision["verdict"] == verdict
    ran = [one["tool"] for one in asking.server.ran()]
    if verdict == "allow":
        assert "error" not in message and not message["result"].get("isError")
        assert ran == ([params["name"]] if method == "tools/call" else [])
        assert (decision.get("rule"), decision["reason"]) == (rule, reason)
        return
    assert ran == [] and [one for one in asking.server.received if method.encode() in one.body] == []
    assert decision["rule"] == (rule or "rules")
    if reason is None:
        reason = decision["reason"]
    assert decision["reason"] == reason
    if method == "tools/call":
        text = message["result"]["content"][0]["text"]
        assert message["result"]["isError"]
    else:
        text = message["error"]["message"]
        assert message["error"]["code"] == DENIED
    assert text.startswith(f"refused by policy: rule={rule or 'none'} reason={reason}")
    assert all(words in text for words in told)


@pytest.mark.parametrize(
    ("era", "method", "status"),
    [
        ("legacy", "server/discover", 400),
        ("legacy", "subscriptions/listen", 400),
        ("modern", "ping", 404),
        ("modern", "resources/subscribe", 404),
        ("modern", "tasks/result", 404),
    ],
)
def test_a_method_of_another_revision_is_none_whatever_the_rules_say(asking, era, method, status):
    asking.server.forget()
    answer, message, decision = asking.ask("an-empty-rule", "support", era, method, {"uri": "a://b", "taskId": "1"})
    assert (answer.status, message["error"]["code"], decision["reason"]) == (status, -32601, "no_such_method")
    assert [one for one in asking.server.received if method.encode() in one.body] == []


def test_a_notification_that_no_rule_knows_goes_nowhere(asking):
    asking.server.forget()
    for case, status in (("nothing", 403), ("an-empty-rule", 202)):
        session = asking.wire(case).open_session(SESSIONS, list(bearer("support").items()))
        note = json.dumps({"jsonrpc": "2.0", "method": "notifications/custom"}).encode()
        headers = [*legacy(SESSIONS, session), *bearer("support").items()]
        assert asking.wire(case).send(Exchange(headers, note)).status == status
    assert [b"notifications/custom" in one.body for one in asking.server.received].count(True) == 1


@pytest.fixture
def start(tmp_path):
    """A gate with these rules and parts before a server that runs whatever it is told."""
    running = []
    with WeakServer() as server:

        def gateway(rules, **parts):
            def change(bootstrap):
                keys(bootstrap)
                bootstrap.gate(**parts)

            directory = tmp_path / str(len(running))
            directory.mkdir()
            made = McpGateway(directory, change, rules=rules, who=None, crm=server, database=server, reports=server)
            running.append(made.__enter__())
            asking = Asking(made)
            asking.server = server
            return asking

        yield gateway
        for made in running:
            made.__exit__(None, None, None)


@pytest.mark.parametrize("era", ERAS)
def test_a_rule_in_shadow_decides_nothing_and_is_told_in_the_record(start, era):
    asking = start(
        [
            {"name": "later", "shadow": True, "deny": {"tools": ["*.delete_row"]}},
            {"shadow": True, "allow": {"tools": ["*.mail.*"]}},
            {"allow": {"tools": ["*.delete_row", "*.search"]}},
        ]
    )
    for params, verdict, reason, shadow in (
        (DELETE, "allow", "rule", {"rule": "rules.later", "verdict": "deny"}),
        (SEARCH, "allow", "rule", None),
        (SEND, "deny", "no_rule", {"rule": "rules.#2", "verdict": "allow"}),
    ):
        _, message, decision = asking.ask("crm", "support", era, *params)
        assert (decision["verdict"], decision["reason"], decision.get("shadow")) == (verdict, reason, shadow)
        assert message["result"].get("isError", False) == (verdict == "deny")
        assert "later" not in json.dumps(message)


@pytest.mark.parametrize("era", ERAS)
def test_refusals_have_a_status_where_that_is_wanted(start, era):
    asking = start([{"deny": {"tools": ["*"], "reason": "ask us"}}], refusals="status")
    for method, params in (SEND, prompt("a"), read("a://b")):
        answer, message, decision = asking.ask("crm", "support", era, method, params)
        assert (answer.status, message["error"]["code"]) == (403, DENIED)
        assert f"rule={decision['rule'] if 'tools' in method else 'none'}" in message["error"]["message"]
    assert asking.server.ran() == []


THREE_LINES, *_ = CASES["three-lines"]


@pytest.mark.parametrize(("client", "era"), MEETINGS)
def test_three_lines_are_a_policy_for_every_client(tmp_path, mcp_servers, client, era):
    server = mcp_servers("python")
    with McpGateway(tmp_path, keys, rules=THREE_LINES, who=None, crm=server) as gateway:
        with CLIENTS[client](gateway.url(), era, bearer("support")) as user:
            assert user.revision == (MODERN if era == "modern" else SESSIONS)
            listed = {tool["name"] for tool in user.tools()}
            assert listed == {"crm.search", "crm.read_customer", "database.read_rows", "database.delete_row"}
            assert user.prompts() == user.resources() == []
            assert user.call("crm.search", query="Ada").text.startswith("ran")
            refused = user.call("mail.send", to="eve", body="all")
            assert refused.failed
            assert refused.text == "refused by policy: rule=rules.#3 reason=rule; ask the platform team"
            with pytest.raises(Refused) as denied:
                user.prompt("support-triage")
            assert denied.value.code == DENIED
            with pytest.raises(Refused):
                user.read("crm://customers/7")
        with CLIENTS[client](gateway.url(), era, bearer("research")) as user:
            assert {tool["name"] for tool in user.tools()} == {"database.delete_row"}
            assert user.call("crm.search", query="Ada").failed
    assert [ran["tool"] for ran in server.ran()] == ["crm.search"]


def test_each_server_behind_one_envoy_has_a_policy_and_limits_of_its_own(start):
    """By path and by authority; what is used of one counts for no other."""
    limit = {"name": "mails", "per": ["server"], "calls": 2, "burst": 2, "every": "hour"}
    asking = start(
        [{"allow": {"tools": ["crm.*", "reports.*"]}}],
        servers={
            "crm": {"path": "/crm/mcp", "rules": [{"deny": {"tools": ["*.delete_row"]}}]},
            "database": {"path": "/db/mcp", "rules": [{"allow": {"tools": ["*.delete_row"], "teams": ["dba"]}}]},
            "reports": {"path": "/mcp", "authority": "reports.example"},
        },
        limits=[limit],
    )
    port = asking.gateway.envoy.port
    crm, database, reports = Wire(port, "/crm/mcp"), Wire(port, "/db/mcp"), Wire(port, "/mcp", "reports.example")

    def call(wire, who, name):
        headers = [*modern("tools/call", name), *bearer(who).items()]
        answer = wire.send(Exchange(headers, rpc("tools/call", {"_meta": meta(), "name": name, "arguments": {}})))
        if answer.status == 200:
            return "failed" if messages(answer)[0]["result"].get("isError") else "ran"
        return answer.status

    for wire, who, name, outcome in (
        (crm, "support", "database.delete_row", "failed"),
        (database, "support", "database.delete_row", "failed"),
        (database, "dba", "database.delete_row", "ran"),
        (database, "dba", "crm.search", "failed"),
        (reports, "support", "database.delete_row", "ran"),
        (crm, "support", "crm.search", "ran"),
        (crm, "research", "crm.search", "ran"),
        (crm, "support", "crm.search", 429),
        (reports, "support", "crm.search", "ran"),
        (reports, "support", "crm.search", 429),
        (database, "dba", "database.delete_row", "ran"),
        (Wire(port, "/mcp"), "support", "crm.search", 404),
    ):
        assert call(wire, who, name) == outcome, (wire.path, who, name)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"allow": {"tools": ["*"], "arguments": {"/a": {"equals": 1, "glob": ["*"]}}}}, "exactly one of"),
        ({"allow": {"tools": ["*"], "arguments": {"a": {"equals": 1}}}}, "/"),
        ({"allow": {"tools": ["*"], "between": {"from": "08:00", "to": "08:00"}}}, "different times"),
        ({"allow": {"tools": ["*"], "team": ["support"]}}, "unknown field `team`"),
    ],
)
def test_a_rule_that_cannot_work_stops_the_start(tmp_path, rule, words):
    with WeakServer() as server, pytest.raises(EnvoyFailed) as failed:
        with McpGateway(tmp_path, rules=[rule], crm=server, envoy={"allow_crash": True}):
            pass
    assert "gate.rules[0]" in str(failed.value) and words in str(failed.value)
