"""Agent cards through the gateway: they lead to it, show what the caller may use, and are signed by it alone."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from a2a.client import A2ACardResolver
from a2a.client.card_resolver import parse_agent_card
from a2a.types import AgentCard
from a2a.utils.signing import InvalidSignaturesError, create_agent_card_signer, create_signature_verifier
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import MessageToDict

from a2a_agents.agent import card as card_of
from a2a_corpus import ATTACKS, Right, Stage, attempt
from harness.a2a import ADA, AGENTS, BOB, CLIENTS, AgentGateway
from harness.a2a.wire import Exchange, basic, messages, rpc
from harness.identity import base64url

CARD = "/.well-known/agent-card.json"
DIRECT = "http://planner.internal:9000"
# `plan` is a skill of the planner's, `admin` one that only its extended card shows.
RULES = [
    {"deny": {"skills": ["admin"], "users": [BOB]}},
    {"allow": {"agents": ["assistant", "planner"], "callees": ["*"]}},
]
MEETINGS = [
    (client, version, binding, agent)
    for client, kind in CLIENTS.items()
    for version in kind.VERSIONS
    for binding in ("JSONRPC", "HTTP+JSON")
    for agent, sdk in AGENTS.items()
    if version in sdk.VERSIONS
]
SECRET = bytes(range(32))


def pem(key) -> bytes:
    """A private key as files have it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def jwk(kid: str, key) -> dict:
    """The public half, as the gateway is configured with it."""
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}
    numbers = key.public_key().public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kid": kid, "kty": "EC", "crv": "P-256", "x": x, "y": y}


ED, ES = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())


def signs(bootstrap) -> None:
    """The gateway signs cards."""
    bootstrap.gate_config["cards"]["sign"] = {"kid": "gateway", "key_from": "CARD_KEY"}
    vm = bootstrap.http_filter("tollgate.gate")["typed_config"]["config"]["vm_config"]
    vm["environment_variables"] = {"key_values": {"CARD_KEY": base64url(SECRET)}}


@pytest.fixture(scope="module", params=list(AGENTS))
def gateway(request, people, tmp_path_factory):
    """A planner on each SDK behind a gateway that signs."""
    with AGENTS[request.param]("planner") as planner:
        directory = tmp_path_factory.mktemp("cards")
        with AgentGateway(directory, people, signs, rules=RULES, planner=planner) as gateway:
            yield gateway


