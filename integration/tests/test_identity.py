"""Who asks is proven by what Envoy verified, or by who shares a key with the gate; and by nothing else that is shown."""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness import Bootstrap, Envoy, Gateway, ask, teams
from harness.bootstrap import ROOT
from harness.gateway import PATHS
from harness.identity import (
    PAYLOAD,
    Authority,
    Issuer,
    Resuming,
    base64url,
    bound,
    client_tls,
    signed_subject,
    verify_certificates,
    verify_tokens,
)

PATH, HOST = PATHS["openai"], "gateway.example"
SIGNING_KEY, NEXT_KEY, OTHER_KEY = "k" * 32, "n" * 40, "o" * 32
PROFILE = "https://claims.example/profile"

JWT = {
    "payload": PAYLOAD,
    "claims": {"user": "sub", "team": "org.team", "tier": [PROFILE, "plan"]},
    "require": ["user", "team"],
    "models": ["*"],
}
MTLS = {"spiffe": "spiffe://example.org/ns/{environment}/sa/{team}", "models": ["*"]}
HEADER = {"name": "x-subject", "keys_from": "TOLLGATE_SUBJECT_KEYS", "models": ["*"]}
SUPPORT = "spiffe://example.org/ns/prod/sa/support"

ISSUER, STRANGER = Issuer(), Issuer()


@dataclass(frozen=True)
class Row:
    """What is shown, and what it must lead to: a subject, or a refusal's status and reason."""

    name: str
    shown: object
    subject: dict | None = None
    refused: tuple[int, str] | None = None

    def check(self, gateway: Gateway, headers: list[tuple[str, str]]) -> None:
        """Asks so; what is refused reaches no provider, and what is served takes no proof along."""
        gateway.fresh()
        headers = [("content-type", "application/json"), ("host", HOST), *headers]
        answer = gateway.send("POST", PATH, headers, json.dumps(ask("openai", "gpt-4o-mini")))
        record = gateway.record()
        if self.refused:
            assert (answer.status, record["decision"]["reason"]) == self.refused, answer.body
            assert not gateway.openai.requests
            if record["decision"]["rule"] != "before the gate":
                assert answer.error["code"] == self.refused[1] and answer.error["message"]
        else:
            assert (answer.status, record.get("subject")) == (200, self.subject), answer.body
            (sent,) = gateway.openai.requests
            seen = {name.lower(): value for name, value in sent.headers}
            assert "x-subject" not in seen and seen["authorization"] == f"Bearer {teams.OPENAI_KEY}"
        for name, value in headers[2:]:
            if name in ("authorization", "x-subject") and value:
                assert value not in json.dumps(record) and value.encode() not in answer.body


