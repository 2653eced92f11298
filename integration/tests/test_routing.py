"""Which provider is asked, how often, and under load."""

from concurrent.futures import ThreadPoolExecutor

from harness import teams
from providers import faults


def test_a_target_that_is_named_twice_is_tried_twice(start):
    twice = {"claude-sonnet": {"targets": [teams.CLAUDE, teams.CLAUDE, teams.GPT]}}
    gateway = start(models=teams.MODELS | twice)
    gateway.anthropic.then(faults.Status(503))
    gateway.sdk("openai").ask("claude-sonnet")
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "served"]
    assert len(gateway.anthropic.requests) == 2 and not gateway.openai.requests


def test_an_outage_is_survived_by_many_requests_at_once(start):
    """Envoy's own default lets three retries run at a time, and fails the others."""
    gateway = start()
    gateway.anthropic.always(faults.Status(503))
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: gateway.sdk("openai").ask("claude-sonnet").text, range(128)))
    assert len(set(answers)) == 1
    providers = [[attempt["provider"] for attempt in record["attempts"]] for record in gateway.envoy.wait_records(128)]
    assert providers == [["anthropic", "openai"]] * 128


def test_routes_match_the_header_that_the_gate_sets(start):
    """A model's `route` picks among Envoy's routes; a client's own header does not."""

    def own_route_for_slow_models(bootstrap):
        models = teams.MODELS | {"gpt-4o": {"targets": [teams.GPT], "route": "slow"}}
        bootstrap.gate(models=models)
        routes = bootstrap.hcm["route_config"]["virtual_hosts"][0]["routes"]
        slow = {"name": "x-tollgate-route", "string_match": {"exact": "slow"}}
        routes.insert(0, {"match": {"prefix": "/", "headers": [slow]}, "direct_response": {"status": 521}})

    gateway = start(own_route_for_slow_models, models=None)
    assert gateway.post("openai", "gpt-4o").status == 521
    assert gateway.post("openai", "gpt-4o-mini", headers=[("x-tollgate-route", "slow")]).status == 200
