"""Foreign readers of JSON, as servers have them: what each makes of the same bytes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import from_json

from ..bootstrap import ROOT
from ..process import ServerFailed
from .node import script
from .rust import built

SECONDS = 30


@dataclass(frozen=True)
class Read:
    """What a server acts on. A member that is not there is None."""

    id: object
    method: object
    name: object
    arguments: object


def readings(bodies: list[bytes]) -> dict[str, list[Read | None]]:
    """What each reader, by its name, makes of each body; None where it is no JSON to it."""
    return {name: reader(bodies) for name, reader in READERS.items()}


def _in_process(parse: Callable[[bytes], object]) -> Callable[[list[bytes]], list[Read | None]]:
    def read(body: bytes) -> Read | None:
        try:
            parsed = parse(body)
        except (ValueError, RecursionError):
            return None
        of = parsed if isinstance(parsed, dict) else {}
        params = of.get("params") if isinstance(of.get("params"), dict) else {}
        return Read(of.get("id"), of.get("method"), params.get("name"), params.get("arguments"))

    return lambda bodies: [read(body) for body in bodies]


def _told(command: Callable[[], list[str]]) -> Callable[[list[bytes]], list[Read | None]]:
    def read(bodies: list[bytes]) -> list[Read | None]:
        lines = "".join(base64.b64encode(body).decode() + "\n" for body in bodies)
        ended = subprocess.run(command(), input=lines, capture_output=True, text=True, timeout=SECONDS, check=False)
        told = [json.loads(line) for line in ended.stdout.split("\n")[:-1]]  # a text may have other line ends in it
        if ended.returncode != 0 or len(told) != len(bodies):
            raise ServerFailed(f"{command()[-1]}: {len(told)} of {len(bodies)}\n{ended.stderr[-4000:]}")
        return [None if one is None else Read(*(one.get(key) for key in Read.__match_args__)) for one in told]

    return read


def _go() -> list[str]:
    path = Path(os.environ.get("TOLLGATE_GO_READER", ROOT / ".tools/go-reader/reader"))
    if not path.exists():
        raise ServerFailed(f"no {path}: run `make test-mcp`, or set TOLLGATE_GO_READER")
    return [str(path)]


# Python's own, the one of the Python SDK, and those of Node, Go and Rust.
READERS: dict[str, Callable[[list[bytes]], list[Read | None]]] = {
    "python": _in_process(json.loads),
    "pydantic": _in_process(lambda body: from_json(body, allow_inf_nan=False)),
    "node": _told(lambda: script("reader.cjs")),
    "go": _told(_go),
    "rust": _told(lambda: [built("mcp-reader")]),
}
