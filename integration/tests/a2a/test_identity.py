"""Who calls an agent is who Envoy's certificate and token agree on, in a real Envoy; and nothing else that is shown."""

import json

import pytest

from a2a_corpus import ATTACKS, Right, Stage, attempt
from harness.a2a import ADA, AGENTS, BOB, AgentGateway, spiffe
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.identity import Resuming, bound, client_tls

# What `a2a_corpus.attack.POLICY` says in words, as far as these chapters need it.
POLICY = [
    {"allow": {"agents": ["assistant"], "callees": ["*"], "operations": ["SendMessage", "GetTask"]}},
    {"allow": {"agents": ["planner"], "callees": ["*"], "tiers": ["gold"]}},
]
CHAPTERS = {"A1", "A2", "A3", "A4"}
# Whose ticket a `tracestate` carries is for tickets to say.
HERE = [attack for attack in ATTACKS if attack.chapter in CHAPTERS and attack.name != "tracestate"]
JWT = {"payload": "jwt_payload", "claims": {"user": "sub", "tier": "tier"}, "require": ["user"], "actor": {}}
MTLS = {"spiffe": "spiffe://example.org/agent/{agent}"}
MISMATCH, NOBODY = (403, "identity_mismatch"), (401, "missing_proof")


@pytest.fixture(scope="module")
def billing():
    with AGENTS["python"]("billing") as agent:
        yield agent


@pytest.fixture(scope="module")
def started(people, tmp_path_factory, billing):
    """`with started(rules, change) as gateway:`."""

    def start(rules=POLICY, change=lambda bootstrap: None):
        return AgentGateway(tmp_path_factory.mktemp("identity"), people, change, rules=rules, billing=billing)

    return start


@pytest.fixture(scope="module")
def gateway(started):
    """As it is shipped, and agents that would believe some headers."""
    with started(change=lambda made: made.gate(identity_headers=["x-agent-id", "x-user", "x-tier"])) as gateway:
        yield gateway


def call(gateway, caller="assistant", token=None, tls=None, headers=(), binding="JSONRPC"):
    """A message to billing, from who has this certificate, with this token; or with an SSL context instead."""
    shown = [("authorization", f"Bearer {token}")] if token else []
    wire = gateway.wire("billing", caller)
    if tls:
        wire.tls = tls
    if binding == "JSONRPC":
        return wire.send(Exchange([*basic(), *shown, *headers], rpc("SendMessage", message("say hello"))))
    body = json.dumps(message("say hello")).encode()
    return wire.send(Exchange([*basic(), *shown, *headers], body, "POST", "/agents/billing/message:send"))


def told(gateway, **shown):
    """Status and reason of a call; what is refused never reaches the agent, and what is not does."""
    (agent,) = gateway.agents.values()
    agent.forget()
    seen = gateway.seen()
    answer = call(gateway, **shown)
    record = gateway.envoy.wait_records(seen + 1)[-1]
    assert bool(agent.ran()) == (answer.status == 200), record
    assert record["decision"]["verdict"] == ("allow" if answer.status == 200 else "deny")
    return answer, record


def reason(gateway, **shown):
    """The same, in short."""
    answer, record = told(gateway, **shown)
    return answer.status, record["decision"]["reason"]


ALLOWED = (200, "rule")


@pytest.mark.parametrize("attack", HERE, ids=lambda attack: attack.label)
def test_nobody_is_who_they_say_but_who_envoy_has_verified(gateway, people, billing, attack):
    outcome = attempt(attack, Stage(billing, people, gateway.envoy.port, "/agents/billing", secure=True))
    assert not outcome.ran
    assert attack.right.problems(outcome.answer) == []


def test_the_corpus_has_all_of_these_threats():
    assert {attack.chapter for attack in HERE} == CHAPTERS and len(HERE) > 50
    assert {attack.right for attack in HERE} >= {Right.MISMATCH, Right.DENIED, Right.ALLOWED, Right.NO_TOKEN}


