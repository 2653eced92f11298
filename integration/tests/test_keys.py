"""A key decides who asks and what they get: each refusal is an error of the client's own API, and goes no further."""

import json

import pytest

from harness import ask, teams
from harness.gateway import PATHS

KEY = teams.KEYS["support"]
PLACES = [("authorization", f"Bearer {KEY}"), ("x-api-key", KEY), ("api-key", KEY), ("x-goog-api-key", KEY)]
JSON = ("content-type", "application/json")


def assert_refused(gateway, client, answer, status, reason):
    """An error object of the client's API, a record of it, and nothing at a provider."""
    assert answer.status == status
    assert answer.header("content-type") == "application/json"
    assert answer.error["message"] and answer.error["type"]
    if client == "anthropic":
        assert answer.json["type"] == "error"
    else:
        assert answer.error.keys() == {"message", "type", "param", "code"}
        assert answer.error["code"] == reason
    assert not gateway.openai.requests and not gateway.anthropic.requests
    record = gateway.record()
    assert (record["decision"]["verdict"], record["decision"]["reason"]) == ("deny", reason)
    assert record["attempts"] == [] and record["answer"]["end"] == "refused"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
def test_a_key_is_found_in_each_place_that_sdks_use(gateway, client, place):
    answer = gateway.send("POST", PATHS[client], [place, JSON], json.dumps(ask(client, "gpt-4o-mini")))
    assert answer.status == 200
    assert gateway.record()["subject"]["key"] == "support"


def test_the_same_key_in_two_places_is_one_key(gateway, client):
    answer = gateway.send("POST", PATHS[client], [*PLACES[:2], JSON], json.dumps(ask(client, "gpt-4o-mini")))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "missing_key"),
        ([("authorization", "Bearer ")], "unknown_key"),
        ([("authorization", "Bearer tg_support_notthesecret")], "unknown_key"),
        ([("authorization", "Bearer tg_nobody_3q8vK0cJw7Rz5mXa")], "unknown_key"),
        ([("authorization", f"Basic {KEY}")], "unknown_key"),
        ([("authorization", f"Bearer {KEY[:-1]}")], "unknown_key"),
        ([("authorization", f"Bearer {KEY}x")], "unknown_key"),
        ([("x-api-key", "sk-ant-some-real-looking-key")], "unknown_key"),
        ([("authorization", f"Bearer {teams.KEYS['expired']}")], "expired_key"),
        ([("authorization", f"Bearer {teams.KEYS['early']}")], "key_not_yet_valid"),
        ([("authorization", f"Bearer {teams.KEYS['disabled']}")], "disabled_key"),
        ([PLACES[0], ("x-api-key", teams.KEYS["research"])], "several_keys"),
        # Envoy makes one header of two, with a comma between.
        ([PLACES[0], ("authorization", f"Bearer {teams.KEYS['research']}")], "unknown_key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_without_a_good_key_nothing_is_served(gateway, client, headers, reason):
    answer = gateway.send("POST", PATHS[client], [*headers, JSON], json.dumps(ask(client, "gpt-4o-mini")))
    assert_refused(gateway, client, answer, 401, reason)


def test_a_model_that_the_key_may_not_use_is_refused(gateway, client):
    answer = gateway.post(client, "claude-sonnet", team="finance")
    assert_refused(gateway, client, answer, 403, "model_not_allowed")


def test_an_unknown_model_is_not_found(gateway, client):
    assert_refused(gateway, client, gateway.post(client, "gpt-9"), 404, "model_not_found")


def test_a_key_that_may_use_all_models_does_not_make_new_ones(gateway, client):
    # What the provider calls it is not what it is called here.
    assert_refused(gateway, client, gateway.post(client, "claude-sonnet-5-5"), 404, "model_not_found")


def test_only_post_is_served(gateway, client):
    answer = gateway.send("GET", PATHS[client], gateway.headers())
    assert_refused(gateway, client, answer, 405, "method_not_allowed")
    assert answer.header("allow") == "POST"


@pytest.mark.parametrize("path", ["/", "/v1/completions", "/v1/chat/completions/", "/v1/../v1/embeddings", "/V1/messages"])
def test_an_unknown_path_is_not_found(gateway, path):
    answer = gateway.send("POST", path, gateway.headers(), "{}")
    assert_refused(gateway, "openai", answer, 404, "unknown_path")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": "gpt-4o-mini"} trailing',
        b'{"messages": []}',
        b'{"model": 7}',
        b'{"model": ""}',
        b'{"model": "gpt-4o-mini", "model": "claude-sonnet"}',
        b'{"Model": "gpt-4o-mini", "model": "gpt-4o-mini"}',
        b'{"model": "gpt-4o-mini", "messages": "\xff"}',
    ],
    ids=repr,
)
def test_a_body_that_is_not_a_request_is_refused_before_any_provider(gateway, client, body):
    answer = gateway.send("POST", PATHS[client], gateway.headers(), body)
    assert_refused(gateway, client, answer, 400, "invalid_request")


def test_the_path_says_which_format_a_request_has_whatever_its_headers_say(gateway):
    headers = gateway.headers(more=[("anthropic-version", "2023-06-01")])
    answer = gateway.send("POST", PATHS["openai"], headers, json.dumps(ask("openai", "gpt-4o-mini")))
    assert answer.status == 200 and answer.json["object"] == "chat.completion"
    assert gateway.record()["asked"]["format"] == "openai-chat"


def test_a_body_that_is_not_json_is_refused(gateway, client):
    headers = [PLACES[0], ("content-type", "text/plain")]
    answer = gateway.send("POST", PATHS[client], headers, json.dumps(ask(client, "gpt-4o-mini")))
    assert_refused(gateway, client, answer, 415, "unsupported_content_type")


def test_a_refusal_never_shows_the_key(gateway, client):
    answer = gateway.send("POST", PATHS[client], [("authorization", "Bearer tg_support_myVerySecretOne"), JSON], "{}")
    assert b"myVerySecretOne" not in answer.body
