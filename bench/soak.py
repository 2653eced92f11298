"""`make soak`: a million requests through one Envoy with limits and the cache, a hundred thousand each through one with the MCP
gateway and one with the agent gateway, and how much memory it holds as they go by; and what limits cost per request. Written to `bench/SOAK.md`. Imports the
test harness, as `bench/run.py` does.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from exchanges import MODEL, Case, cases
from gateways import Gateway, upstream
from harness import Bootstrap, Envoy, teams
from harness.a2a import AgentBootstrap, AgentGateway, People
from harness.a2a import crowd as agents
from harness.bootstrap import wasm_module
from harness.mcp import McpBootstrap, McpGateway, crowd
from measure import BUSY_CONNECTIONS, Loader, Sample
from page import machine, spread, table
from run import built, say
from statistics import median

HERE = Path(__file__).resolve().parent
WORKERS = 2
# For one kind of a tenth.
SOAK_SECONDS = 600
ROUNDS = 8
# Of the first tenth, what Envoy and V8 take to get going; after it, what may still come and go in a heap.
FLAT_MB = 8
LIMITS = [
    {"name": "month", "per": ["team"], "usd": 10_000_000, "every": "month"},
    {"name": "tokens", "per": ["key", "model"], "tokens": 10**15, "every": "day"},
    {"name": "rate", "per": ["key"], "requests": 10**9, "every": "minute", "burst": 10**9},
    {"name": "provider", "per": ["provider"], "usd": 10_000_000, "every": "hour"},
]


def main() -> None:
    """Runs it and writes the page."""
    arguments = _arguments()
    total, seconds = (20_000, 0.15) if arguments.quick else (arguments.requests, 0.4)
    calls = 5_000 if arguments.quick else arguments.calls
    loader_binary = built("release/bench-load")
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-soak-")))
        provider = running.enter_context(Envoy(upstream()))
        limited = gateway(directory / "limited", provider.port, "limits and cache", LIMITS)
        plain = gateway(directory / "plain", provider.port, "neither", [])
        samples = cost(limited, plain, Loader(loader_binary, directory, seconds), 2 if arguments.quick else ROUNDS)
        held = soak(limited, Loader(loader_binary, directory, SOAK_SECONDS), total)
        held_by_mcp = soak_mcp(directory / "mcp", calls)
        held_by_agents = soak_agents(directory / "agents", calls)
    text = render(held, held_by_mcp, held_by_agents, samples)
    if arguments.quick:
        print(text)
    else:
        arguments.output.write_text(text)
        say(f"wrote {arguments.output}")


def gateway(directory: Path, port: int, name: str, limits: list[dict]) -> Gateway:
    """The shipped one with these limits; with any, the cache too."""
    directory.mkdir()
    credentials = {"openai": "Bearer sk-bench", "anthropic": "sk-ant-bench"}
    bootstrap = Bootstrap(directory, {"openai": port, "anthropic": port}, credentials, wasm=wasm_module())
    # A million records are 1.3 GB, and not what is measured.
    for log in bootstrap.hcm["access_log"]:
        log["typed_config"]["path"] = "/dev/null"
    models = bootstrap.gate_config["models"]
    if limits:
        models[MODEL]["cache"] = {"ttl": 3600}
    bootstrap.gate(keys=[teams.key("support", ["*"])], limits=limits, models=models)
    return Gateway(name, "", bootstrap.config)


def cost(limited: Gateway, plain: Gateway, loader: Loader, rounds: int) -> dict[str, list[Sample]]:
    """What a plain request costs with limits and without, round by round. What is asked is not cached: its temperature is not 0."""
    samples: dict[str, list[Sample]] = {each.name: [] for each in (limited, plain)}
    with Envoy(limited.config) as with_limits, Envoy(plain.config) as without:
        for number in range(rounds):
            say(f"cost, round {number + 1} of {rounds}")
            for each, envoy in ((limited, with_limits), (plain, without)):
                samples[each.name].append(loader.sample(each, envoy, cases()[0]))
    return samples


def soak(limited: Gateway, loader: Loader, total: int) -> list[tuple[int, float]]:
    """Sends `total` requests of all kinds; megabytes that Envoy holds after each tenth of them."""
    kinds = [case for case in cases() if not case.paced and "100" not in case.name]
    repeated = replace(kinds[0], name="again", body=kinds[0].body.replace(b'"temperature": 0.2', b'"temperature": 0'))
    held = []
    with Envoy(limited.config, concurrency=WORKERS) as envoy:
        for tenth in range(1, 11):
            for case in [*kinds, repeated]:
                requests = total // 10 // (len(kinds) + 1)
                answered = loader.load(limited, envoy, case, BUSY_CONNECTIONS, requests)["count"]
                if answered != requests:
                    raise SystemExit(f"{case.name}: {answered} of {requests} answered in {SOAK_SECONDS} s")
            held.append((total * tenth // 10, envoy.resident / 1e6))
            say(f"{held[-1][0]:>9,} requests: {held[-1][1]:.1f} MB")
    return held


def soak_mcp(directory: Path, total: int) -> list[tuple[int, float]]:
    """The same of a crowd of agents that uses MCP."""
    directory.mkdir()
    with Envoy(crowd.server()) as server:

        def change(bootstrap: McpBootstrap) -> None:
            bootstrap.point("crm", server.port)
            bootstrap.gate(**crowd.parts())

        with McpGateway(directory, change, {"concurrency": WORKERS}, who=None) as gateway:
            return visited(gateway.envoy, total, lambda count, first: crowd.visit(gateway.envoy.port, count, first))


def soak_agents(directory: Path, total: int) -> list[tuple[int, float]]:
    """The same of a crowd of agents that call another one."""
    directory.mkdir()
    people = People(directory)
    with Envoy(agents.agent()) as agent:

        def change(bootstrap: AgentBootstrap) -> None:
            bootstrap.point("planner", agent.port)
            bootstrap.gate(**agents.parts())

        with AgentGateway(directory, people, change, {"concurrency": WORKERS}) as gateway:
            port = gateway.envoy.port
            return visited(gateway.envoy, total, lambda count, first: agents.visit(port, people, count, first))


def visited(envoy: Envoy, total: int, visit: Callable[[int, int], None]) -> list[tuple[int, float]]:
    """Megabytes that Envoy holds after each tenth of so many requests."""
    held = []
    for tenth in range(1, 11):
        visit(total // 10, total // 10 * tenth)
        held.append((total * tenth // 10, envoy.resident / 1e6))
        say(f"{held[-1][0]:>9,} requests: {held[-1][1]:.1f} MB")
    return held


def render(
    held: list[tuple[int, float]],
    held_by_mcp: list[tuple[int, float]],
    held_by_agents: list[tuple[int, float]],
    samples: dict[str, list[Sample]],
) -> str:
    """`SOAK.md`."""
    limited, plain = (samples[name] for name in ("limits and cache", "neither"))
    ratio = [one.busy_cpu / other.busy_cpu for one, other in zip(limited, plain, strict=True)]
    costs = [
        [name, f"{median(sample.busy_cpu for sample in of):.0f}", f"{median(sample.p50 for sample in of):.0f}"]
        for name, of in samples.items()
    ]
    return f"""\
