"""Nobody overspends: what is reserved before a request and settled after it, over all workers of an Envoy."""

from __future__ import annotations

import json
import time
from fractions import Fraction

import pytest

from harness import ask, everyone, teams
from harness.envoy import eventually
from harness.gateway import at_once
from harness.money import NANO, nano_usd
from providers import Usage, faults

MINI = teams.GPT_4O_MINI
MONTH = {"name": "month", "per": ["team"], "every": "month"}
WORKERS = 4


def limited(*limits, **gate):
    """Changes a bootstrap so that these limits count."""
    return lambda bootstrap: bootstrap.gate(limits=list(limits), **gate)


def reserved(client, price, max_tokens, text="hello there", **more):
    """What is reserved for a request before anything was learned: four bytes are a token (docs/limits.md)."""
    size = len(json.dumps(ask(client, "gpt-4o-mini", text, max_tokens=max_tokens, **more)))
    tokens = -(-size // 4)
    dearest = max(price["input"], price.get("cache_write_5m", 0), price.get("cache_write_1h", 0))
    dollars = (tokens * Fraction(str(dearest)) + max_tokens * Fraction(str(price["output"]))) / 1_000_000
    return round(dollars * NANO)


@pytest.fixture(params=[False, True], ids=["plain", "streamed"])
def stream(request):
    return request.param


def test_of_64_requests_at_once_a_budget_with_room_for_ten_lets_exactly_ten_through(start, stream):
    budget = Fraction(10 * reserved("openai", MINI, 1000, **({"stream": True} if stream else {})), NANO)
    gateway = start(limited(MONTH | {"usd": float(budget)}), concurrency=WORKERS)
    gateway.openai.always(faults.Delay(1.5))
    more = {"max_tokens": 1000} | ({"stream": True} if stream else {})
    answers = at_once(64, lambda: gateway.post("openai", "gpt-4o-mini", **more))
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 54
    assert len(gateway.openai.requests) == 10
    # What they had reserved and not used is there again.
    gateway.openai.reset()
    assert gateway.post("openai", "gpt-4o-mini", **more).status == 200
    records = gateway.records(65)
    (held,) = {entry["reserved"] for record in records for entry in record["limits"] if entry["verdict"] == "allowed"}
    assert held == budget * NANO / 10
    for record in records:
        (entry,) = record["limits"]
        assert (entry["limit"], entry["unit"]) == ("limits.month", "nano_usd")
        assert entry["used"] == record["cost"]["nano_usd"]


def test_a_refusal_says_which_limit_and_when_it_resets_in_the_clients_own_words(start, any_client):
    client = any_client
    gateway = start(limited({"name": "daily", "per": ["team"], "requests": 1, "every": "day"}))
    assert gateway.post(client, "gpt-4o-mini").status == 200
    answer = gateway.post(client, "gpt-4o-mini")
    assert answer.status == 429
    seconds = int(answer.header("retry-after"))
    midnight = 86_400 - time.time() % 86_400
    assert abs(seconds - midnight) < 5
    assert answer.header("x-should-retry") == "false"
    assert "`daily`" in json.dumps(answer.json) and str(seconds) in json.dumps(answer.json)
    record = gateway.records(2)[1]
    assert record["decision"] == {"verdict": "deny", "rule": "limits.daily", "reason": "limit_exceeded"}
    assert record["answer"]["end"] == "refused" and record["attempts"] == []
    assert [(entry["verdict"], entry["used"]) for entry in record["limits"]] == [("refused", 0)]


@pytest.fixture(params=["openai", "responses", "anthropic", "gemini", "bedrock"])
def any_client(request):
    return request.param


def test_of_several_limits_all_must_pass_and_one_that_refuses_charges_none(start):
    gateway = start(
        limited(
            {"name": "all", "requests": 4, "every": "day"},
            {"name": "each", "per": ["team"], "requests": 2, "every": "day"},
            {"name": "small", "match": {"model": ["gpt-4o-mini"]}, "per": ["team"], "tokens": 1_000_000, "every": "day"},
        )
    )
    statuses = [gateway.post("openai", "gpt-4o-mini", team="support", max_tokens=10).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    # The refused took nothing of what all share.
    statuses = [gateway.post("openai", "gpt-4o-mini", team="finance", max_tokens=10).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    records = gateway.records(7)
    assert [entry["verdict"] for entry in records[0]["limits"]] == ["allowed"] * 3
    assert records[2]["decision"]["rule"] == "limits.each"
    assert {entry["used"] for entry in records[2]["limits"]} == {0}
    assert records[6]["decision"]["rule"] == "limits.all"


def test_a_candidate_whose_limit_is_used_up_is_left_out_and_429_comes_only_when_none_is_left(start):
    gateway = start(
        limited(
            {"name": "claude", "match": {"provider": ["anthropic"]}, "requests": 1, "every": "day"},
            {"name": "gpt", "match": {"provider": ["openai"]}, "requests": 1, "every": "hour"},
        )
    )
    answers = [gateway.post("openai", "claude-sonnet") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.header("x-tollgate-provider") for answer in answers[:2]] == ["anthropic", "openai"]
    assert int(answers[2].header("retry-after")) <= 3600, "the one that comes back first"
    assert [len(provider.requests) for provider in (gateway.anthropic, gateway.openai)] == [1, 1]


def test_a_limit_of_a_provider_counts_attempts_at_that_provider_and_no_others(start):
    gateway = start(
        limited(
            {"name": "per-provider", "per": ["provider"], "requests": 3, "every": "day"},
            {"name": "spent", "per": ["provider"], "usd": 100, "every": "day"},
        )
    )
    gateway.anthropic.then(faults.Status(503))
    for _ in range(2):
        assert gateway.post("openai", "claude-sonnet", max_tokens=100).status == 200
    failed_over, served = gateway.records(2)
    used = {(entry["limit"], entry["unit"]): [] for entry in served["limits"]}
    for record in (failed_over, served):
        for entry in record["limits"]:
            used[entry["limit"], entry["unit"]].append(entry["used"])
    assert used["limits.per-provider", "requests"] == [1, 1, 1, 0]
    costs = [attempt["cost_nano_usd"] for attempt in failed_over["attempts"]]
    assert used["limits.spent", "nano_usd"] == [*costs, served["attempts"][0]["cost_nano_usd"], 0]


def test_an_aborted_stream_is_charged_the_whole_input_and_what_came(start):
    gateway = start(limited(MONTH | {"usd": 100}))
    gateway.openai.always(faults.Delay(0.05, before="each_event"))
    with gateway.stream("openai", "gpt-4o-mini", "word " * 100, max_tokens=500) as stream:
        next(stream.chunks())
    record = gateway.record()
    (entry,) = record["limits"]
    assert record["answer"]["end"] == "client_gone"
    assert entry["used"] == record["cost"]["nano_usd"] > nano_usd(Usage(input=100), MINI)
    assert entry["used"] < entry["reserved"]


def test_of_a_stream_left_before_its_first_word_what_may_have_been_thought_is_charged(start):
    gateway = start(limited({"name": "tokens", "tokens": 1_000_000, "every": "day"}))
    gateway.openai.always(faults.Delay(5))
    with gateway.unanswered("openai", "gpt-4o-mini", stream=True, max_tokens=5000):
        assert eventually(lambda: gateway.openai.requests, 3)
        time.sleep(1)
    record = gateway.record()
    (entry,) = record["limits"]
    assert record["answer"]["end"] == "client_gone"
    assert 500 <= entry["used"] <= 500 * (record["answer"]["ms"] / 1000 + 0.1) < entry["reserved"]


def test_of_what_the_provider_adds_to_a_request_the_most_is_reserved_and_charged_when_nobody_can_say(start):
    models = {"gpt": {"targets": [teams.target("openai-responses", "gpt-4o", teams.GPT_4O)]}}
    of_everyone = {"bootstrap": everyone.bootstrap, "servers": everyone.servers, "keys": [teams.key("support", ["*"])]}
    gateway = start(limited(MONTH | {"usd": 100}), models=models, **of_everyone)
    gateway.servers["openai-responses"].always(faults.Delay(0.05, before="each_event"))
    with gateway.stream("responses", "gpt", "go on", max_output_tokens=500, conversation="conv_1") as stream:
        next(stream.chunks())
    (entry,) = gateway.record()["limits"]
    assert entry["used"] == entry["reserved"] > nano_usd(Usage(input=200_000), teams.GPT_4O)


def test_an_attempt_that_may_have_worked_unseen_is_charged_what_was_reserved_for_it(start):
    gateway = start(limited(MONTH | {"usd": 100}))
    gateway.openai.then(faults.Reset())
    answer = gateway.post("openai", "gpt-4o-mini", max_tokens=1000)
    assert answer.status >= 500
    (entry,) = gateway.record()["limits"]
    assert gateway.record()["attempts"][0]["certainty"] == "missing"
    assert entry["used"] == entry["reserved"] == reserved("openai", MINI, 1000)


def test_a_request_whose_answer_nothing_bounds_must_say_how_long_it_may_be(start):
    models = teams.MODELS | {"in-house": {"targets": [teams.MINI]}}

    def change(bootstrap):
        bootstrap.gate(limits=[MONTH | {"usd": 100}])
        # Of a host that the price table does not know, it knows no model.
        bootstrap.gate_config["providers"]["openai"]["host"] = "llm.internal"

    gateway = start(change, models=models)
    answer = gateway.post("openai", "in-house")
    assert (answer.status, answer.error["code"]) == (400, "unbounded_output")
    assert "set the most output tokens" in answer.error["message"]
    assert gateway.post("openai", "in-house", max_tokens=10).status == 200
    assert "models.claude-sonnet.targets[1], models.gpt-4o.targets[0], models.gpt-4o-mini.targets[0], and" in gateway.envoy.log()


def test_a_model_without_a_price_serves_nothing_for_which_a_limit_of_dollars_counts(start):
    models = teams.MODELS | {"in-house": {"targets": [{"provider": "openai", "model": "in-house"}]}}
    gateway = start(limited({"name": "x", "match": {"team": ["support"]}, "usd": 1, "every": "hour"}), models=models)
    answer = gateway.post("openai", "in-house", max_tokens=10)
    assert (answer.status, answer.error["code"]) == (403, "unpriced_model")
    assert gateway.post("openai", "in-house", team="finance", max_tokens=10).status == 403
    assert "models.in-house.targets[0]: has no price" in gateway.envoy.log()


def test_shadow_refuses_nobody_and_says_whom_it_would_have(start):
    gateway = start(limited({"name": "try", "requests": 1, "every": "day", "mode": "shadow"}))
    assert [gateway.post("openai", "gpt-4o-mini").status for _ in range(3)] == [200] * 3
    verdicts = [record["limits"][0]["verdict"] for record in gateway.records(3)]
    assert verdicts == ["allowed", "would_refuse", "would_refuse"]
    series = {labels["outcome"]: value for labels, value in gateway.envoy.metrics("tollgate_limits_total")}
    assert series == {"allowed": 1, "would_refuse": 2}


def test_a_rate_lets_a_burst_through_and_then_its_rate(start):
    gateway = start(limited({"name": "rate", "per": ["team"], "requests": 120, "every": "minute", "burst": 5}))
    began = time.monotonic()
    answers = at_once(12, lambda: gateway.post("openai", "gpt-4o-mini"))
    took = time.monotonic() - began
    served = [answer.status for answer in answers].count(200)
    assert 5 <= served <= 5 + 2 * took + 1
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.header("retry-after") == "1" and refused.header("x-should-retry") is None
    time.sleep(0.6)
    assert gateway.post("openai", "gpt-4o-mini").status == 200


def test_sdks_wait_for_a_rate_by_themselves_and_do_not_wait_for_next_month(start):
    gateway = start(
        limited(
            {"name": "rate", "match": {"team": ["support"]}, "requests": 60, "every": "minute", "burst": 1},
            {"name": "month", "match": {"team": ["research"]}, "requests": 1, "every": "month"},
        )
    )
    openai = gateway.sdk("openai", "support")
    openai.sdk.max_retries = 3
    assert openai.ask("gpt-4o").text and openai.ask("gpt-4o").text
    research = gateway.sdk("openai", "research")
    research.sdk.max_retries = 3
    assert research.ask("gpt-4o").text
    began = time.monotonic()
    with pytest.raises(Exception, match="month"):
        research.ask("gpt-4o")
    assert time.monotonic() - began < 5
    assert [record["answer"]["status"] for record in gateway.records(5)].count(429) == 2


def test_the_keys_own_limits_count_for_that_key_alone(start):
    own = [{"name": "own", "requests": 1, "every": "day"}]
    keys = [teams.key("support", ["*"], limits=own), teams.key("finance", ["*"])]
    gateway = start(keys=keys)
    assert [gateway.post("openai", "gpt-4o-mini").status for _ in range(2)] == [200, 429]
    assert [gateway.post("openai", "gpt-4o-mini", team="finance").status for _ in range(2)] == [200, 200]
    assert gateway.records(4)[1]["decision"]["rule"] == "keys.support.limits.own"


def test_clients_are_told_how_their_limits_stand_where_that_is_configured(start):
    month = MONTH | {"usd": 100}
    day = {"name": "day", "requests": 10, "every": "day"}
    gateway = start(limited(month, day, ratelimit_headers=True))
    answer = gateway.post("openai", "gpt-4o-mini", max_tokens=1000)
    policy, standing = answer.header("ratelimit-policy"), answer.header("ratelimit")
    assert policy == '"month";q=100000000;w=2592000;qu="micro-usd", "day";q=10;w=86400;qu="requests"'
    left = dict(part.split(";t=")[0].split(";r=") for part in standing.split(", "))
    assert left == {'"month"': str((100 * NANO - reserved("openai", MINI, 1000)) // 1000), '"day"': "9"}
    for _ in range(9):
        gateway.post("openai", "gpt-4o-mini", max_tokens=1000)
    assert '"day";r=0;t=' in gateway.post("openai", "gpt-4o-mini", max_tokens=1000).header("ratelimit")


def test_what_is_reserved_for_a_request_that_never_ends_lapses(start):
    need = reserved("openai", MINI, 1000)
    gateway = start(
        lambda bootstrap: bootstrap.gate(
            limits=[MONTH | {"usd": 1.5 * need / NANO}], bounds={"reservation_s": 2}
        )
    )
    gateway.openai.then(faults.Delay(8))
    with gateway.unanswered("openai", "gpt-4o-mini", max_tokens=1000):
        assert eventually(lambda: gateway.openai.requests, 3)
        assert gateway.post("openai", "gpt-4o-mini", max_tokens=1000).status == 429
        assert eventually(lambda: gateway.post("openai", "gpt-4o-mini", max_tokens=1000).status == 200, 6)


def test_a_window_that_outlives_the_process_is_warned_of_when_it_is_loaded(start):
    gateway = start(limited(MONTH | {"usd": 100}, {"name": "rate", "requests": 9, "every": "hour"}))
    (line,) = {line.split("] ")[-1] for line in gateway.envoy.log().splitlines() if "is forgotten when" in line}
    assert "limits.month: what was used is forgotten when this Envoy ends" in line and "rate:" not in line


def test_no_path_is_unlimited(start):
    embeddings = {"embeddings": {"targets": [teams.target("openai", "text-embedding-3-small", {"input": 0.02, "output": 0})]}}
    gateway = start(limited({"name": "day", "requests": 4, "every": "day"}), models=teams.MODELS | embeddings)
    asks = [
        ("/v1/chat/completions", ask("openai", "gpt-4o-mini")),
        ("/v1/messages", ask("anthropic", "claude-alone")),
        ("/v1/messages/count_tokens", ask("anthropic", "claude-alone")),
        ("/v1/embeddings", {"model": "embeddings", "input": "x"}),
    ]
    asks[2][1].pop("max_tokens")
    for expected in (200, 429):
        for where, body in asks:
            assert gateway.send("POST", where, gateway.headers(), json.dumps(body)).status == expected, where


TEXT = "A" * 400_000


def test_text_that_looks_like_a_picture_is_reserved_for_as_text(start):
    gateway = start(limited(MONTH | {"tokens": 10_000_000}))
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {"data": TEXT}}
    conversation = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "ok"}]},
    ]
    for where, body in [
        ("/v1/chat/completions", ask("openai", "gpt-4o-mini", f"x;base64,{TEXT}", max_tokens=1)),
        ("/v1/messages", {"model": "claude-alone", "max_tokens": 1, "messages": conversation}),
    ]:
        gateway.send("POST", where, gateway.headers(), json.dumps(body))
        (entry,) = gateway.record()["limits"]
        assert entry["reserved"] > len(TEXT) / 4, where
        gateway.fresh()


