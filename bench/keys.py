"""`make bench-keys`: what 10,000 virtual keys cost beside 10, when they are loaded and per request, written to
`bench/KEYS.md`.

Loading is told from everything else that a start takes by starting with few workers and with many: what one worker more
takes is its VM and its own reading of the configuration. Imports the test harness, as `bench/run.py` does.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from exchanges import Case, cases
from gateways import Gateway, upstream
from harness import Bootstrap, Envoy
from harness.bootstrap import wasm_module
from measure import Loader, Sample, cpu_seconds, peak_memory
from page import machine, spread, table
from run import built, say

HERE = Path(__file__).resolve().parent
FEW, MANY = 10, 10_000
WORKERS = (1, 9)
# Milliseconds of CPU time that a worker may take to load `MANY`.
GOAL = 200


@dataclass(frozen=True)
class Loaded:
    """One round of starts: milliseconds of CPU time that a worker more takes, by the number of keys."""

    per_worker: dict[int, float]


def main() -> None:
    """Measures and writes the page."""
    arguments = _arguments()
    rounds, seconds = (2, 0.15) if arguments.quick else (arguments.rounds, 0.6)
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-bench-")))
        provider = running.enter_context(Envoy(upstream()))
        gateways = {count: gateway(directory / str(count), provider.port, count) for count in (FEW, MANY)}
        loads = [load(gateways, number, rounds) for number in range(rounds)]
        loader = Loader(built("release/bench-load"), directory, seconds)
        envoys = {count: running.enter_context(Envoy(each.config)) for count, each in gateways.items()}
        samples = {count: [] for count in gateways}
        for number in range(rounds):
            say(f"requests, round {number + 1} of {rounds}")
            for count, each in gateways.items():
                samples[count].append(loader.sample(each, envoys[count], plain()))
        memory = {count: peak_memory(envoy.pid) for count, envoy in envoys.items()}
    text = render(loads, samples, memory)
    if arguments.quick:
        print(text)
    else:
        arguments.output.write_text(text)
        say(f"wrote {arguments.output}")


def plain() -> Case:
    """The smallest exchange, in which a key weighs most."""
    return cases()[0]


def key(number: int) -> str:
    """One of the keys."""
    return f"tg_key-{number}_0123456789abcdef0123456789abcdef"


def gateway(directory: Path, port: int, count: int) -> Gateway:
    """The shipped one with so many keys; the client shows one from their middle."""
    directory.mkdir()
    credentials = {"openai": "Bearer sk-bench", "anthropic": "sk-ant-bench"}
    bootstrap = Bootstrap(directory, {"openai": port, "anthropic": port}, credentials, wasm=wasm_module())
    bootstrap.gate(
        keys=[
            {
                "id": f"key-{number}",
                "sha256": [hashlib.sha256(key(number).encode()).hexdigest()],
                "subject": {"team": f"team-{number % 50}", "user": f"user-{number}@example.org", "environment": "production"},
                "models": ["claude-sonnet", "gpt-4o-mini"],
                "expires": "2099-01-01T00:00:00Z",
            }
            for number in range(count)
        ]
    )
    headers = {"authorization": f"Bearer {key(count // 2)}"}
    return Gateway(f"{count:,} keys", "", bootstrap.config, headers)


def load(gateways: dict[int, Gateway], number: int, rounds: int) -> Loaded:
    """Starts each with few workers and with many."""
    say(f"starts, round {number + 1} of {rounds}")
    few, many = WORKERS
    taken = {(count, workers): start(gateways[count], workers) for workers in WORKERS for count in gateways}
    per_worker = {count: (taken[count, many] - taken[count, few]) / (many - few) * 1e3 for count in gateways}
    return Loaded(per_worker)


def start(gateway: Gateway, workers: int) -> float:
    """Seconds of CPU time from the start until it is ready."""
    with Envoy(gateway.config, concurrency=workers) as envoy:
        return cpu_seconds(envoy.pid)


def render(loads: list[Loaded], samples: dict[int, list[Sample]], memory: dict[int, int]) -> str:
    """`KEYS.md`."""
    per_worker = {count: [each.per_worker[count] for each in loads] for count in (FEW, MANY)}
    taken = [each.per_worker[MANY] for each in loads]
    met = "met" if median(taken) <= GOAL else "not met"
    loading = [[f"{count:,} keys", spread(per_worker[count]), f"{memory[count] / 1e6:.0f}"] for count in (FEW, MANY)]
    return f"""\
# What {MANY:,} virtual keys cost

`make bench-keys` measures this and writes this page: `envoy/llm.yaml` with {FEW} keys and with {MANY:,}, {len(loads)} rounds of each in
turn. Each key has a hash, a subject of three fields, two models and an expiry. Medians; the least and the greatest in brackets.

{machine()}

## Loading

CPU time that each further worker takes from the start until Envoy is ready (its VM, and reading the configuration), in ms:
the difference between starts with {WORKERS[1]} workers and with {WORKERS[0]}, divided by {WORKERS[1] - WORKERS[0]}.

{table(["", "a worker, ms", "peak memory with one worker, MB"], loading)}

Goal: a worker loads {MANY:,} keys in at most {GOAL} ms: {met}.

## Per request

CPU time per request, 1 KB plain, with a key from the middle, in µs.

{table(["", f"{FEW} keys", f"{MANY:,} keys", "ratio"], [
    _ratio("busy", samples, lambda sample: sample.busy_cpu),
    _ratio("one at a time", samples, lambda sample: sample.quiet_cpu),
])}
"""


def _ratio(name: str, samples: dict[int, list[Sample]], of: Callable[[Sample], float]) -> list[str]:
    few, many = ([of(sample) for sample in samples[count]] for count in (FEW, MANY))
    ratios = [one / other for one, other in zip(many, few, strict=True)]
    return [name, f"{median(few):.0f}", f"{median(many):.0f}", spread(ratios)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it works: few short rounds, the page to stdout")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--output", type=Path, default=HERE / "KEYS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