def table(*rows: Row):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def bearer(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


def key(team: str) -> tuple[str, str]:
    return ("x-api-key", teams.KEYS[team])


def by_key(team: str) -> dict:
    return {"key": team, "team": team, "feature": "chat", "environment": "test"}


def started(tmp_path_factory, identity: dict, keys: list[dict], *changes):
    def change(bootstrap):
        bootstrap.gate(identity=identity, keys=keys)
        for also in changes:
            also(bootstrap)

    return Gateway(tmp_path_factory.mktemp("identity"), change)


# Tokens.


@pytest.fixture(scope="module")
def with_tokens(tmp_path_factory):
    """Tokens first, then keys, as `jwt_authn` allows both."""
    identity = {"any_of": [["jwt"], ["key"]], "jwt": JWT}
    with started(
        tmp_path_factory, identity, teams.GATE_KEYS, lambda bootstrap: verify_tokens(bootstrap, ISSUER)
    ) as gateway:
        yield gateway


ADA = {"sub": "ada@example.org", "org": {"team": "eng"}}
BY_ADA = {"user": "ada@example.org", "team": "eng"}
SIGNED = ISSUER.token(**ADA)


def unsigned() -> str:
    head, claims, _ = SIGNED.split(".")
    return f"{base64url(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{claims}."


def exchanged() -> str:
    head, _, signature = SIGNED.split(".")
    return f"{head}.{base64url(json.dumps({'iss': 'https://issuer.example', **ADA, 'sub': 'eve'}).encode())}.{signature}"


BEFORE_THE_GATE = (401, "refused_by_another_filter")


@table(
    Row("RS256", [bearer(SIGNED)], BY_ADA),
    Row("ES256", [bearer(ISSUER.token("ES256", **ADA))], BY_ADA),
    Row("deep", [bearer(ISSUER.token(**ADA, **{PROFILE: {"plan": "gold"}}))], BY_ADA | {"tier": "gold"}),
    Row("a number", [bearer(ISSUER.token(sub="ada", org={"team": 12345678}))], {"user": "ada", "team": "12345678"}),
    Row("eight characters", [bearer(ISSUER.token(sub="ada", org={"team": "eight888"}))], {"user": "ada", "team": "eight888"}),
    Row("another claim", [bearer(ISSUER.token(**ADA, key="support", feature="chat"))], BY_ADA),
    Row("a token and a key", [bearer(SIGNED), key("support")], BY_ADA),
    Row("a key alone", [key("support")], by_key("support")),
    Row("a key where tokens are", [bearer(teams.KEYS["support"])], refused=BEFORE_THE_GATE),
    Row("a token and a wrong key", [bearer(SIGNED), ("x-api-key", "tg_support_notthesecret")], refused=(401, "unknown_key")),
    Row("a token and an expired key", [bearer(SIGNED), key("expired")], refused=(401, "expired_key")),
    Row("a token and two keys", [bearer(SIGNED), key("support"), ("api-key", teams.KEYS["research"])], refused=(401, "several_keys")),
    Row("a token and no key of ours", [bearer(SIGNED), ("x-api-key", "dummy")], BY_ADA),
    Row("no key of ours", [("x-api-key", "dummy")], refused=(401, "missing_proof")),
    Row("nothing", [], refused=(401, "missing_proof")),
    Row("signed by another", [bearer(STRANGER.token(**ADA))], refused=BEFORE_THE_GATE),
    Row("with the public key as a secret", [bearer(ISSUER.token("HS256", **ADA))], refused=BEFORE_THE_GATE),
    Row("alg none", [bearer(unsigned())], refused=BEFORE_THE_GATE),
    Row("another's claims", [bearer(exchanged())], refused=BEFORE_THE_GATE),
    Row("expired", [bearer(ISSUER.token(expires_in=-300, **ADA))], refused=BEFORE_THE_GATE),
    Row("another issuer's", [bearer(ISSUER.token(**ADA, iss="https://other.example"))], refused=BEFORE_THE_GATE),
    Row("no team", [bearer(ISSUER.token(sub="ada"))], refused=(403, "missing_claim")),
    Row("no user", [bearer(ISSUER.token(org={"team": "eng"}))], refused=(403, "missing_claim")),
    Row("null", [bearer(ISSUER.token(sub="ada", org={"team": None}))], refused=(403, "missing_claim")),
    Row("a list", [bearer(ISSUER.token(sub="ada", org={"team": ["ada"]}))], refused=(403, "invalid_claim")),
    Row("an object", [bearer(ISSUER.token(sub="ada", org={"team": {"id": "ada"}}))], refused=(403, "invalid_claim")),
    Row("a flag", [bearer(ISSUER.token(sub="ada", org={"team": True}))], refused=(403, "invalid_claim")),
    Row("a fraction", [bearer(ISSUER.token(sub="ada", org={"team": 1.5}))], refused=(403, "invalid_claim")),
    # Its bytes as a double are the text `adminadm`.
    Row("a number that could be a text", [bearer(ISSUER.token(sub="ada", org={"team": 8.992980230133365e+218}))], refused=(403, "invalid_claim")),
    Row("empty", [bearer(ISSUER.token(sub="ada", org={"team": ""}))], refused=(403, "invalid_claim")),
    Row("too long", [bearer(ISSUER.token(sub="ada", org={"team": "x" * 65}))], refused=(403, "invalid_claim")),
    Row("a separator", [bearer(ISSUER.token(sub="ada", org={"team": "ada;.;team=finance"}))], refused=(403, "invalid_claim")),
    Row("forged metadata", [("x-envoy-jwt-payload", "{}"), ("x-tollgate-subject", "support")], refused=(401, "missing_proof")),
)  # fmt: skip
def test_a_token_is_believed_as_far_as_envoy_verified_it(with_tokens, row):
    row.check(with_tokens, row.shown)


def test_a_claim_is_named_and_never_quoted(with_tokens):
    headers = [bearer(ISSUER.token(sub="ada", org={"team": "canary;7f3a"})), ("content-type", "application/json")]
    answer = with_tokens.send("POST", PATH, headers, "{}")
    assert "`org.team`" in answer.error["message"] and b"canary" not in answer.body


@pytest.mark.parametrize(
    ("requirement", "believed"),
    [
        (None, False),
        ({"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}}, True),
        ({"extract_only_without_validation": {}}, True),
    ],
    ids=["no filter", "failures allowed", "not validated"],
)
def test_a_token_that_envoy_did_not_verify_is_nobodys(tmp_path_factory, requirement, believed):
    def change(bootstrap):
        if requirement:
            verify_tokens(bootstrap, ISSUER, requirement)

    nobody = (401, "missing_proof")
    with started(tmp_path_factory, {"any_of": [["jwt"]], "jwt": JWT}, [], change) as gateway:
        for name, token in {
            "another's": STRANGER.token(**ADA),
            "changed": exchanged(),
            "unsigned": unsigned(),
            "expired": ISSUER.token(expires_in=-300, **ADA),
            "another issuer's": ISSUER.token(**ADA, iss="https://other.example"),
        }.items():
            Row(name, token, refused=nobody).check(gateway, [bearer(token)])
        good = Row("good", SIGNED, BY_ADA) if believed else Row("good", SIGNED, refused=nobody)
        good.check(gateway, [bearer(SIGNED)])


@pytest.mark.parametrize("written", [PAYLOAD, "failed"])
def test_what_envoy_writes_of_a_token_it_did_not_verify_is_nobody(tmp_path_factory, written):
    lenient = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}}
    change = lambda made: verify_tokens(made, ISSUER, lenient, failed_status_in_metadata=written)  # noqa: E731
    identity = {"any_of": [["jwt"]], "jwt": {"payload": PAYLOAD, "claims": {"user": "sub"}, "models": ["*"]}}
    with started(tmp_path_factory, identity, [], change) as gateway:
        for name, shown in {
            "another's": [bearer(STRANGER.token(**ADA))],
            "expired": [bearer(ISSUER.token(expires_in=-300, **ADA))],
            "none": [],
        }.items():
            Row(name, None, refused=(401, "missing_proof")).check(gateway, shown)
        Row("good", None, {"user": "ada@example.org"}).check(gateway, [bearer(SIGNED)])


def test_keys_may_stand_where_tokens_do_if_envoy_lets_failures_pass(tmp_path_factory):
    identity = {"any_of": [["jwt"], ["key"]], "jwt": JWT}
    lenient = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}}
    verified = lambda made: verify_tokens(made, ISSUER, lenient)  # noqa: E731
    with started(tmp_path_factory, identity, teams.GATE_KEYS, verified) as gateway:
        Row("key", None, by_key("support")).check(gateway, [bearer(teams.KEYS["support"])])
        Row("wrong key", None, refused=(401, "unknown_key")).check(gateway, [bearer("tg_support_notthesecret")])
        Row("token", None, BY_ADA).check(gateway, [bearer(SIGNED)])


