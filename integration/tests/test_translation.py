"""What another format has no place for is named, or refused; never lost in silence."""

import json

from harness.gateway import PATHS, ask
from providers import faults


def post(gateway, body):
    return gateway.send("POST", PATHS["anthropic"], gateway.headers(), json.dumps(body))


def test_what_is_left_out_is_named_to_the_client_and_in_the_record(gateway):
    answer = post(gateway, ask("anthropic", "gpt-4o-mini", top_k=5))
    assert answer.status == 200 and answer.header("x-tollgate-dropped") == "top_k"
    assert gateway.record()["attempts"][0]["dropped"] == ["top_k"]


def test_the_same_format_leaves_nothing_out(gateway):
    answer = post(gateway, ask("anthropic", "claude-alone"))
    assert answer.status == 200 and answer.header("x-tollgate-dropped") is None
    assert "dropped" not in gateway.record()["attempts"][0]


# It is at Anthropic, and nowhere else.
DOCUMENT = {"type": "document", "source": {"type": "file", "file_id": "file_011CNha8iCJcU1wXNR6q4V8w"}}
ABOUT_A_DOCUMENT = [{"role": "user", "content": [DOCUMENT, {"type": "text", "text": "What is it about?"}]}]


def test_a_question_about_a_document_is_not_asked_without_it(gateway):
    answer = post(gateway, ask("anthropic", "gpt-4o-mini") | {"messages": ABOUT_A_DOCUMENT})
    assert answer.status == 400 and "messages[0].content[0]" in answer.error["message"]
    assert not gateway.openai.requests


def test_when_only_the_next_provider_cannot_take_it_the_client_may_try_again(gateway):
    gateway.anthropic.then(faults.Status(503))
    answer = post(gateway, ask("anthropic", "claude-sonnet") | {"messages": ABOUT_A_DOCUMENT})
    assert answer.status == 503 and "try again" in answer.error["message"]
    outcomes = [(attempt["outcome"], attempt["reason"]) for attempt in gateway.record()["attempts"]]
    assert outcomes == [("failed", "overloaded"), ("rejected", "not_carried")]
    assert not gateway.openai.requests
