"""Every exchange leaves one truthful record, and every token is counted once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import teams
from harness.money import nano_usd
from providers import Usage, faults

USAGES = [
    Usage(input=1000, output=200),
    Usage(input=200, output=50, cache_read=800, reasoning=150),
    Usage(input=1, output=1),
    Usage(input=2_000_000, output=150_000),
]
CACHE_WRITES = [Usage(input=10, output=300, cache_read=5000, cache_write_5m=1000, cache_write_1h=2000)]

# model -> who serves it, at which price
SERVED = {"gpt-4o-mini": ("openai", teams.GPT_4O_MINI), "claude-alone": ("anthropic", teams.SONNET)}


@pytest.fixture(params=[False, True], ids=["plain", "streamed"])
def stream(request):
    return request.param


@pytest.mark.parametrize(
    ("model", "usage"), [(m, u) for m in SERVED for u in USAGES] + [("claude-alone", u) for u in CACHE_WRITES]
)
def test_the_cost_is_what_an_independent_calculation_says(gateway, client, model, usage, stream):
    provider, price = SERVED[model]
    getattr(gateway, provider).answers("ok", usage=usage)
    assert gateway.post(client, model, stream=stream).status == 200
    record = gateway.record()
    expected = nano_usd(usage, price)
    assert record["cost"] == {
        "nano_usd": expected,
        "usd": record["cost"]["usd"],
        "certainty": "exact",
        "price": "priced",
        "unpriced": False,
    }
    assert float(record["cost"]["usd"]) == pytest.approx(expected / 1e9, abs=1e-9)
    assert record["attempts"][0]["cost_nano_usd"] == expected


def test_a_served_exchange_says_who_what_where_and_how_long(gateway, client, stream):
    gateway.anthropic.then(faults.Delay(0.05))
    answer = gateway.post(client, "claude-alone", "one two three", stream=stream)
    record = gateway.record()
    assert record["filter"] == "llm" and record["time"].startswith("20") and record["id"]
    assert record["subject"] == {"key": "support", "team": "support", "feature": "chat", "environment": "test"}
    asked = record["asked"]
    assert (asked["model"], asked["stream"]) == ("claude-alone", stream) and asked["bytes"] > 50
    assert asked["format"] == {"openai": "openai-chat", "anthropic": "anthropic-messages"}[client]
    assert record["decision"]["verdict"] == "allow" and record["decision"]["rule"]
    (attempt,) = record["attempts"]
    assert (attempt["provider"], attempt["model"], attempt["status"]) == ("anthropic", "claude-sonnet-5-5", 200)
    assert (attempt["outcome"], attempt["certainty"]) == ("served", "exact")
    assert attempt["usage"]["input_fresh"] == 3 and attempt["usage"]["output_text"] == 5
    assert 40 <= attempt["ms"] < 5000
    assert record["answer"]["status"] == 200 and record["answer"]["end"] == "complete"
    assert record["answer"]["bytes"] == len(answer.body)
    assert 40 <= record["answer"]["time_to_first_token_ms"] <= record["answer"]["ms"] < 5000


def test_the_record_carries_the_trace_of_the_caller(gateway, client):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    gateway.post(client, "claude-alone", headers=[("traceparent", f"00-{trace}-00f067aa0ba902b7-01")])
    assert gateway.record()["trace"] == trace


def test_a_refused_exchange_says_why_and_costs_nothing(gateway, client):
    gateway.post(client, "claude-sonnet", team="finance")
    record = gateway.record()
    assert record["subject"]["team"] == "finance"
    assert record["decision"]["verdict"] == "deny" and record["decision"]["reason"] == "model_not_allowed"
    assert record["attempts"] == []
    assert (record["answer"]["status"], record["answer"]["end"]) == (403, "refused")
    assert record["cost"]["nano_usd"] == 0


def test_who_was_not_recognised_is_not_named(gateway, client):
    gateway.send("POST", "/v1/messages", [("authorization", "Bearer tg_support_wrong")], "{}")
    assert "subject" not in gateway.record()


def test_an_answer_that_failed_is_recorded_with_what_the_provider_said(gateway, client):
    gateway.openai.then(faults.Status(500))
    gateway.post(client, "gpt-4o-mini")
    record = gateway.record()
    (attempt,) = record["attempts"]
    assert (attempt["status"], attempt["outcome"]) == (500, "failed") and attempt["reason"]
    assert record["answer"]["end"] == "failed"


def test_a_plain_answer_that_the_provider_cuts_is_recorded(gateway, client):
    gateway.openai.then(faults.Cut(0))
    gateway.post(client, "gpt-4o-mini")
    record = gateway.record()
    assert record["attempts"][0]["outcome"] in ("failed", "cut") and record["answer"]["end"] in ("failed", "cut")


def test_a_model_without_a_price_is_an_alarm_not_free(start, client):
    models = {"gpt-4o-mini": {"targets": [{"provider": "openai", "model": "a-model-of-our-own"}]}}
    gateway = start(lambda bootstrap: bootstrap.gate(models=models, keys=[teams.key("support", ["*"])]))
    gateway.post(client, "gpt-4o-mini")
    record = gateway.record()
    assert record["cost"]["unpriced"] is True
    assert record["attempts"][0]["cost_nano_usd"] is None and record["attempts"][0]["usage"]["output_text"] == 4


def test_a_failed_attempt_that_was_billed_is_in_the_bill(gateway, client):
    # Anthropic says what it counted before it fails; the request's own cost is only OpenAI's.
    gateway.anthropic.then(faults.ErrorInStream("overloaded", after_events=1))
    gateway.post(client, "claude-sonnet", "one two three", stream=True)
    failed, served = gateway.record()["attempts"]
    assert failed["certainty"] != "exact" and served["certainty"] == "exact"
    total = gateway.record()["cost"]["nano_usd"]
    assert total == (failed["cost_nano_usd"] or 0) + served["cost_nano_usd"]


def test_two_workers_lose_nothing(start):
    gateway = start(concurrency=2)
    gateway.anthropic.always(faults.Status(503))

    def one(number: int) -> int:
        client = ("openai", "anthropic")[number % 2]
        team, model = [("support", "gpt-4o-mini"), ("research", "claude-sonnet"), ("finance", "claude-sonnet")][
            number % 3
        ]
        return gateway.post(client, model, team=team, stream=number % 4 == 0).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(200)))
    records = gateway.records(200)
    assert sorted(statuses) == sorted(record["answer"]["status"] for record in records)
    assert len({record["id"] for record in records}) == 200
    served = [record for record in records if record["answer"]["end"] == "complete"]
    assert len(served) == statuses.count(200) == len(gateway.openai.requests)
    assert total(gateway, "tollgate_llm_requests_total") == 200
    spent = sum(record["cost"]["nano_usd"] for record in records)
    assert total(gateway, "tollgate_llm_cost_nano_usd_total") == spent
    output = sum(
        attempt["usage"]["output_text"] for record in served for attempt in record["attempts"] if attempt["usage"]
    )
    assert total(gateway, "tollgate_llm_tokens_total", kind="output_text") == output


def test_counters_have_real_prometheus_labels(gateway, client):
    before = total(gateway, "tollgate_llm_requests_total", team="research", model="claude-sonnet")
    gateway.post(client, "claude-sonnet", team="research")
    gateway.record()
    assert total(gateway, "tollgate_llm_requests_total", team="research", model="claude-sonnet") == before + 1


def test_refusals_are_counted_by_reason(gateway, client):
    labels = {"team": "finance", "reason": "model_not_allowed"}
    before = total(gateway, "tollgate_llm_refusals_total", **labels)
    gateway.post(client, "claude-sonnet", team="finance")
    gateway.record()
    assert total(gateway, "tollgate_llm_refusals_total", **labels) == before + 1


def test_names_that_callers_invent_make_no_new_series(gateway, client):
    gateway.post(client, "gpt-9")
    before = gateway.envoy.prometheus().count("\n")
    for number in range(20):
        gateway.post(client, f"gpt-invented-{number}")
    assert "invented" not in gateway.envoy.prometheus()
    assert gateway.envoy.prometheus().count("\n") <= before + 2


def total(gateway, metric, **labels):
    """The sum of a metric's series that have these labels."""
    series = gateway.envoy.metrics(metric)
    return sum(value for found, value in series if labels.items() <= found.items())
