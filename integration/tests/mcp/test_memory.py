"""What requests leave in memory: nothing that grows with their number."""

from harness import Envoy
from harness.mcp import McpGateway, crowd

WARM, MORE = 8_000, 16_000
# A quarter of a kilobyte of each request would be too much. Tables that fill take less, and heaps come and go by less.
GROWTH = MORE * 256


def test_many_agents_sessions_and_arguments_leave_nothing_behind(tmp_path):
    with Envoy(crowd.server()) as server:
        change = lambda bootstrap: (bootstrap.point("crm", server.port), bootstrap.gate(**crowd.parts()))  # noqa: E731
        with McpGateway(tmp_path, change, {"concurrency": 2}, who=None) as gateway:
            crowd.visit(gateway.envoy.port, WARM)
            before = gateway.envoy.resident
            crowd.visit(gateway.envoy.port, MORE, first=WARM)
            grown = gateway.envoy.resident - before
            assert grown < GROWTH, f"{grown / MORE:.0f} bytes a request"