def test_every_disagreement_is_a_mismatch_in_the_callers_own_words_and_the_record_says_which(gateway, people):
    for claims, mismatch in [
        ({"act": {"sub": spiffe("planner")}}, "subject_conflict"),
        ({"act": None}, "missing_actor"),
        ({"act": {"sub": ""}}, "invalid_actor"),
        ({"act": {"sub": "spiffe://example.com/agent/assistant"}}, "invalid_actor"),
        ({"act": {"sub": spiffe("assistant"), "act": {"sub": spiffe("assistant")}}}, "repeated_actor"),
        ({"cnf": bound(people.certificate("planner"))}, "token_of_other_certificate"),
        ({"cnf": {"jkt": "x"}}, "unchecked_token_binding"),
    ]:
        token = people.token(**claims)
        for binding in ("JSONRPC", "HTTP+JSON"):
            answer, record = told(gateway, token=token, binding=binding)
            (said,) = messages(answer)
            assert (answer.status, answer.header("www-authenticate")) == (403, None)
            assert record["decision"]["reason"] == "identity_mismatch" and record["decision"]["mismatch"] == mismatch
            assert record["decision"]["certificate"] == {"agent": "assistant"}
            if mismatch == "subject_conflict":
                assert record["decision"]["token"] == {"user": ADA, "tier": "gold", "agent": "planner"}
            details = said["error"]["data"] if binding == "JSONRPC" else said["error"]["details"]
            assert details[0]["reason"] == "IDENTITY_MISMATCH" and "subject" not in record
            assert token not in json.dumps(record) and token.encode() not in answer.body


def test_two_agents_cannot_use_each_others_tokens(gateway, people):
    for certificate in ("assistant", "planner"):
        for agent in ("assistant", "planner"):
            expected = ALLOWED if certificate == agent else MISMATCH
            assert reason(gateway, caller=certificate, token=people.token(agent=agent)) == expected


def test_nobody_is_told_how_to_be_somebody(gateway):
    answer, record = told(gateway)
    assert (answer.status, answer.header("www-authenticate")) == (401, "Bearer")
    assert record["decision"]["reason"] == "missing_proof"
    assert messages(answer)[0]["error"]["code"] == -31000


@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize("how", ["behind the gate", "no rule for the route", "no filter"])
def test_a_token_that_jwt_authn_has_not_seen_yet_is_nobodys(started, people, how, expired):
    def change(made):
        verifies = made.http_filter("envoy.filters.http.jwt_authn")
        if how == "no rule for the route":
            elsewhere = {"match": {"prefix": "/elsewhere"}, "requires": {"provider_name": "issuer"}}
            verifies["typed_config"]["rules"] = [elsewhere]
            return
        made.hcm["http_filters"].remove(verifies)
        if how == "behind the gate":
            made.hcm["http_filters"].insert(1, verifies)

    with started(change=change) as gateway:
        token = people.token(exp=1_700_000_000) if expired else people.token()
        assert reason(gateway, token=token) == NOBODY


@pytest.mark.parametrize("written", ["jwt_payload", "failed"])
def test_what_envoy_lets_pass_unverified_is_nobodys(started, people, written):
    def change(made):
        made.jwt_authn["providers"]["issuer"]["failed_status_in_metadata"] = written

    with started(change=change) as gateway:
        assert reason(gateway, token=people.token(exp=1_700_000_000)) == NOBODY
        assert reason(gateway, token=people.token()) == ALLOWED


def accepting(made, identity):
    """Certificates are asked for, and accepted as they are."""
    tls = made.listeners[0]["filter_chains"][0]["transport_socket"]["typed_config"]
    tls["require_client_certificate"] = False
    validation = tls["common_tls_context"]["validation_context"]
    validation["trust_chain_verification"] = "ACCEPT_UNTRUSTED"
    del validation["match_typed_subject_alt_names"]
    made.gate(identity=identity)