def test_the_order_of_ways_decides_when_two_are_shown(tmp_path_factory):
    identity = {"any_of": [["key"], ["jwt"]], "jwt": JWT}
    with started(tmp_path_factory, identity, teams.GATE_KEYS, lambda made: verify_tokens(made, ISSUER)) as gateway:
        Row("both", None, by_key("support")).check(gateway, [bearer(SIGNED), key("support")])
        Row("only a token", None, BY_ADA).check(gateway, [bearer(SIGNED)])


def test_a_key_and_a_token_together_are_one_caller(tmp_path_factory):
    identity = {"any_of": [["key", "jwt"]], "jwt": JWT | {"models": ["gpt-4o-mini", "gpt-4o"]}}
    keys = [teams.key("support", ["gpt-4o-mini", "claude-sonnet"])]
    with started(tmp_path_factory, identity, keys, lambda made: verify_tokens(made, ISSUER)) as gateway:
        support = bearer(ISSUER.token(sub="ada", org={"team": "support"}))
        both = [support, key("support")]
        Row("both", None, by_key("support") | {"user": "ada"}).check(gateway, both)
        Row("another team", None, refused=(403, "subject_conflict")).check(gateway, [bearer(SIGNED), key("support")])
        for name, shown in {"only a key": [key("support")], "only a token": [support]}.items():
            Row(name, None, refused=(401, "missing_proof")).check(gateway, shown)
        for model, rule in {"gpt-4o": "keys.support.models", "claude-sonnet": "identity.jwt.models"}.items():
            gateway.fresh()
            headers = [*both, ("content-type", "application/json")]
            answer = gateway.send("POST", PATH, headers, json.dumps(ask("openai", model)))
            assert (answer.status, gateway.record()["decision"]["rule"]) == (403, rule)
        listed = gateway.send("GET", "/v1/models", both).json["data"]
        assert [model["id"] for model in listed] == ["gpt-4o-mini"]


