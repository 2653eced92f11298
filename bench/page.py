"""The page: tables of medians, ratios taken within rounds, and whether the goal is met."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import a2a_exchanges
import a2a_gateways
import mcp_exchanges
import mcp_gateways
from exchanges import answer, stream
from gateways import Gateway
from harness.envoy import default_binary
from measure import BUSY_CONNECTIONS, PACED_CONNECTIONS, Sample

# CPU time per request of ours, as a multiple of these: 1 KB plain, calls of a tool, and messages.
GOALS = {"bare": 1.5, "empty filter": 1.3}
MCP_GOALS = {"bare": 1.5}
# Of agents, also of an Envoy that knows who calls, as ours does.
AGENT_GOALS = {"bare": 1.5, "verifying": 1.5}
# What the benchmark itself is of a load average: load generator, gateway, upstream.
OWN_LOAD = 4


@dataclass(frozen=True)
class Results:
    """All that was measured."""

    gateways: list[Gateway]
    # By case, then by gateway: one sample per round.
    samples: dict[str, dict[str, list[Sample]]]
    # Seconds from start to ready, bytes at most held, by gateway; and the wasm modules of those that have one.
    starts: dict[str, list[float]]
    memory: dict[str, int]
    modules: dict[str, Path]


def render(results: dict[str, Results]) -> str:
    """`RESULTS.md`."""
    rounds = len(next(iter(next(iter(next(iter(results.values())).samples.values())).values())))
    sections = "\n".join(SECTIONS[name](side) for name, side in results.items())
    return f"""\
# What the gateways cost

`make bench` measures this and writes this page: {rounds} rounds, each taking every kind of exchange through every
gateway in turn, one Envoy worker each, in front of the same upstream (an Envoy that answers by itself,
`bench/upstream.yaml`). Figures are medians of the rounds; ratios and differences are taken within each round, ratios
with the least and the greatest in brackets. Every answer must be whole, with status 200, or the run fails.

CPU time is user and system time of the gateway's whole process, in µs per request. **Busy**: {BUSY_CONNECTIONS} connections, each
sending its next request when its answer is complete ({PACED_CONNECTIONS} where the answer comes in pieces, which takes a second). **One at
a time**: a single connection; the worker sleeps and wakes for every request, in every gateway alike. Latency is from a
request's first byte to its answer's last, one at a time: bare, and what each of the others adds, in µs.

{machine()}

{sections}"""


def _llm(results: Results) -> str:
    plain, streamed = answer(), stream()
    events = streamed.count(b"\n\n")
    return f"""\
# The AI gateway

{_of(results, GOALS, 1)}

Chat requests of that many bytes. The plain answer has {len(plain) / 1e3:.1f} KB, the streamed one {events} events in
{len(streamed) / 1e3:.0f} KB; streamed answers arrive at once, but for the last row: there, 2 KB every 63 ms.
Translated: the client speaks Anthropic Messages, the upstream OpenAI Chat Completions.
"""


def _mcp(results: Results) -> str:
    listed = mcp_exchanges.answers()["list"][1]
    return f"""\
# The MCP gateway

{_of(results, MCP_GOALS, 2)}

Calls are of revision 2026-07-28, in a session of {mcp_exchanges.REVISION}. A small result has {len(mcp_exchanges.prose(300))} characters of text; the
list has {len(listed) / 1e3:.0f} KB, of which every tool is decided upon. The last of {len(mcp_gateways.RULES)} rules allows the call.
"""


def _agent(results: Results) -> str:
    whole, streamed = (len(a2a_exchanges.answers()[name][1]) / 1e3 for name in ("whole", "streamed"))
    return f"""\
# The agent gateway

{_of(results, AGENT_GOALS, 2)}

Messages of 300 characters, JSON-RPC of A2A 1.0, from an agent that shows a certificate and a token (ES256) for its user;
connections stay open. The task in the answer has {whole:.1f} KB, the {a2a_exchanges.EVENTS} events {streamed:.1f} KB; streamed answers arrive at once. The
last of {len(a2a_gateways.RULES)} rules allows the message. One that follows from another brings the ticket that its sender was given.
"""


SECTIONS = {"llm": _llm, "mcp": _mcp, "agent": _agent}


def _of(results: Results, goals: dict[str, float], cases: int) -> str:
    gateways = "\n".join(f"- **{each.name}**: {each.what}" for each in results.gateways)
    return f"""\
{gateways}

