"""What is asked of every SDK, and what one gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
# A single grey pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
PICTURE = "https://example.com/cat.png"
# An empty PDF, which is one all the same.
PDF = "JVBERi0xLjQKdHJhaWxlcjw8Pj4KJSVFT0YK"


@dataclass(frozen=True)
class Call:
    """A tool call as the SDK gave it to the application."""

    id: str
    name: str
    arguments: dict


@dataclass(frozen=True)
class Said:
    """An answer as the SDK gave it to the application."""

    text: str
    stop: str
    input: int
    """All tokens of the input, those from the cache too, whatever the format's own figure leaves out."""
    output: int
    """All tokens of the output, thoughts too."""
    calls: list[Call] = field(default_factory=list)
    cached: int = 0
    """Tokens read from the cache."""
    thought: str = ""
    turn: list[Any] = field(default_factory=list)
    """The answer as it goes back in the next request, unchanged, as the SDK's own documentation does it."""


class StreamFailed(Exception):
    """The stream said `error`, in an SDK that leaves it to the application to notice."""


class Sdk(ABC):
    """One official SDK. The questions are here; a subclass says them in its format's words."""

    ERROR: ClassVar[type[Exception]]
    """What the SDK raises when the answer is an error."""
    STREAM_ERROR: ClassVar[type[Exception] | tuple[type[Exception], ...]]
    """What it raises when a stream ends in one."""
    STOPS: ClassVar[dict[str, str]]
    """Why an answer ended, in this format's words."""

    def __init__(self, sdk: Any):
        self.sdk = sdk

    @classmethod
    @abstractmethod
    def connect(cls, url: str, key: str) -> Self:
        """The SDK as an application makes it, but for base URL and key. No retries: a test wants the first answer."""

    # Questions.

    def ask(self, model: str, text: str = "hello there", stream: bool = False, **more: object) -> Said:
        """A question."""
        return self.create(model, [self._said(text)], stream, **more)

    def ask_with_system(self, model: str, system: str, text: str, stream: bool = False) -> Said:
        """A question with an instruction before it."""
        return self.create(model, [self._said(text)], stream, **self.system(system))

    def ask_in_shape(self, model: str, text: str, schema: dict, stream: bool = False) -> Said:
        """A question whose answer must be JSON that fits a schema."""
        return self.create(model, [self._said(text)], stream, **self.shape(schema))

    def ask_until(self, model: str, text: str, words: list[str]) -> Said:
        """A question whose answer ends before one of these words."""
        return self.create(model, [self._said(text)], False, **self.until(words))

    def ask_briefly(self, model: str, text: str, tokens: int, stream: bool = False) -> Said:
        """A question whose answer may be so long."""
        return self.create(model, [self._said(text)], stream, **self.limit(tokens))

    def show_images(self, model: str, text: str, pictures: tuple[str, ...] = (PIXEL, PICTURE)) -> Said:
        """A question about pictures, each inline or by its address."""
        return self.create(model, [self.user([*map(self.image, pictures), self.text(text)])], stream=False)

    def show_document(self, model: str, text: str) -> Said:
        """A question about a PDF, which is inline."""
        return self.create(model, [self.user([self.document(), self.text(text)])], stream=False)

    def call_tools(
        self,
        model: str,
        text: str,
        names: list[str],
        stream: bool = False,
        thinking: bool = False,
        must_call: str | None = None,
    ) -> tuple[Said, Said]:
        """A question that makes the model call tools, thinking first or not, and what it says to their results."""
        question = self._said(text)
        options = self.tools(names) | (self.thinking() if thinking else {})
        first = self.create(model, [question], stream, **self.joined(options, self.must_call(must_call)))
        history = [question, *first.turn, *self.results(first.calls)]
        return first, self.create(model, history, stream, **options)

    def think(self, model: str, text: str, stream: bool = False) -> Said:
        """A question that the model may think about, aloud."""
        return self.create(model, [self._said(text)], stream, **self.thinking())

    def _said(self, text: str) -> Any:
        return self.user([self.text(text)])

    # The format's words.

    @abstractmethod
    def create(self, model: str, messages: list, stream: bool, **more: Any) -> Said:
        """Sends a request and reads the answer."""

    @abstractmethod
    def user(self, parts: list) -> Any:
        """What the user says."""

    @abstractmethod
    def text(self, text: str) -> Any:
        """Part of a message."""

    @abstractmethod
    def image(self, picture: str) -> Any:
        """Part of a message: a PNG in base64, or an address."""

    @abstractmethod
    def document(self) -> Any:
        """Part of a message: the PDF."""

    @abstractmethod
    def results(self, calls: list[Call]) -> list:
        """Messages that tell what the tools gave: `<name> is fine`."""

    @abstractmethod
    def system(self, text: str) -> dict:
        """The option for an instruction."""

    @abstractmethod
    def tools(self, names: list[str]) -> dict:
        """The option for tools, all of which want a city."""

    @abstractmethod
    def must_call(self, name: str | None) -> dict:
        """The option for a tool that must be called."""

    @abstractmethod
    def shape(self, schema: dict) -> dict:
        """The option for structured output."""

    @abstractmethod
    def thinking(self) -> dict:
        """The option for reasoning, of which the text is shown where the format can."""

    @abstractmethod
    def limit(self, tokens: int) -> dict:
        """The option for the length of an answer."""

    @abstractmethod
    def until(self, words: list[str]) -> dict:
        """The option for stop sequences."""

    @staticmethod
    def joined(one: dict, other: dict) -> dict:
        """Two sets of options."""
        return one | other

    @abstractmethod
    def status(self, error: Exception) -> int:
        """The HTTP status of an error that the SDK raised."""

    def message(self, error: Exception) -> str:
        """What an error says."""
        return str(error)
