"""Plain text, coloured where someone looks at it."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WIDTH = 96
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _style(code: str) -> Callable[[str], str]:
    return lambda text: f"\033[{code}m{text}\033[0m" if COLOUR else text


bold, dim, red, green, yellow = _style("1"), _style("2"), _style("31"), _style("32"), _style("33")


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


def title(text: str) -> None:
    """A heading."""
    say(f"\n{bold(text)}\n{dim('─' * WIDTH)}")


@contextmanager
def step(text: str) -> Iterator[None]:
    """Something that takes a moment: says what, then how long it took."""
    print(f"  {text} ...", end="", flush=True)
    began = time.monotonic()
    yield
    say(f" {time.monotonic() - began:.1f} s")


def proven(happened: bool, what: str) -> None:
    """Says that something happened, after it was looked up."""
    ensure(happened, what)
    say(f"  {green('✓')} {what}")


def ensure(happened: bool, what: str) -> None:
    """The demo ends here if it did not."""
    if not happened:
        raise AssertionError(f"this did not happen: {what}")


def quoted(text: str) -> str:
    """Somebody's words, with room around."""
    return textwrap.fill(f"“{text}”", WIDTH, initial_indent="      ", subsequent_indent="       ", break_long_words=False)


def short(text: str) -> str:
    """As one line, and of digests only the beginning."""
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", " ".join(text.split()))


def columns(cells: list[str], widths: list[int]) -> str:
    """One row of a table; a negative width aligns to the right."""
    return "  " + " ".join(
        f"{cell:>{-width}}" if width < 0 else f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)
    )


def indented(text: str) -> str:
    """Moved in."""
    return "\n".join("  " + line for line in text.splitlines())


def pretty(record: dict) -> str:
    """JSON with a line for each thing on the first levels, and no line too long to read."""
    fields = []
    for name, value in record.items():
        if isinstance(value, list):
            items = ",\n".join(_wrapped(json.dumps(item), "    ") for item in value)
            fields.append(f'  "{name}": [\n{items}\n  ]')
        else:
            fields.append(_wrapped(f'"{name}": {json.dumps(value)}', "  "))
    return "{\n" + ",\n".join(fields) + "\n}"


def _wrapped(text: str, indent: str) -> str:
    lines = textwrap.wrap(
        text, WIDTH - 4, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )
    return "\n".join(lines)