# Certificates.


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    return [Authority(tmp_path_factory.mktemp(name), name) for name in ("known", "unknown")]


@pytest.fixture(scope="module")
def certificates(authorities) -> dict[str, Path]:
    known, unknown = authorities
    return {
        "good": known.issue("good", [SUPPORT]),
        "two names": known.issue("two", [SUPPORT, "spiffe://example.org/ns/prod/sa/finance"]),
        "the same name twice": known.issue("twice", [SUPPORT, SUPPORT]),
        "no name": known.issue("nameless", []),
        "another form": known.issue("form", ["spiffe://example.org/prod/support"]),
        "another domain": known.issue("domain", ["spiffe://example.com/ns/prod/sa/support"]),
        "too long": known.issue("long", [f"spiffe://example.org/ns/prod/sa/{'x' * 65}"]),
        "expired": known.issue("expired", [SUPPORT], lasts_days=-1),
        "another authority's": unknown.issue("other", [SUPPORT]),
    }


@pytest.fixture(scope="module", params=["VERIFY_TRUST_CHAIN", "ACCEPT_UNTRUSTED"])
def with_certificates(tmp_path_factory, authorities, request):
    identity = {"any_of": [["mtls"], ["key"]], "mtls": MTLS}
    verified = lambda made: verify_certificates(made, authorities[0], trust_chain_verification=request.param)  # noqa: E731
    with started(tmp_path_factory, identity, teams.GATE_KEYS, verified) as gateway:
        yield gateway


BY_WORKLOAD = {"environment": "prod", "team": "support"}


@table(
    Row("good", [], BY_WORKLOAD),
    Row("good", [key("research")], BY_WORKLOAD),
    Row("good", [("x-forwarded-client-cert", "URI=spiffe://example.org/ns/x/sa/y")], BY_WORKLOAD),
    Row("none", [], refused=(401, "missing_proof")),
    Row("none", [key("support")], by_key("support")),
    Row("none", [("x-forwarded-client-cert", f"URI={SUPPORT}")], refused=(401, "missing_proof")),
    Row("two names", [], refused=(401, "invalid_certificate")),
    Row("the same name twice", [], refused=(401, "invalid_certificate")),
    Row("too long", [], refused=(401, "invalid_certificate")),
    Row("no name", [], refused=(401, "missing_proof")),
    Row("another form", [], refused=(401, "missing_proof")),
    Row("another domain", [], refused=(401, "missing_proof")),
    Row("another domain", [key("support")], by_key("support")),
)
def test_a_workload_is_who_its_verified_certificate_says(with_certificates, authorities, certificates, row):
    with_certificates.tls = client_tls(authorities[0], certificates.get(row.name))
    row.check(with_certificates, row.shown)


@pytest.mark.parametrize("with_certificates", ["ACCEPT_UNTRUSTED"], indirect=True)
@pytest.mark.parametrize("name", ["expired", "another authority's"])
def test_a_certificate_that_envoy_only_accepted_is_refused(with_certificates, authorities, certificates, name):
    with_certificates.tls = client_tls(authorities[0], certificates[name])
    for shown in ([], [key("support")]):
        Row(name, shown, refused=(401, "unverified_certificate")).check(with_certificates, shown)


def test_a_resumed_session_is_not_believed_because_envoy_no_longer_knows_whether_it_verified(
    tmp_path_factory, authorities, certificates
):
    verified = lambda made: verify_certificates(made, authorities[0], resumed=True)  # noqa: E731
    with started(tmp_path_factory, {"any_of": [["mtls"]], "mtls": MTLS}, [], verified) as gateway:
        gateway.tls = client_tls(authorities[0], certificates["good"])
        Row("first", [], BY_WORKLOAD).check(gateway, [])
        gateway.tls = client_tls(authorities[0], certificates["good"], Resuming)
        Row("full handshake", [], BY_WORKLOAD).check(gateway, [])
        Row("resumed", [], refused=(401, "unverified_certificate")).check(gateway, [])


