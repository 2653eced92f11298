"""`make bench`: what the filters cost beside bare Envoy, measured in one run, written to `bench/RESULTS.md`.

A round takes every case through every gateway, one after the other, and figures are compared only within their round:
whatever else the machine does then weighs on all of them alike. Imports the test harness: run it with
`PYTHONPATH=integration`, as `make bench` does.
"""

from __future__ import annotations

import argparse
import http.client
import os
import ssl
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import a2a_exchanges
import a2a_gateways
import gateways
import mcp_exchanges
import mcp_gateways
from exchanges import Case, cases
from gateways import Gateway
from harness import Envoy
from harness.bootstrap import ROOT, wasm_module
from measure import Loader, Sample, peak_memory
from page import Results, render

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


@dataclass(frozen=True)
class Side:
    """One of the three: its gateways by a function of directory, upstream's port, the empty filter and ours."""

    filter: str
    upstream: dict
    compared: Callable[[Path, int, Path, Path], list[Gateway]]
    # What is sent through a gateway that runs.
    cases: Callable[[Gateway, Envoy], list[Case]]
    # Of a record of ours: whether everything was done that is measured.
    is_whole: Callable[[dict], bool]


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    starts: int
    seconds: float


SIDES = {
    "llm": Side(
        "llm", gateways.upstream(), gateways.compared, lambda *_: cases(), lambda record: record["cost"]["nano_usd"] > 0
    ),
    "mcp": Side(
        "mcp",
        mcp_gateways.upstream(),
        mcp_gateways.compared,
        lambda gateway, envoy: [mcp_exchanges.within(case, session(gateway, envoy)) for case in mcp_exchanges.cases()],
        lambda record: record["decision"]["verdict"] == "allow" and record["answer"]["end"] == "complete",
    ),
    "agent": Side(
        "agent",
        a2a_gateways.upstream(),
        a2a_gateways.compared,
        lambda gateway, envoy: calls(gateway, envoy),
        lambda record: record["answer"].get("state") == "completed" and record["hop"] == 1 + (record["ticket"] == "valid"),
    ),
}


def main() -> None:
    """Measures and writes the page."""
    arguments = _arguments()
    extent = Extent(2, 1, 0.15) if arguments.quick else Extent(arguments.rounds, 5, 0.4)
    results = {name: measured(SIDES[name], extent) for name in arguments.only or SIDES}
    text = render(results)
    if arguments.quick or arguments.only:
        print(text)
    else:
        arguments.output.write_text(text)
        say(f"wrote {arguments.output}")


def measured(side: Side, extent: Extent) -> Results:
    """All of one side."""
    noop, ours = built("wasm32-wasip1/release/bench_noop.wasm"), wasm_module(side.filter)
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-bench-")))
        provider = running.enter_context(Envoy(side.upstream))
        compared = side.compared(directory, provider.port, noop, ours)
        starts = measure_starts(compared, extent.starts)
        envoys = {each.name: running.enter_context(Envoy(each.config)) for each in compared}
        sent = {each.name: side.cases(each, envoys[each.name]) for each in compared}
        for gateway in compared:
            check(gateway, envoys[gateway.name], sent[gateway.name], side)
        samples = measure(compared, envoys, sent, Loader(built("release/bench-load"), directory, extent.seconds), extent.rounds)
        memory = {name: peak_memory(envoy.pid) for name, envoy in envoys.items()}
    return Results(compared, samples, starts, memory, {"empty filter": noop, "ours": ours})


def measure_starts(compared: list[Gateway], times: int) -> dict[str, list[float]]:
    """How long each takes from its start until it is ready, in seconds."""
    seconds: dict[str, list[float]] = {each.name: [] for each in compared}
    for number in range(times):
        say(f"start {number + 1} of {times}")
        for gateway in compared:
            began = time.monotonic()
            with Envoy(gateway.config):
                seconds[gateway.name].append(time.monotonic() - began)
    return seconds


def check(gateway: Gateway, envoy: Envoy, sent: list[Case], side: Side) -> None:
    """What is measured does what it is measured for."""
    before = len(envoy.records()) if gateway.name == "ours" else 0
    quick = [case for case in sent if not case.paced]
    for case in quick:
        with ask(gateway, envoy, case) as response:
            answer = response.read()
        if not any(end in answer for end in case.ends):
            raise SystemExit(f"{gateway.name}, {case.name}: answered {answer[-200:]!r}")
    if gateway.name == "ours":
        records = envoy.wait_records(before + len(quick))[before:]
        if not all(map(side.is_whole, records)):
            raise SystemExit(f"ours: a record that tells less than it should: {records}")


def ask(gateway: Gateway, envoy: Envoy, case: Case) -> http.client.HTTPResponse:
    """Sends one, not to be measured."""
    url = f"{'https' if case.tls else 'http'}://127.0.0.1:{envoy.port}{case.path}"
    context = ssl.create_default_context(cafile=case.tls["authority"]) if case.tls else None
    if context:
        context.load_cert_chain(case.tls["certificate"])
    request = urllib.request.Request(url, case.body, case.headers | gateway.headers)
    return urllib.request.urlopen(request, timeout=10, context=context)


def session(gateway: Gateway, envoy: Envoy) -> str:
    """Opens a session."""
    with ask(gateway, envoy, mcp_exchanges.opening()) as response:
        return response.headers["mcp-session-id"]


def calls(gateway: Gateway, envoy: Envoy) -> list[Case]:
    """Messages to agents, with the ticket that the agent which sends one was given."""
    with ask(gateway, envoy, a2a_exchanges.opening(gateway.people)) as response:
        ticket = response.headers.get(a2a_exchanges.GIVEN, "")
    return [a2a_exchanges.following(case, ticket) for case in a2a_exchanges.cases(gateway.people)]


def measure(
    compared: list[Gateway], envoys: dict[str, Envoy], sent: dict[str, list[Case]], loader: Loader, rounds: int
) -> dict[str, dict[str, list[Sample]]]:
    """By case, then by gateway: one sample per round."""
    names = [case.name for case in sent[compared[0].name]]
    samples = {name: {gateway.name: [] for gateway in compared} for name in names}
    for number in range(rounds):
        for index, name in enumerate(names):
            say(f"round {number + 1} of {rounds}: {name}")
            for gateway in compared:
                case = sent[gateway.name][index]
                samples[name][gateway.name].append(loader.sample(gateway, envoys[gateway.name], case))
    return samples


def say(line: str) -> None:
    """Progress, apart from the result."""
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it works: few short rounds, the page to stdout")
    parser.add_argument("--only", choices=SIDES, action="append", help="one of the three, to stdout")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    return parser.parse_args()


def built(name: str) -> Path:
    """What `make` has built."""
    path = TARGET / name
    if not path.exists():
        raise SystemExit(f"no {path}: run `make bench`, which builds it")
    return path


if __name__ == "__main__":
    main()
