"""What clients are told of tokens, and where a token goes, with Envoy's own `jwt_authn` in front."""

import pytest

from harness.envoy import eventually
from harness.identity import PAYLOAD, Issuer, verify_tokens
from harness.mcp import CLIENTS, KEYS, Exchange, McpGateway, Wire
from harness.mcp.wire import messages, meta, modern, rpc
from harness.scripted import Answer, response
from mcp_servers.weak import WeakServer

RESOURCE = "https://mcp.example.com/crm/mcp"
METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"
OAUTH = {
    "resource": RESOURCE,
    "authorization_servers": ["https://auth.example.com"],
    "scopes_supported": ["crm.read", "crm.write"],
    "first_scopes": ["crm.read"],
}
RULES = [
    {"name": "readers", "allow": {"tools": ["crm.crm.search"], "scopes": ["crm.read"]}},
    {"name": "writers", "allow": {"tools": ["crm.crm.read_customer"], "scopes": ["crm.read", "crm.write"]}},
    {"allow": {"methods": ["completion/complete"]}},
    {"deny": {"tools": ["*"], "reason": "ask the platform team"}},
]


# What Envoy cannot verify reaches the gate as if no token was shown, so that the gate refuses it, in MCP's words.
REQUIREMENT = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}}


def oauth(issuer):
    def change(bootstrap):
        verify_tokens(bootstrap, issuer, REQUIREMENT)
        servers = bootstrap.gate_config["servers"]
        servers["crm"] |= {"oauth": OAUTH, "forward_token": True}
        servers["database"] |= {"oauth": OAUTH | {"resource": "https://mcp.example.com/db/mcp"}}
        jwt = {"payload": PAYLOAD, "claims": {"user": "sub"}, "require": ["user"]}
        bootstrap.gate(identity={"any_of": [["jwt"], ["key"]], "jwt": jwt})

    return change


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture(scope="module")
def server():
    with WeakServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(issuer, server, tmp_path_factory):
    directory, change = tmp_path_factory.mktemp("oauth"), oauth(issuer)
    with McpGateway(directory, change, rules=RULES, who=None, crm=server, database=server) as gateway:
        yield gateway


@pytest.fixture
def wire(gateway, server):
    server.forget()
    return Wire(gateway.envoy.port, "/crm/mcp")


def call(tool, token=None, **headers):
    shown = [("authorization", f"Bearer {token}")] if token else []
    shown += [(name.replace("_", "-"), value) for name, value in headers.items()]
    params = {"name": tool, "arguments": {}, "_meta": meta()}
    return Exchange([*modern("tools/call", tool), *shown], rpc("tools/call", params))


def get(path, method="GET", **headers):
    return Exchange(list(headers.items()), b"", method=method, path=path)


def challenged(answer):
    """The parameters of a challenge."""
    scheme, _, rest = answer.header("www-authenticate").partition(" ")
    assert scheme == "Bearer"
    return {name: value.strip('"') for name, _, value in (part.partition("=") for part in rest.split(", "))}


def test_anybody_reads_the_metadata_of_a_server(gateway, wire, server):
    answer = wire.send(get(f"{WELL_KNOWN}/crm/mcp"))
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("cache-control") == "public, max-age=3600"
    told = {key: value for key, value in OAUTH.items() if key != "first_scopes"}
    assert answer.json == told | {"bearer_methods_supported": ["header"]}
    assert wire.send(get(f"{WELL_KNOWN}/db/mcp")).json["resource"] == "https://mcp.example.com/db/mcp"
    asked = wire.send(get(f"{WELL_KNOWN}/crm/mcp", "OPTIONS", origin="https://app.example"))
    assert (asked.status, asked.header("access-control-allow-methods")) == (204, "GET")
    for path in (WELL_KNOWN, f"{WELL_KNOWN}/mcp", f"{WELL_KNOWN}/crm/mcp/"):
        assert wire.send(get(path)).status == 404
    assert wire.send(get(f"{WELL_KNOWN}/crm/mcp", "DELETE")).status in (404, 405)
    assert server.received == []

    def told():
        return [record for record in gateway.envoy.records() if record["decision"]["reason"] == "resource_metadata"]

    assert eventually(lambda: len(told()) == 3, 5)
    assert {record["decision"]["verdict"] for record in told()} == {"allow"}


def test_who_shows_nothing_or_nothing_good_is_led_to_the_metadata(wire, server, issuer):
    told = {"scope": "crm.read", "resource_metadata": METADATA}
    stranger = Issuer().token(sub="ada", scope="crm.read")
    for token in (None, issuer.token(sub="ada", expires_in=-600), stranger, "nonsense"):
        answer = wire.send(call("crm.search", token))
        assert (answer.status, answer.json["error"]["code"]) == (401, -31000)
        assert challenged(answer) == (told | {"error": "invalid_token"} if token else told)
    assert server.received == []