class Planner:
    """What is called the planner, and answers every GET with `status`, `headers` and `body`."""

    def __enter__(self):
        self.status, self.headers, self.body, self.asked = 200, {"content-type": "application/json"}, b"", []
        planner = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
                planner.asked.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(planner.status)
                for name, value in ({"content-length": str(len(planner.body))} | planner.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(planner.body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def live(self, *_: object, **__: object) -> None:
        """It calls nobody."""


def start(people, directory, planner, change=lambda bootstrap: None):
    """A gateway in front of it."""
    return AgentGateway(directory, people, change, rules=RULES, planner=planner)


def shows(people, user=ADA, agent="assistant"):
    """The header that proves who asks; of nobody none."""
    return [("authorization", f"Bearer {people.token(user, agent)}")] if user else []


def read(gateway, user=ADA, headers=(), method="GET", path=CARD, caller="assistant"):
    """The card as bytes."""
    asked = Exchange([*headers, *shows(gateway.people, user, caller)], b"", method, f"/agents/planner{path}")
    return gateway.wire("planner", caller).send(asked)


def skills(card):
    """The ids."""
    return [skill["id"] for skill in card["skills"]]


def addresses(card):
    """Where it leads."""
    named = [one["url"] for one in card.get("supportedInterfaces", []) + card.get("additionalInterfaces", [])]
    return {*named, card.get("url", named[0] if named else None)}


def is_by_the_gateway(card: AgentCard) -> None:
    """The official verifier, with the gateway's key."""
    key = Ed25519PrivateKey.from_private_bytes(SECRET).public_key()
    public = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    create_signature_verifier(lambda kid, jku: public, ["EdDSA"])(card)


@pytest.mark.parametrize(("client", "version", "binding", "gateway"), MEETINGS, indirect=["gateway"])
def test_official_clients_find_an_agent_by_its_card_at_the_gateway_and_call_it_there(gateway, client, version, binding):
    seen = gateway.seen()
    with CLIENTS[client](gateway.url("planner"), version, binding, **gateway.people.shows()) as user:
        assert gateway.agents["planner"].url not in json.dumps(user.card)
        assert "hello" in json.dumps(user.send("say hello"))
    called = gateway.envoy.wait_records(seen + 2)[seen:]
    asked = [(one["asked"]["a2a.operation"], one["asked"].get("a2a.binding")) for one in called]
    assert asked == [("AgentCard", None), ("SendMessage", binding)]


def test_a_card_shows_the_gateway_alone(gateway):
    seen = gateway.seen()
    answer = read(gateway)
    card = json.loads(answer.body)
    assert answer.status == 200
    assert addresses(card) == {gateway.url("planner")}
    assert gateway.agents["planner"].url not in answer.body.decode()
    assert list(card["securitySchemes"]) == ["jwt", "mtls"]
    record = gateway.envoy.wait_records(seen + 1)[-1]
    assert record["decision"] == {"verdict": "allow", "rule": "cards", "reason": "card"}
    assert (record["answer"]["status"], record["answer"]["outcome"], record["answer"]["end"]) == (200, "result", "complete")


def test_the_official_verifier_accepts_what_the_gateway_signed_and_nothing_that_was_changed(gateway):
    async def resolved() -> AgentCard:
        shown = gateway.people.shows()
        tls = gateway.people.tls("assistant")
        async with httpx.AsyncClient(headers=shown["headers"], verify=tls) as client:
            resolver = A2ACardResolver(client, gateway.url("planner"))
            return await resolver.get_agent_card(signature_verifier=is_by_the_gateway)

    assert asyncio.run(resolved()).name == "planner"
    served = json.loads(read(gateway).body)
    for change in (
        {"name": "planner2"},
        {"skills": []},
        {"supportedInterfaces": [{"url": "https://evil.example", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]},
        {"securitySchemes": {"none": served["securitySchemes"]["jwt"]}},
    ):
        with pytest.raises(InvalidSignaturesError):
            is_by_the_gateway(parse_agent_card(json.loads(json.dumps(served | change))))


def test_a_client_that_has_a_card_is_told_so(gateway):
    first = read(gateway)
    tag = first.header("etag")
    assert tag.startswith('"') and first.header("cache-control") == "private, no-cache"
    assert "authorization" in first.header("vary")
    assert int(first.header("content-length")) == len(first.body)
    again = read(gateway, headers=[("if-none-match", f'"other", W/{tag}')])
    assert (again.status, again.body, again.header("etag")) == (304, b"", tag)
    assert read(gateway, headers=[("if-none-match", '"other"')]).status == 200
    nobody = read(gateway, user=None, headers=[("if-none-match", tag)])
    assert nobody.status == 200, "what another one is shown is another card"
    partly = read(gateway, headers=[("range", "bytes=0-9"), ("if-modified-since", "Fri, 27 Nov 2099 00:00:00 GMT")])
    assert (partly.status, partly.body) == (200, first.body)


def extended(gateway, user, binding, version):
    """The card for those who are known."""
    if binding == "JSONRPC":
        method = "GetExtendedAgentCard" if version == "1.0" else "agent/getAuthenticatedExtendedCard"
        asked = Exchange([*basic(version), *shows(gateway.people, user)], rpc(method))
        return messages(gateway.wire("planner").send(asked))[0].get("result")
    path = "/extendedAgentCard" if version == "1.0" else "/v1/card"
    return json.loads(read(gateway, user, [("a2a-version", version)], path=path).body)


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
@pytest.mark.parametrize(
    ("gateway", "version"),
    [(sdk, version) for sdk, agent in AGENTS.items() for version in agent.VERSIONS],
    indirect=["gateway"],
)
def test_the_extended_card_is_rewritten_too_and_shows_what_the_caller_may_use(gateway, version, binding):
    planner = gateway.agents["planner"]
    seen = gateway.seen()
    card = extended(gateway, ADA, binding, version)
    assert "admin" in skills(card) and addresses(card) == {gateway.url("planner")}
    assert planner.url not in json.dumps(card)
    is_by_the_gateway(parse_agent_card(json.loads(json.dumps(card))))
    assert "admin" not in skills(extended(gateway, BOB, binding, version))
    record = gateway.envoy.wait_records(seen + 2)[-1]
    assert (record["asked"]["a2a.operation"], record["decision"]["verdict"]) == ("GetExtendedAgentCard", "allow")


def test_who_has_proven_nothing_sees_what_the_rules_allow_anybody(gateway):
    answer = read(gateway, user=None)
    assert (answer.status, skills(json.loads(answer.body))) == (200, [])
    assert skills(json.loads(read(gateway).body)) != []
    assert read(gateway, caller="planner").status == 200


def test_a_card_is_read_by_get_alone(gateway):
    for method in ("HEAD", "POST", "PUT"):
        answer = read(gateway, method=method)
        assert answer.status in (400, 403, 415), method
        assert gateway.agents["planner"].url not in answer.body.decode()


def test_a_gateway_whose_cards_are_not_public_shows_them_to_nobody(people, tmp_path):
    with Planner() as planner:
        planner.body = json.dumps({"name": "p", "url": DIRECT}).encode()

        def private(bootstrap):
            bootstrap.gate_config["cards"]["public"] = False

        with start(people, tmp_path, planner, private) as gateway:
            assert read(gateway, user=None).status == 401
            assert read(gateway).status == 200
            assert len(planner.asked) == 1


def test_a_gateway_that_does_not_know_where_it_is_serves_no_card(people, tmp_path):
    with Planner() as planner:
        planner.body = json.dumps({"name": "p", "url": DIRECT}).encode()
        with start(people, tmp_path, planner, lambda bootstrap: bootstrap.gate_config["cards"].pop("url")) as gateway:
            answer = read(gateway)
            record = gateway.envoy.wait_records(1)[-1]
            assert (answer.status, record["decision"]["reason"]) == (404, "no_card")
            assert planner.asked == []


PLAIN = json.dumps({"name": "p", "url": DIRECT}).encode()
JSON = {"content-type": "application/json"}
UNREADABLE = [
    ("compressed", 200, JSON | {"content-encoding": "gzip"}, gzip.compress(PLAIN), "answer_encoded"),
    ("an error with a card", 500, JSON, PLAIN, "card_status"),
    ("elsewhere", 302, JSON | {"location": DIRECT}, PLAIN, "card_status"),
    ("part of it", 206, JSON, PLAIN, "card_status"),
    ("no JSON by its name", 200, {"content-type": "text/html"}, PLAIN, "answer_content_type"),
    ("no JSON", 200, JSON, PLAIN[:-1], "card_json"),
    ("nothing", 200, JSON, b"", "card_json"),
    ("two names for one thing", 200, JSON, PLAIN[:-1] + b',"url":"x"}', "card_json"),
    ("no card", 200, JSON, b"[]", "card_shape"),
    ("leads nowhere", 200, JSON, b'{"name":"p"}', "card_no_interface"),
    ("gRPC alone", 200, JSON, json.dumps({"url": DIRECT, "preferredTransport": "GRPC"}).encode(), "card_no_interface"),
    ("huge", 200, JSON, json.dumps({"url": DIRECT, "description": "x" * 300_000}).encode(), "card_too_large"),
]


@pytest.mark.parametrize("holds", [True, False], ids=["holding", "body alone"])
def test_no_card_goes_through_as_it_came(people, tmp_path, holds):
    def change(bootstrap):
        bootstrap.gate(hold_headers=holds)
        if not holds:
            bootstrap.http_filter("tollgate.gate")["typed_config"]["config"]["allow_on_headers_stop_iteration"] = False

    with Planner() as planner, start(people, tmp_path, planner, change) as gateway:
        for what, status, headers, body, reason in UNREADABLE:
            planner.status, planner.headers, planner.body = status, headers, body
            seen = gateway.seen()
            try:
                answer = read(gateway)
            except EOFError:
                assert not holds, what
                answer = None
            if not holds and reason == "card_too_large":
                assert answer is None or b"xxx" not in answer.body  # cut off: its headers were on their way
            elif answer is not None:
                assert b"planner.internal" not in answer.body and answer.header("location") is None, what
                assert json.loads(answer.body)["error"]["message"], what
            assert answer is None or answer.status == 502 or not holds, what
            record = gateway.envoy.wait_records(seen + 1)[-1]
            assert record["decision"] == {"verdict": "deny", "rule": "answer", "reason": reason}, what
        planner.status, planner.headers, planner.body = 200, JSON | {"etag": '"its"', "set-cookie": "a=b"}, PLAIN
        answer = read(gateway)
        assert (answer.status, addresses(json.loads(answer.body))) == (200, {gateway.url("planner")})
        assert answer.header("set-cookie") is None and answer.header("etag") != '"its"'
        whole = [("accept-encoding", "gzip"), ("if-none-match", '"its"'), ("range", "bytes=0-1")]
        assert read(gateway, headers=whole).status == 200
        assert {"accept-encoding", "if-none-match", "range"}.isdisjoint(planner.asked[-1])


def signed(*keys) -> bytes:
    """A card by the official SDK."""
    card = card_of("planner", DIRECT)
    for kid, alg, key in keys:
        create_agent_card_signer(pem(key), {"kid": kid, "alg": alg, "typ": "JOSE", "jku": f"{DIRECT}/jwks"})(card)
    return json.dumps(MessageToDict(card)).encode()


def test_signatures_are_verified_with_the_keys_that_are_configured_and_no_other(people, tmp_path):
    other = Ed25519PrivateKey.generate()

    def change(bootstrap):
        keys = [jwk("ed", ED), jwk("es", ES)]
        bootstrap.gate_config["agents"]["planner"]["card"] = {"verify": {"keys": keys}}

    with Planner() as planner, start(people, tmp_path, planner, change) as gateway:
        for body, status in [
            (signed(("ed", "EdDSA", ED)), 200),
            (signed(("es", "ES256", ES)), 200),
            (signed(("x", "EdDSA", other), ("es", "ES256", ES)), 200),
            (signed(), 502),
            (signed(("ed", "EdDSA", other)), 502),
            (signed(("unknown", "EdDSA", ED)), 502),
            (signed(("ed", "EdDSA", ED)).replace(b"Plans a journey.", b"Pays a bill."), 502),
            (signed(("es", "ES256", ES)).replace(b"planner.internal", b"evil.internal"), 502),
        ]:
            planner.body = body
            answer = read(gateway)
            assert answer.status == status, body
            assert b"signatures" not in answer.body


@pytest.mark.parametrize("sdk", list(AGENTS))
def test_attacks_on_cards_come_to_nothing(people, tmp_path, sdk):
    with AGENTS[sdk]("billing") as billing:
        everybody = [{"allow": {"callees": ["*"]}}]
        with AgentGateway(tmp_path, people, rules=everybody, billing=billing) as gateway:
            stage = Stage(billing, people, gateway.envoy.port, "/agents/billing", secure=True)
            attacks = [one for one in ATTACKS if one.chapter == "A9" and one.version in billing.VERSIONS]
            assert len(attacks) >= 4
            for attack in attacks:
                outcome = attempt(attack, stage)
                assert attack.right.problems(outcome.answer, billing.url) == [], attack.label
                assert not outcome.ran, attack.label
    assert Right.CARD in {attack.right for attack in attacks}