@pytest.fixture(scope="module")
def with_both(tmp_path_factory, authorities):
    """A token and a certificate, and nothing less."""
    identity = {"any_of": [["jwt", "mtls"]], "jwt": JWT, "mtls": MTLS}
    with started(
        tmp_path_factory,
        identity,
        [],
        lambda made: verify_tokens(made, ISSUER),
        lambda made: verify_certificates(made, authorities[0]),
    ) as gateway:
        yield gateway


@table(
    Row("good", {"sub": "ada", "org": {"team": "support"}}, {"user": "ada", "team": "support", "environment": "prod"}),
    Row("good", {"sub": "ada", "org": {"team": "finance"}}, refused=(403, "subject_conflict")),
    Row("good", {"sub": "ada", "org": {"team": "Support"}}, refused=(403, "subject_conflict")),
    Row("good", None, refused=(401, "missing_proof")),
    Row("none", {"sub": "ada", "org": {"team": "support"}}, refused=(401, "missing_proof")),
    Row("another domain", {"sub": "ada", "org": {"team": "support"}}, refused=(401, "missing_proof")),
)
def test_a_token_is_worth_something_only_in_the_hands_of_its_workload(with_both, authorities, certificates, row):
    with_both.tls = client_tls(authorities[0], certificates.get(row.name))
    row.check(with_both, [bearer(ISSUER.token(**row.shown))] if row.shown else [])