@pytest.mark.parametrize("claims", [{"scope": "crm.read"}, {"scope": ["crm.read", "other"]}])
def test_what_lacks_a_scope_is_told_all_that_it_needs_in_one_challenge(wire, server, issuer, claims):
    token = issuer.token(sub="ada", **claims)
    assert wire.send(call("crm.search", token)).status == 200
    answer = wire.send(call("crm.read_customer", token))
    assert answer.status == 403
    assert answer.json["error"]["code"] == -31001 and "crm.write" in answer.json["error"]["message"]
    needed = {"error": "insufficient_scope", "scope": "crm.read crm.write", "resource_metadata": METADATA}
    assert challenged(answer) == needed
    more = issuer.token(sub="ada", scope="crm.read crm.write")
    assert wire.send(call("crm.read_customer", more)).status == 200
    assert [call["tool"] for call in server.ran()] == ["crm.search", "crm.read_customer"]


def test_what_no_scope_would_allow_is_refused_as_ever(wire, issuer):
    answer = wire.send(call("database.drop_table", issuer.token(sub="ada", scope="crm.read")))
    assert answer.status == 200 and answer.json["result"]["isError"] and answer.header("www-authenticate") is None


def test_a_key_has_no_scopes(wire, server):
    answer = wire.send(call("crm.search", x_api_key=KEYS["support"]))
    assert (answer.status, challenged(answer)["scope"], server.ran()) == (403, "crm.read", [])


def test_lists_show_what_more_scopes_would_allow(wire, issuer):
    headers = [*modern("tools/list"), ("authorization", f"Bearer {issuer.token(sub='ada', scope='other')}")]
    (listed,) = messages(wire.send(Exchange(headers, rpc("tools/list", {"_meta": meta()}))))
    assert {tool["name"] for tool in listed["result"]["tools"]} == {"crm.search", "crm.read_customer"}


@pytest.mark.parametrize(
    ("audience", "goes_on"),
    [
        (RESOURCE, True),
        (["other", RESOURCE], True),
        ("https://mcp.example.com/db/mcp", False),
        (f"{RESOURCE} x", False),
    ],
)
def test_a_token_goes_on_only_to_the_server_it_is_for(wire, server, issuer, audience, goes_on):
    token = issuer.token(sub="ada", scope="crm.read", aud=audience)
    assert wire.send(call("crm.search", token, x_api_key="k", cookie="a=b")).status == 200
    (received,) = server.received
    assert received.values("authorization") == ([f"Bearer {token}"] if goes_on else [])
    assert received.values("x-api-key") + received.values("cookie") == []


def test_no_other_credential_goes_on_in_its_place(gateway, wire, server, issuer):
    token = issuer.token(sub="ada", scope="crm.read", aud=RESOURCE)
    for other in (f"Bearer {KEYS['support']}", "Basic eDp5"):
        # A query is another place where `jwt_authn` looks for tokens; it would go on with the path.
        for name in ("access_token", "access%5Ftoken"):
            asked = call("crm.search", authorization=other)
            answer = wire.send(Exchange(asked.headers, asked.body, path=f"/crm/mcp?{name}={token}"))
            assert (answer.status, b"not in the query" in answer.body) == (400, True)
    assert server.received == []
    other = Wire(gateway.envoy.port, "/db/mcp")
    headers = [*modern("server/discover"), ("authorization", f"Bearer {token}")]
    assert other.send(Exchange(headers, rpc("server/discover", {"_meta": meta()}))).status == 200
    assert all(request.values("authorization") == [] for request in server.received)


def test_the_servers_own_challenge_leads_to_our_metadata(wire, server, issuer):
    theirs = 'www-authenticate: Bearer error="invalid_token", resource_metadata="http://10.0.0.7/.well-known/x", a="b"'
    server.then(Answer([response(b"{}", status="401 Unauthorized", headers=(theirs,))]))
    answer = wire.send(call("crm.search", issuer.token(sub="ada", scope="crm.read")))
    assert answer.status == 401
    assert challenged(answer) == {"error": "invalid_token", "resource_metadata": METADATA, "a": "b"}


def test_the_official_client_is_refused_by_name(gateway, issuer):
    headers = {"authorization": f"Bearer {issuer.token(sub='ada', scope='crm.read')}"}
    with CLIENTS["python"](gateway.url(), "modern", headers=headers) as user:
        assert user.call("crm.search", query="Ada").text == "ran crm.search"
        with pytest.raises(Exception, match="crm.write"):
            user.call("crm.read_customer")
