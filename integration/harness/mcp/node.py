"""Node and what `make` installed for it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from ..bootstrap import ROOT
from ..process import ServerFailed

ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
SCRIPTS = ROOT / "integration/mcp_servers/node"


def packages() -> Path:
    """The folder of the packages, or the one that `TOLLGATE_NODE` names."""
    installed = Path(os.environ.get("TOLLGATE_NODE", ROOT / ".tools/node")) / "node_modules"
    if not installed.exists():
        raise ServerFailed(f"no npm packages in {installed}: run `make test-envoy`, or set TOLLGATE_NODE")
    return installed


def node() -> Path:
    """Node 22 or newer: the one that was installed with the packages, else the one on the PATH."""
    machine = ARCHITECTURES.get(platform.machine(), "")
    bundled = packages() / f"node-linux-{machine}/bin/node"
    if bundled.exists():
        return bundled
    found = shutil.which("node")
    if found is None:
        raise ServerFailed("no node on the PATH: install Node 22 or newer")
    return Path(found)


def script(name: str, *arguments: str) -> list[str]:
    """The command that runs one of our scripts."""
    return ["env", f"NODE_PATH={packages()}", str(node()), str(SCRIPTS / name), *arguments]