@pytest.fixture(scope="module")
def with_bound_tokens(tmp_path_factory, authorities):
    """A token, whatever certificate Envoy accepts beside it."""
    identity = {"any_of": [["jwt"]], "jwt": JWT}
    with started(
        tmp_path_factory,
        identity,
        [],
        lambda made: verify_tokens(made, ISSUER),
        lambda made: verify_certificates(made, authorities[0], trust_chain_verification="ACCEPT_UNTRUSTED"),
    ) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("bound_to", "shown", "refused"),
    [
        ("good", "good", None),
        (None, "good", None),
        (None, None, None),
        ("good", "form", (401, "token_of_other_certificate")),
        ("good", None, (401, "token_without_certificate")),
        ("other", "other", (401, "token_without_certificate")),
        ("DPoP", "good", (401, "unchecked_token_binding")),
    ],
)
def test_a_bound_token_is_worth_something_only_beside_the_certificate_it_is_bound_to(
    with_bound_tokens, authorities, certificates, bound_to, shown, refused
):
    files = {path.stem: path for path in certificates.values()}
    with_bound_tokens.tls = client_tls(authorities[0], files.get(shown))
    cnf = {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"} if bound_to == "DPoP" else bound(files.get(bound_to))
    token = ISSUER.token(**ADA, **({"cnf": cnf} if cnf else {}))
    Row("token", None, None if refused else BY_ADA, refused).check(with_bound_tokens, [bearer(token)])


def test_the_agent_of_a_token_is_the_agent_of_the_certificate_beside_it(tmp_path_factory, authorities):
    identity = {
        "any_of": [["mtls", "jwt"]],
        "jwt": {
            "payload": PAYLOAD,
            "claims": {"user": "sub"},
            "actor": {"names": {"client-7f3": "planner"}},
            "models": ["*"],
        },
        "mtls": {"spiffe": "spiffe://example.org/agent/{agent}", "models": ["*"]},
    }
    spiffe = "spiffe://example.org/agent/planner"
    own = {"user": "ada", "agent": "planner"}
    with started(
        tmp_path_factory,
        identity,
        [],
        lambda made: verify_tokens(made, ISSUER),
        lambda made: verify_certificates(made, authorities[0]),
    ) as gateway:
        gateway.tls = client_tls(authorities[0], authorities[0].issue("planner", [spiffe]))
        for claims, refused in [
            ({"act": {"sub": spiffe}}, None),
            ({"act": {"sub": "client-7f3", "act": {"sub": "billing"}}, "azp": "web"}, None),
            ({"azp": "client-7f3"}, None),
            ({"azp": "planner"}, (403, "invalid_actor")),
            ({"act": {"sub": "spiffe://example.org/agent/billing"}}, (403, "subject_conflict")),
            ({"act": {"sub": "billing", "act": {"sub": "client-7f3"}}}, (403, "subject_conflict")),
            ({}, (403, "missing_actor")),
        ]:
            token = ISSUER.token(sub="ada", **claims)
            Row("token", None, None if refused else own, refused).check(gateway, [bearer(token)])


# Headers.


def with_variable(bootstrap):
    for plugin in bootstrap.plugins():
        plugin["vm_config"]["environment_variables"] = {"host_env_keys": [HEADER["keys_from"]]}


@pytest.fixture(scope="module")
def with_header(tmp_path_factory):
    identity = {"any_of": [["header"], ["key"]], "header": HEADER}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(HEADER["keys_from"], f"{SIGNING_KEY},{NEXT_KEY}")
        with started(tmp_path_factory, identity, teams.GATE_KEYS, with_variable) as gateway:
            yield gateway


def test_the_key_of_headers_is_nowhere_to_be_read(with_header):
    shown = with_header.envoy.admin("/config_dump") + with_header.envoy.log()
    assert HEADER["keys_from"] in shown and SIGNING_KEY not in shown and NEXT_KEY not in shown


def sign(key=SIGNING_KEY, method="POST", authority=HOST, path=PATH, ago=0.0, **fields):
    return signed_subject(key, method, authority, path, time.time() - ago, **fields)


SIGNED_FIELDS = {"user": "ada@example.org", "team": "support", "tier": "gold"}
UNPROVEN = (401, "invalid_subject_header")


@table(
    Row("signed", lambda: [sign(**SIGNED_FIELDS)], SIGNED_FIELDS),
    Row("with the next key", lambda: [sign(NEXT_KEY, team="support")], {"team": "support"}),
    Row("nearly too old", lambda: [sign(ago=50, team="support")], {"team": "support"}),
    Row("a little ahead", lambda: [sign(ago=-5, team="support")], {"team": "support"}),
    Row("no header", lambda: [], refused=(401, "missing_proof")),
    Row("forged", lambda: ["v1;t=1;team=support;m=" + "0" * 64], refused=UNPROVEN),
    Row("without a signature", lambda: [sign(team="support").split(";m=")[0]], refused=UNPROVEN),
    Row("empty", lambda: [""], refused=UNPROVEN),
    Row("a plain name", lambda: ["support"], refused=UNPROVEN),
    Row("changed", lambda: [sign(team="support").replace("support", "finance")], refused=UNPROVEN),
    Row("with a field more", lambda: [sign(team="support").replace(";m=", ";tier=gold;m=")], refused=UNPROVEN),
    Row("another key's", lambda: [sign(OTHER_KEY, team="support")], refused=UNPROVEN),
    Row("of another method", lambda: [sign(method="GET", team="support")], refused=UNPROVEN),
    Row("of another path", lambda: [sign(path="/v1/messages", team="support")], refused=UNPROVEN),
    Row("of another query", lambda: [sign(path=f"{PATH}?x=1", team="support")], refused=UNPROVEN),
    Row("of another host", lambda: [sign(authority="other.example", team="support")], refused=UNPROVEN),
    Row("twice", lambda: [sign(team="support")] * 2, refused=UNPROVEN),
    Row("two", lambda: [sign(team="support"), sign(team="finance")], refused=UNPROVEN),
    Row("two in one", lambda: [", ".join([sign(team="support")] * 2)], refused=UNPROVEN),
    Row("signed nothing", lambda: [sign()], refused=UNPROVEN),
    Row("a key's name", lambda: [sign(key_=SIGNING_KEY)], refused=UNPROVEN),
    Row("expired", lambda: [sign(ago=90, team="support")], refused=(401, "expired_subject_header")),
    Row("of the future", lambda: [sign(ago=-60, team="support")], refused=(401, "early_subject_header")),
)  # fmt: skip
def test_a_subject_header_is_believed_if_it_is_signed_for_this_request_now(with_header, row):
    row.check(with_header, [("x-subject", value) for value in row.shown()])


def test_a_signed_header_and_a_key(with_header):
    signed = ("x-subject", sign(team="finance"))
    Row("both", None, {"team": "finance"}).check(with_header, [signed, key("support")])
    Row("a wrong header", None, refused=UNPROVEN).check(with_header, [("x-subject", "v1;m="), key("support")])
    wrong = ("x-api-key", "tg_support_notthesecret")
    Row("a wrong key", None, refused=(401, "unknown_key")).check(with_header, [signed, wrong])
    Row("another header", None, refused=(401, "missing_proof")).check(with_header, [("x-subject-", signed[1])])


def test_a_signature_can_be_used_again_for_the_same_request_line_until_it_is_too_old(with_header):
    signed = ("x-subject", sign(team="finance"))
    for name in ("first", "again"):
        Row(name, None, {"team": "finance"}).check(with_header, [signed])


# What people copy.


def test_what_the_docs_say_about_envoy_is_accepted_by_envoy(tmp_path, authorities):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.DOTALL)
    token, tls, variable = (
        yaml.safe_load(next(block for block in blocks if word in block))
        for word in ("jwt_authn.v3", "require_client_certificate", "host_env_keys")
    )
    made = Bootstrap(tmp_path, {"openai": 1, "anthropic": 1}, teams.CREDENTIALS)
    verify_certificates(made, authorities[0])
    (chain,) = made.config["static_resources"]["listeners"][0]["filter_chains"]
    context = chain["transport_socket"]["typed_config"]
    tls["common_tls_context"]["validation_context"]["trusted_ca"]["filename"] = str(authorities[0].file)
    tls["common_tls_context"] = context["common_tls_context"] | tls["common_tls_context"]
    context.update(tls)
    made.hcm["http_filters"][:0] = token
    made.config["static_resources"]["clusters"].append({"name": "login", "type": "STATIC"})
    for plugin in made.plugins():
        plugin["vm_config"] |= variable["vm_config"]
    identity = {"any_of": [["jwt", "mtls"], ["header"]], "jwt": JWT, "mtls": MTLS, "header": HEADER}
    made.gate(identity=identity, keys=[])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(HEADER["keys_from"], SIGNING_KEY)
        good, output = Envoy.validate(made.config)
    assert good, output


