"""What calls between agents leave in memory: nothing that grows with their number."""

from harness import Envoy
from harness.a2a import AgentGateway, crowd

WARM, MORE = 8_000, 16_000
# A quarter of a kilobyte of each request would be too much. Tables that fill take less, and heaps come and go by less.
GROWTH = MORE * 256


def test_many_agents_users_and_tasks_leave_nothing_behind(people, tmp_path):
    with Envoy(crowd.agent()) as agent:
        change = lambda bootstrap: (bootstrap.point("planner", agent.port), bootstrap.gate(**crowd.parts()))  # noqa: E731
        with AgentGateway(tmp_path, people, change, {"concurrency": 2}) as gateway:
            crowd.visit(gateway.envoy.port, people, WARM)
            before = gateway.envoy.resident
            crowd.visit(gateway.envoy.port, people, MORE, first=WARM)
            grown = gateway.envoy.resident - before
            assert grown < GROWTH, f"{grown / MORE:.0f} bytes a request"
            records = gateway.envoy.records()[:40]
    stream = next(one for one in records if one["asked"].get("a2a.operation") == "SendStreamingMessage")
    assert stream["answer"]["payloads"] == 2, "they are read"