## The goal: CPU time per request

{_goal(results, goals, cases)}

## CPU time, busy

{_cpu(results, lambda sample: sample.busy_cpu)}

## CPU time, one at a time

{_cpu(results, lambda sample: sample.quiet_cpu)}

## Latency

{_latency(results)}

## Memory, size, start

{_footprint(results)}

## What is sent"""


def _goal(results: Results, goals: dict[str, float], cases: int) -> str:
    """Of the first cases."""
    rows = []
    for case, samples in list(results.samples.items())[:cases]:
        for name, goal in goals.items():
            busy, quiet = (_ratios(samples["ours"], samples[name], cpu) for cpu in (_busy, _quiet))
            met = "met" if median(busy) <= goal and median(quiet) <= goal else "not met"
            rows.append([case, name, f"at most {goal}", spread(busy), spread(quiet), met])
    return table(["", "ours, as a multiple of", "goal", "busy", "one at a time", ""], rows)


def _cpu(results: Results, cpu: Callable[[Sample], float | None]) -> str:
    others = [each.name for each in results.gateways if each.name != "ours"]
    rows = []
    for case, samples in results.samples.items():
        if cpu(samples["ours"][0]) is None:
            continue
        medians = [f"{median(map(cpu, samples[name])):.0f}" for name in [*others, "ours"]]
        ratios = [spread(_ratios(samples["ours"], samples[name], cpu)) for name in others]
        rows.append([case, *medians, *ratios])
    return table(["", *others, "ours", *(f"ours / {name}" for name in others)], rows)


def _latency(results: Results) -> str:
    others = [each.name for each in results.gateways if each.name != "bare"]
    rows = []
    for case, samples in results.samples.items():
        if samples["bare"][0].p50 is None:
            continue
        row = [case]
        for quantile in (lambda sample: sample.p50, lambda sample: sample.p99):
            row.append(f"{median(map(quantile, samples['bare'])):.0f}")
            for name in others:
                pairs = zip(samples[name], samples["bare"], strict=True)
                added = median(quantile(one) - quantile(bare) for one, bare in pairs)
                row.append(f"{added:+.0f}")
        rows.append(row)
    return table(["", *(f"{quantile} {name}" for quantile in ("p50", "p99") for name in ("bare", *others))], rows)


def _footprint(results: Results) -> str:
    rows = []
    for name, starts in results.starts.items():
        module = results.modules.get(name)
        size = f"{module.stat().st_size / 1e3:.0f}" if module else ""
        ready = f"{median(starts) * 1e3:.0f} ({min(starts) * 1e3:.0f}–{max(starts) * 1e3:.0f})"
        rows.append([name, f"{results.memory[name] / 1e6:.0f}", size, ready])
    return table(["", "peak memory, MB", "module, KB", "start to ready, ms"], rows)


def machine() -> str:
    """What it was measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = f"{os.cpu_count()} x {model[1] if model else platform.machine()}"
    load = Path("/proc/loadavg").read_text().split()[0]
    envoy = _version(str(default_binary()), r"/(\d+\.\d+\.\d+)/")
    rust = _version("rustc", r"rustc (\S+)")
    system = f"Linux {platform.release()}, load average {load} at the end"
    others = " Others used it at the same time: trust ratios of busy gateways, and no times." if float(load) > OWN_LOAD else ""
    return f"Machine: {cpu}, {system}. Envoy {envoy}, Rust {rust}.{others}"


def _version(program: str, pattern: str) -> str:
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(pattern, said)[1]


def _busy(sample: Sample) -> float:
    return sample.busy_cpu


def _quiet(sample: Sample) -> float:
    return sample.quiet_cpu


def _ratios(ours: list[Sample], others: list[Sample], of: Callable[[Sample], float]) -> list[float]:
    """One per round."""
    return [of(one) / of(other) for one, other in zip(ours, others, strict=True)]


def spread(values: Iterable[float]) -> str:
    """The median, with the least and the greatest."""
    values = list(values)
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows in Markdown."""
    aligned = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, aligned, *rows])