# Routes.


def test_a_key_takes_only_the_routes_that_it_allows(start):
    def change(bootstrap):
        models = {name: dict(model) for name, model in teams.MODELS.items()}
        models["gpt-4o"]["route"] = models["gpt-4o-mini"]["route"] = "chat"
        keys = [teams.key("support", ["*"], routes=["chat"]), teams.key("research", ["*"], routes=["*"])]
        keys.append(teams.key("finance", ["gpt-4o-mini", "claude-alone"], routes=["chat"]))
        bootstrap.gate(models=models, keys=keys)

    gateway = start(change)
    for team, model, status, rule in [
        ("support", "gpt-4o", 200, "models.gpt-4o"),
        ("support", "claude-sonnet", 403, "keys.support.routes"),
        ("research", "claude-sonnet", 200, "models.claude-sonnet"),
        ("finance", "claude-alone", 403, "keys.finance.routes"),
        ("finance", "gpt-4o", 403, "keys.finance.models"),
    ]:
        gateway.fresh()
        answer = gateway.post("openai", model, team=team)
        assert (answer.status, gateway.record()["decision"]["rule"]) == (status, rule), (team, model)
        if rule.endswith("routes"):
            assert answer.error["code"] == "route_not_allowed"
    for team, models in {"support": ["gpt-4o", "gpt-4o-mini"], "finance": ["gpt-4o-mini"]}.items():
        listed = gateway.send("GET", "/v1/models", gateway.headers(team)).json["data"]
        assert [model["id"] for model in listed] == models


# Limits.


def test_a_limit_counts_by_who_a_token_says_and_by_nothing_else(tmp_path_factory):
    limit = {"name": "each", "per": ["user"], "requests": 2, "every": "day"}
    changes = [lambda made: verify_tokens(made, ISSUER), lambda made: made.gate(limits=[limit])]
    with started(tmp_path_factory, {"any_of": [["jwt"]], "jwt": JWT}, [], *changes) as gateway:
        ada, eve = (bearer(ISSUER.token(sub=user, org={"team": "eng"})) for user in ("ada", "eve"))
        forged = [("x-tollgate-user", "eve"), ("x-subject", "eve"), ("x-api-key", "tg_support_notthesecret")]
        statuses = []
        for proof in (ada, ada, ada, eve, ada):
            headers = [proof, ("content-type", "application/json"), *forged]
            statuses.append(gateway.send("POST", PATH, headers, json.dumps(ask("openai", "gpt-4o-mini"))).status)
        assert statuses == [200, 200, 429, 200, 429]