# A million requests, a hundred thousand of MCP and as many between agents, and what limits cost

`make soak` measures this and writes this page: `envoy/llm.yaml` with {WORKERS} workers, four limits (dollars per team, tokens per key and
model, a rate per key, dollars per provider) and the cache; requests of all kinds, plain, streamed, translated and cached.

{machine()}

## Memory of the AI gateway

{_memory(held)}

## Memory of the MCP gateway

`envoy/mcp.yaml` with {WORKERS} workers, {len(crowd.LIMITS)} limits (calls per agent and tool, calls per session, bytes of results per team, calls at
the same time per user) and guards against agents that lost their way, before a server that answers at once. {crowd.AGENTS} agents; every
{crowd.REQUESTS} requests have other arguments and another session: a list, calls that succeed and that fail, one that a rule denies, one
that somebody else must approve, one that is no JSON, a session that is opened, used and ended, and one that nobody has.

{_memory(held_by_mcp)}

What still grows are the counters of sessions: each has one for an hour, and their number has a bound (docs/limits.md). Without the
limit per session nothing grows.

## Memory of the agent gateway

`envoy/agent.yaml` with {WORKERS} workers, {len(agents.LIMITS)} limits (requests per edge, messages per user and skill, bytes of answers per agent,
streams per edge), before an agent that answers at once. {agents.AGENTS} agents call it, for {agents.USERS} users; every {agents.REQUESTS} requests say
other things, and each answer is of another task and context: messages in both versions and over HTTP+JSON, a stream, tasks that are
asked for and cancelled, a ticket that is forged, a call that a rule denies, one that is no JSON.

{_memory(held_by_agents)}

## What four limits cost

CPU time of a plain request of 1 KB and what its client waits, in µs: medians of {len(limited)} rounds, in turn.

{table(["", "CPU, busy", "wait, one at a time"], costs)}

Ratio of the CPU time, round by round: {spread(ratio)}.
"""


def _memory(held: list[tuple[int, float]]) -> str:
    grown, total = held[-1][1] - held[0][1], held[-1][0]
    return f"""\
{table(["requests", "Envoy holds, MB"], [[f"{count:,}", f"{mb:.1f}"] for count, mb in held])}

From the first tenth to the last of {total:,} it grew by {grown:.1f} MB. Goal: at most {FLAT_MB}: {"met" if grown <= FLAT_MB else "not met"}."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it works: few requests, the page to stdout")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=100_000, help="requests to each of the other gateways")
    parser.add_argument("--output", type=Path, default=HERE / "SOAK.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
