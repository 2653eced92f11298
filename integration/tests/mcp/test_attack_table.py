"""The table of attacks names tests that are there."""

import re
from pathlib import Path

import mcp_corpus
from harness.bootstrap import ROOT
from mcp_corpus import ATTACKS, HTTP2

TABLE = (Path(mcp_corpus.__file__).parent / "README.md").read_text()


def named(kind):
    return re.findall(rf"\b{kind}:([\w-]+)", TABLE)


def written(files, definition):
    return {name for file in files for name in re.findall(definition, file.read_text(), re.MULTILINE)}


def test_every_attack_in_the_table_is_in_the_corpus():
    assert set(named("attack")) - {attack.name for attack in [*ATTACKS, *HTTP2]} == set()


def test_every_test_in_the_table_is_there():
    tests = written(Path(__file__).parent.glob("test_*.py"), r"^def (test_\w+)")
    assert set(named("test")) - tests == set()
    units = written((ROOT / "filters").glob("*/src/**/*.rs"), r"\bfn (\w+)\(")
    assert set(named("unit")) - units == set()


def test_every_row_of_the_table_names_one():
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| technique")]
    assert len(rows) > 60
    assert [row for row in rows if not re.search(r"\b(attack|test|unit):[\w-]+", row)] == []
