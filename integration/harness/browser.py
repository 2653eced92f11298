"""A real Chromium without a window, driven over its DevTools protocol: what a person sees, clicks and types."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect

from .bootstrap import ROOT
from .envoy import eventually
from .process import READY_SECONDS, Server

DESKTOP = (1280, 900)
PHONE = (390, 844)
"""The size of a window, in CSS pixels."""

_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}


class Browser(Server):
    """`with Browser() as browser:` has one page open. `headers` go with every request, as if a proxy added them."""

    def __init__(self, headers: dict[str, str] | None = None, size: tuple[int, int] = DESKTOP, dark: bool = False):
        super().__init__()
        self._headers, self._size, self._dark = headers or {}, size, dark
        self._numbers = itertools.count(1)
        self._wires = ExitStack()
        self.complaints: list[str] = []
        """What the console shows as an error or warning: what the page's policy forbids is among it."""
        self.answered: list[str] = []
        """Every address that answered."""
        self.status = 0
        """Of the last document."""
        self._loads = 0

    def open(self, url: str) -> None:
        """Goes there, and waits until all of it is there."""
        self._and_load(lambda: self._call("Page.navigate", url=url))

    def keep(self, url: str, name: str, value: str) -> None:
        """Keeps a cookie for this address, as who logs somebody in sets it."""
        self._call("Network.setCookie", url=url, name=name, value=value, httpOnly=True, sameSite="Lax")

    def submit(self, selector: str) -> None:
        """Clicks what leads to another page, and waits for that."""
        self._and_load(lambda: self.click(selector))

    def press_to_load(self, key: str) -> None:
        """Presses a key that leads to another page, and waits for that."""
        self._and_load(lambda: self.press(key))

    def click(self, selector: str) -> None:
        """Clicks the middle of an element, after scrolling to it."""
        script = f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{block: "center"}});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = self.eval(script)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Types into what has the focus."""
        self._call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Presses a key: Tab, Enter, Escape."""
        text = {"text": "\r"} if key == "Enter" else {}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        self._call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", **common)

    def eval(self, script: str):
        """The value of an expression in the page."""
        result = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return self.eval(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def focused(self) -> str:
        """What has the focus: its tag, name and value."""
        return self.eval("(e => [e.tagName, e.name, e.value].filter(Boolean).join(' '))(document.activeElement)")

    def screenshot(self, path: Path) -> None:
        """The whole page, also what is below the window."""
        picture = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def start(self) -> None:
        super().start()
        with ExitStack() as wires:
            self._wire = wires.enter_context(connect(self._endpoint(), max_size=None, open_timeout=READY_SECONDS))
            self._wires = wires.pop_all()
        self._session = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self._call(f"{domain}.enable")
        width, height = self._size
        phone = self._size == PHONE
        screen = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self._call("Emulation.setDeviceMetricsOverride", **screen)
        scheme = "dark" if self._dark else "light"
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._call("Network.setExtraHTTPHeaders", headers=self._headers)

    def stop(self) -> None:
        self._wires.close()
        super().stop()

    def _and_load(self, act: Callable[[], object]) -> None:
        before = self._loads
        act()
        ends = time.monotonic() + READY_SECONDS
        while self._loads == before:
            self._hear(self._receive(ends))

    def _call(self, method: str, **params: object) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._wire.send(json.dumps(message))
        ends = time.monotonic() + READY_SECONDS
        while (heard := self._receive(ends)).get("id") != number:
            self._hear(heard)
        assert "error" not in heard, (method, heard["error"])
        return heard["result"]

    def _receive(self, ends: float) -> dict:
        try:
            return json.loads(self._wire.recv(timeout=max(0.0, ends - time.monotonic())))
        except TimeoutError:
            raise self._fail("says nothing") from None

    def _hear(self, message: dict) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.responseReceived":
                self.answered.append(params["response"]["url"])
                if params["type"] == "Document":
                    self.status = params["response"]["status"]
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Audits.issueAdded":
                self.complaints.append(json.dumps(params["issue"]))

    def _command(self) -> list[str]:
        # Without a sandbox, which root cannot have; what it opens is ours.
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        profile = self.directory / "profile"
        return [chromium(), *flags, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]

    def _endpoint(self) -> str:
        return re.search(r"DevTools listening on (ws://\S+)", self.log())[1]

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.alive():
                raise self._fail("did not start")
            return "DevTools listening on" in self.log()

        if not eventually(ready, READY_SECONDS):
            raise self._fail(f"is not ready after {READY_SECONDS} s")


def chromium() -> str:
    """What starts it."""
    ours = ROOT / ".tools/chromium/chromium"
    found = str(ours) if ours.exists() else next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    assert found, "no Chromium: run `make test-mcp` once, or install chromium"
    return found
