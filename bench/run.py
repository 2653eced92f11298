"""`make bench`: what the filter costs beside bare Envoy, measured in one run, written to `bench/RESULTS.md`.

A round takes every case through every gateway, one after the other, and figures are compared only within their round:
whatever else the machine does then weighs on all of them alike. Imports the test harness: run it with
`PYTHONPATH=integration`, as `make bench` does.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from exchanges import cases
from gateways import Gateway, gateways, upstream
from harness import Envoy
from harness.bootstrap import ROOT, wasm_module
from measure import Loader, Sample, peak_memory
from page import Results, render

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def main() -> None:
    """Measures and writes the page."""
    arguments = _arguments()
    rounds, starts, seconds = (2, 1, 0.15) if arguments.quick else (arguments.rounds, 5, 0.4)
    noop, binary, ours = built("wasm32-wasip1/release/bench_noop.wasm"), built("release/bench-load"), wasm_module()
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-bench-")))
        provider = running.enter_context(Envoy(upstream()))
        compared = gateways(directory, provider.port, noop, ours)
        start_times = measure_starts(compared, starts)
        envoys = {each.name: running.enter_context(Envoy(each.config)) for each in compared}
        for gateway in compared:
            check(gateway, envoys[gateway.name])
        samples = measure(compared, envoys, Loader(binary, directory, seconds), rounds)
        memory = {name: peak_memory(envoy.pid) for name, envoy in envoys.items()}
    text = render(Results(compared, samples, start_times, memory, {"empty filter": noop, "ours": ours}))
    if arguments.quick:
        print(text)
    else:
        arguments.output.write_text(text)
        say(f"wrote {arguments.output}")


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


def check(gateway: Gateway, envoy: Envoy) -> None:
    """What is measured does what it is measured for."""
    quick = [case for case in cases() if not case.paced]
    for case in quick:
        url = f"http://127.0.0.1:{envoy.port}{case.path}"
        request = urllib.request.Request(url, case.body, case.headers | gateway.headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read()
        # How a stream ends, in either format; and what no whole answer lacks.
        ends = (b"[DONE]", b"message_stop") if case.streamed else (b'"usage"',)
        if not any(end in answer for end in ends):
            raise SystemExit(f"{gateway.name}, {case.name}: answered {answer[-200:]!r}")
    if gateway.name == "ours" and not all(record["cost"]["nano_usd"] for record in envoy.wait_records(len(quick))):
        raise SystemExit("ours: a record without cost")


def measure(
    compared: list[Gateway], envoys: dict[str, Envoy], loader: Loader, rounds: int
) -> dict[str, dict[str, list[Sample]]]:
    """By case, then by gateway: one sample per round."""
    samples = {case.name: {gateway.name: [] for gateway in compared} for case in cases()}
    for number in range(rounds):
        for case in cases():
            say(f"round {number + 1} of {rounds}: {case.name}")
            for gateway in compared:
                samples[case.name][gateway.name].append(loader.sample(gateway, envoys[gateway.name], case))
    return samples


def say(line: str) -> None:
    """Progress, apart from the result."""
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it works: few short rounds, the page to stdout")
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