def pictures(count):
    """A question about so many pictures that are somewhere else."""
    address = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}
    return {"model": "gpt-4o-mini", "max_tokens": 1, "messages": [{"role": "user", "content": [address] * count}]}


def test_pictures_behind_an_address_are_reserved_for_too(start):
    gateway = start(limited(MONTH | {"tokens": 10_000_000}))
    for body in (json.dumps(pictures(10)), json.dumps(pictures(10)).replace("image_url", "\\u0069mage_url")):
        gateway.send("POST", "/v1/chat/completions", gateway.headers(), body)
        (entry,) = gateway.record()["limits"]
        assert entry["reserved"] > 10 * 1500
        gateway.fresh()


def test_the_pictures_of_one_team_make_no_other_teams_text_dearer(start):
    gateway = start(limited(MONTH | {"tokens": 10_000_000}))
    gateway.openai.answers("ok", usage=Usage(input=50_000, output=1))
    body = json.dumps(pictures(10))
    for _ in range(20):
        assert gateway.send("POST", "/v1/chat/completions", gateway.headers(), body).status == 200
    gateway.fresh()
    gateway.post("openai", "gpt-4o-mini", "x " * 500, max_tokens=1, team="finance")
    (entry,) = gateway.record()["limits"]
    assert entry["reserved"] < 300


