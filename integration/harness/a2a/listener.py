"""Where agents send push notifications."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from ..envoy import eventually

SECONDS = 10


class Listener:
    """`with Listener() as listener:` takes whatever is posted to `listener.url`."""

    def __enter__(self) -> Self:
        self.heard: list[tuple[dict[str, str], dict]] = []
        heard = self.heard

        class Takes(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name that http.server looks for
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/heard"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, word: str, token: str) -> dict:
        """The first notification with this token that has this word in it, in capitals or not."""
        return self._wait(word, token)[1]

    def headers(self, word: str, token: str) -> dict[str, str]:
        """What came with it."""
        return self._wait(word, token)[0]

    def _wait(self, word: str, token: str) -> tuple[dict[str, str], dict]:
        def matching() -> list[tuple[dict[str, str], dict]]:
            return [
                (headers, body)
                for headers, body in self.heard
                if headers.get("x-a2a-notification-token") == token and word in json.dumps(body).lower()
            ]

        assert eventually(lambda: bool(matching()), SECONDS), f"nobody told of {word} with {token}"
        return matching()[0]
