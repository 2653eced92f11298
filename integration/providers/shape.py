"""Whether a JSON body has the shape that a provider's own SDK gives to it.

The SDKs are generated from the providers' API descriptions. Their `TypedDict`s say which fields a request may have,
which it must have and what they may hold, so the servers here can be as strict as the real ones without lists of names.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import typing_extensions

Path = tuple[str | int, ...]
Kind = Literal["unknown", "missing", "wrong"]


@dataclass(frozen=True)
class Flaw:
    """One thing that is not as it must be."""

    path: Path
    kind: Kind

    @property
    def name(self) -> str:
        """The field, without where it is."""
        return str(self.path[-1])

    def where(self, brackets: bool = False) -> str:
        """The field as an error message names it: `a.0.b`, or `a[0].b`."""
        dotted = ".".join(map(str, self.path))
        if not brackets:
            return dotted
        return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path).removeprefix(".")


def flaw(value: object, shape: Any, optional: frozenset[str] = frozenset()) -> Flaw | None:
    """The first flaw of a body. Fields in `optional` may be left out wherever they are, whatever the SDK says."""
    return next(_flaws(value, shape, (), optional), None)


def _flaws(value: object, shape: Any, path: Path, optional: frozenset[str]) -> Iterator[Flaw]:
    origin, arguments = typing.get_origin(shape), typing.get_args(shape)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired):
        yield from _flaws(value, arguments[0], path, optional)
    elif typing_extensions.is_typeddict(shape):
        yield from _flaws_of_object(value, shape, path, optional)
    elif origin in (typing.Union, types.UnionType):
        yield from _flaws_of_choice(value, arguments, path, optional)
    elif origin is Literal:
        # `in` alone would take True for 1.
        if not any(value == choice and type(value) is type(choice) for choice in arguments):
            yield Flaw(path, "wrong")
    elif origin is dict:
        yield from _flaws_of_map(value, arguments[1], path, optional)
    elif len(arguments) == 1:  # every kind of list has one type of items
        yield from _flaws_of_list(value, arguments[0], path, optional)
    elif not _is_plain(value, shape):
        yield Flaw(path, "wrong")


def _flaws_of_object(value: object, shape: Any, path: Path, optional: frozenset[str]) -> Iterator[Flaw]:
    if not isinstance(value, dict):
        yield Flaw(path, "wrong")
        return
    fields = _fields(shape)
    for name in value:
        if name not in fields:
            yield Flaw((*path, name), "unknown")
    for name in shape.__required_keys__ - value.keys() - optional:
        yield Flaw((*path, name), "missing")
    for name in fields.keys() & value.keys():
        yield from _flaws(value[name], fields[name], (*path, name), optional)


def _flaws_of_choice(value: object, shapes: tuple, path: Path, optional: frozenset[str]) -> Iterator[Flaw]:
    found = [next(_flaws(value, shape, path, optional), None) for shape in shapes]
    if None not in found:
        # The shape that was meant is the one that fits best: the one whose first flaw is no tag, and the deepest.
        yield max(found, key=lambda f: (f.name not in ("type", "role"), len(f.path)))


def _flaws_of_map(value: object, shape: Any, path: Path, optional: frozenset[str]) -> Iterator[Flaw]:
    if not isinstance(value, dict):
        yield Flaw(path, "wrong")
        return
    for name, item in value.items():
        yield from _flaws(item, shape, (*path, name), optional)


def _flaws_of_list(value: object, shape: Any, path: Path, optional: frozenset[str]) -> Iterator[Flaw]:
    if not isinstance(value, list):
        yield Flaw(path, "wrong")
        return
    for number, item in enumerate(value):
        yield from _flaws(item, shape, (*path, number), optional)


def _is_plain(value: object, shape: Any) -> bool:
    if shape is Any or shape is object:
        return True
    if shape is None or shape is type(None):
        return value is None
    if isinstance(value, bool) or shape is bool:
        return isinstance(value, bool) and shape is bool
    if shape is float:
        return isinstance(value, int | float)
    return isinstance(shape, type) and isinstance(value, shape)


@cache
def _fields(shape: Any) -> dict[str, Any]:
    return typing.get_type_hints(shape, include_extras=True)