def test_who_hangs_up_before_an_answer_in_one_piece_may_have_used_all_of_it(start):
    gateway = start(limited(MONTH | {"usd": 100}))
    gateway.openai.then(faults.Delay(5))
    with gateway.unanswered("openai", "gpt-4o-mini", max_tokens=1000):
        assert eventually(lambda: gateway.openai.requests, 3)
    (entry,) = gateway.record()["limits"]
    assert gateway.record()["attempts"][0]["outcome"] == "abandoned"
    assert entry["used"] == entry["reserved"] == reserved("openai", MINI, 1000)


@pytest.mark.parametrize(
    ("more", "usage"),
    [
        ({"max_tokens": 500}, Usage(input=10, output_audio=500)),
        ({"max_tokens": 500}, Usage(input_audio=10, output=500)),
        # Of what was predicted and did not come, the provider bills all.
        ({"max_tokens": 1, "prediction": {"type": "content", "content": "w " * 8000}}, Usage(input=10, output=4000)),
    ],
    ids=["audio", "heard", "predicted"],
)
def test_what_is_reserved_is_the_dearest_that_is_listed(start, more, usage):
    price = {"input": 2.5, "output": 10, "audio_input": 40, "audio_output": 80}
    models = {"gpt-4o-mini": {"targets": [teams.target("openai", "gpt-4o", price)]}}
    gateway = start(limited(MONTH | {"usd": 100}), models=models, keys=[teams.key("support", ["*"])])
    gateway.openai.answers("ok", usage=usage)
    assert gateway.post("openai", "gpt-4o-mini", **more).status == 200
    (entry,) = gateway.record()["limits"]
    assert 0 < entry["used"] <= entry["reserved"]


@pytest.mark.parametrize(
    "bound", ['"max_completion_\\u0074okens":1', '"max_completion_tokens":1,"max_tokens":null'], ids=["escaped", "null"]
)
def test_a_bound_is_one_to_a_server_that_knows_only_the_older_however_it_is_spelt(start, bound):
    def change(bootstrap):
        bootstrap.gate(limits=[MONTH | {"usd": 100}])
        bootstrap.gate_config["providers"]["openai"]["quirks"] = {"max_tokens": True}

    gateway = start(change)
    body = f'{{"model":"gpt-4o-mini",{bound},"messages":[{{"role":"user","content":"x"}}]}}'
    assert gateway.send("POST", "/v1/chat/completions", gateway.headers(), body).status == 200
    assert gateway.openai.requests[0].json["max_tokens"] == 1


def test_an_answer_of_the_gates_own_is_a_request(start):
    gateway = start(limited({"name": "day", "requests": 1, "every": "day"}))
    body = json.dumps(ask("anthropic", "gpt-4o-mini"))
    where = "/v1/messages/count_tokens"
    answers = [gateway.send("POST", where, gateway.headers(), body) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert gateway.records(2)[0]["limits"][0]["used"] == 1
