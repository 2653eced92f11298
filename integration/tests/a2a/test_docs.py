"""What the pages about the agent gateway tell people to write, a real Envoy takes."""

import json
import re

import pytest
import yaml

from harness.a2a import ALLOW_ALL, AgentBootstrap
from harness.bootstrap import ROOT
from harness.envoy import Envoy

PAGES = sorted((ROOT / "docs").glob("agent*.md"))
SCHEMA = json.loads((ROOT / "docs/agent-config.schema.json").read_text())
KEYS = {"TOLLGATE_KEYS": "k" * 32, "TOLLGATE_CARD_KEY": "A" * 43}


def parts():
    """All parts of the gate's configuration that stand there, by where."""
    known = set(SCHEMA["$defs"]["GateConfig"]["properties"])
    for page in PAGES:
        for at, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL), 1):
            part = next(iter(yaml.safe_load_all(block)))
            part = part.get("gate", part) if isinstance(part, dict) else {}
            if part and set(part) <= known:
                yield pytest.param(part, id=f"{page.name}-{at}")


@pytest.mark.parametrize("part", list(parts()))
def test_what_the_pages_show_of_the_configuration_loads(people, tmp_path, part):
    bootstrap = AgentBootstrap(tmp_path, dict.fromkeys(("planner", "researcher", "billing"), 1), people, ALLOW_ALL)
    bootstrap.gate(**part)
    for plugin in bootstrap.plugins():
        plugin["vm_config"]["environment_variables"] = {"key_values": KEYS}
    accepted, said = Envoy.validate(bootstrap.config)
    assert accepted, said


def test_the_pages_show_every_part():
    shown = {name for case in parts() for name in case.values[0]}
    assert shown >= {"agents", "identity", "tiers", "rules", "limits", "ticket", "signing_keys_from", "cards"}
