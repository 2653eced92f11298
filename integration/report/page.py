"""A web page as a person has it without a browser: its text, and its forms to fill in and send."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

# What begins a line of its own.
BLOCKS = {"h1", "h2", "h3", "p", "dt", "pre", "label", "button", "footer"}
UNSEEN = {"style", "title"}
SECONDS = 10


@dataclass
class Form:
    """Where it goes, and what is in it before somebody writes something."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """`Page.open(url)` reads it."""

    def __init__(self, url: str, html: str):
        super().__init__()
        self.url, self.forms, self.lines = url, [], [""]
        self._within: list[str] = []
        self.feed(html)

    @classmethod
    def open(cls, url: str, form: bytes | None = None) -> Page:
        """As a browser asks for it, or sends a form there."""
        origin = urllib.parse.urlsplit(url)
        headers = {"accept": "text/html"}
        if form is not None:
            headers |= {"origin": f"{origin.scheme}://{origin.netloc}", "sec-fetch-site": "same-origin"}
        request = urllib.request.Request(url, data=form, headers=headers)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return cls(answer.url, answer.read().decode())

    @property
    def text(self) -> list[str]:
        """What is there to read, line by line."""
        return [" ".join(line.split()) for line in self.lines if line.strip()]

    def send(self, form: Form, **filled: str) -> Page:
        """Fills a form in, sends it, and shows what comes of it."""
        url = urllib.parse.urljoin(self.url, form.action)
        return self.open(url, urllib.parse.urlencode(form.fields | filled).encode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in UNSEEN:
            self._within.append(tag)
        elif tag in BLOCKS:
            self.lines.append("")
        elif tag == "dd":
            self.lines[-1] += ": "
        elif tag == "form":
            self.forms.append(Form(named["action"]))
        elif tag == "input" and named.get("type") == "hidden":
            self.forms[-1].fields[named["name"]] = named["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._within.pop()
        elif tag in BLOCKS - {"dt"}:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._within:
            first, *rest = data.split("\n")
            self.lines[-1] += first
            self.lines += rest
