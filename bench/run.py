"""`make bench`: what the filter costs beside bare Envoy, measured in one run, written to `bench/RESULTS.md`.

A round takes every case through every gateway, one after the other, and figures are compared only within their round:
what else the machine does then weighs on all of them alike.
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

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "integration"))

from exchanges import Case, answer, cases, stream
from gateways import Gateway, gateways, upstream
from harness import Envoy
from harness.bootstrap import ROOT, wasm_module
from measure import Loader, Sample, peak_memory
from report import Results, page

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def main() -> None:
    """Measures and writes the page."""
    arguments = _arguments()
    rounds, starts, seconds = (2, 1, 0.2) if arguments.quick else (arguments.rounds, 5, 0.5)
    noop = _built("wasm32-wasip1/release/bench_noop.wasm")
    binary, ours = _built("release/bench-load"), wasm_module()
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-bench-")))
        provider = running.enter_context(Envoy(upstream()))
        compared = gateways(directory, provider.port, noop, ours)
        load_times = start(compared, starts)
        envoys = {each.name: running.enter_context(Envoy(each.config)) for each in compared}
        for gateway in compared:
            check(gateway, envoys[gateway.name])
        samples = measure(compared, envoys, Loader(binary, directory, seconds), rounds)
        memory = {name: peak_memory(envoy.pid) for name, envoy in envoys.items()}
    results = Results(compared, samples, load_times, memory, {"empty filter": noop, "ours": ours})
    text = page(results)
    if arguments.quick:
        print(text)
    else:
        arguments.output.write_text(text)
        say(f"wrote {arguments.output}")


def start(compared: list[Gateway], times: int) -> dict[str, list[float]]:
    """How long each takes from start to ready, in seconds."""
    seconds: dict[str, list[float]] = {each.name: [] for each in compared}
    for number in range(times):
        say(f"start {number + 1} of {times}")
        for gateway in compared:
            began = time.monotonic()
            with Envoy(gateway.config):
                seconds[gateway.name].append(time.monotonic() - began)
    return seconds


def check(gateway: Gateway, envoy: Envoy) -> None:
    """Before a gateway is measured, it does what it is measured for."""
    every = [case for case in cases() if not case.paced]
    for case in every:
        url = f"http://127.0.0.1:{envoy.port}{case.path}"
        request = urllib.request.Request(url, case.body, case.headers | gateway.headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            got = response.read()
        # The last event of a stream in either format; what ends no answer that is an error.
        complete = (b"[DONE]", b"message_stop") if case.streamed else (b'"usage"',)
        assert any(end in got for end in complete), f"{gateway.name}, {case.name}: {got[-200:]!r}"
    if gateway.name == "ours":
        for record in envoy.wait_records(len(every)):
            assert record["cost"]["nano_usd"] > 0, record


def measure(
    compared: list[Gateway], envoys: dict[str, Envoy], loader: Loader, rounds: int
) -> dict[str, dict[str, list[Sample]]]:
    """Samples by case and gateway, one per round."""
    samples: dict[str, dict[str, list[Sample]]] = {}
    for number in range(rounds):
        for case in cases():
            say(f"round {number + 1} of {rounds}: {case.name}")
            of_case = samples.setdefault(case.name, {each.name: [] for each in compared})
            for gateway in compared:
                envoy = envoys[gateway.name]
                of_case[gateway.name].append(loader.sample(envoy.pid, envoy.port, case, gateway.headers))
    return samples


def say(line: str) -> None:
    """Progress, apart from the result."""
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it works: few short rounds, page to stdout")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    return parser.parse_args()


def _built(name: str) -> Path:
    path = TARGET / name
    if not path.exists():
        raise SystemExit(f"no {path}: run `make bench`, which builds it")
    return path


if __name__ == "__main__":
    main()