def test_a_bound_token_is_worth_something_only_beside_the_certificate_it_is_bound_to(started, people):
    identity = {"any_of": [["jwt"], ["mtls"]], "jwt": JWT, "mtls": MTLS}
    with started(change=lambda made: accepting(made, identity)) as gateway:
        for bound_to, certificate, expected in [
            (None, None, ALLOWED),
            ("assistant", "assistant", ALLOWED),
            ("assistant", "planner", MISMATCH),
            ("assistant", None, MISMATCH),
        ]:
            claims = {"cnf": bound(people.certificate(bound_to))} if bound_to else {}
            found = reason(gateway, caller=certificate, token=people.token(**claims))
            assert found == expected, (bound_to, certificate)


def test_a_certificate_that_envoy_has_not_verified_beside_a_token_is_a_mismatch(started, people, tmp_path):
    own = type(people)(tmp_path)  # another authority
    identity = {"any_of": [["mtls", "jwt"]], "jwt": JWT, "mtls": MTLS}
    with started(change=lambda made: accepting(made, identity)) as gateway:
        stranger = people.tls(None)
        stranger.load_cert_chain(own.certificate("assistant"))
        _, record = told(gateway, tls=stranger, token=people.token())
        assert record["decision"]["reason"] == "identity_mismatch"
        assert record["decision"]["mismatch"] == "unverified_certificate"
        assert reason(gateway, tls=stranger) == (401, "unverified_certificate")
        assert reason(gateway, caller=None, token=people.token()) == NOBODY
        assert reason(gateway, token=people.token()) == ALLOWED


def test_who_acted_before_is_a_reason_to_refuse_and_never_one_to_allow(started, people):
    rules = [
        {"deny": {"actors": ["researcher"]}},
        {"allow": {"agents": ["assistant"], "callees": ["*"], "operations": ["GetTask"]}},
        {"allow": {"agents": ["planner"]}},
    ]

    def token(agent, *before):
        act = None
        for name in reversed([agent, *before]):
            act = {"sub": spiffe(name)} | ({"act": act} if act else {})
        return people.token(act=act)

    with started(rules) as gateway:
        for agent, before, allowed in [
            ("planner", [], True),
            ("planner", ["billing"], True),
            ("planner", ["billing", "researcher"], False),
            ("assistant", [], False),
            ("assistant", ["planner"], False),
        ]:
            answer, record = told(gateway, caller=agent, token=token(agent, *before))
            assert (answer.status == 200) == allowed, (agent, before)
            assert (record["subject"]["agent"], record.get("chain", [])) == (agent, before)


def test_a_caller_is_on_the_tier_that_is_proven_or_written_and_never_on_more_than_is_known(started, people):
    rules = [{"allow": {"tiers": ["gold"]}}]
    tier_of = {"users": {ADA: "gold", "carl": "gold"}, "agents": {"planner": "silver"}}
    tiers = {"tiers": ["free", "silver", "gold"], "tier_of": tier_of}
    with started(rules, lambda made: made.gate(**tiers)) as gateway:
        for user, agent, tier, expected in [
            (ADA, "assistant", "gold", "gold"),
            (BOB, "assistant", "free", "free"),
            (ADA, "assistant", "platinum", "free"),
            (ADA, "assistant", None, "gold"),
            ("carl", "assistant", None, "gold"),
            (ADA, "planner", None, "silver"),
            (BOB, "assistant", None, "free"),
            (BOB, "planner", None, "free"),
        ]:
            answer, record = told(gateway, caller=agent, token=people.token(user, agent, tier=tier))
            assert record["subject"]["tier"] == expected, (user, agent, tier)
            assert (answer.status == 200) == (expected == "gold")


def test_an_agent_that_would_resume_its_session_is_still_itself(gateway, people):
    tls = client_tls(people.authority, people.certificate("assistant"), Resuming)
    for _ in range(3):
        assert reason(gateway, tls=tls, token=people.token()) == ALLOWED
