"""Seeds of every fuzz target: the recorded conversations, each behind the byte that says what it is."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parent / "filters/wire/tests/fixtures/conversations"
# As `tollgate_fuzz::format` chooses.
KINDS = {"request.json": 0, "response.json": 1, "error.json": 2, "stream.sse": 3}
# As `tollgate_fuzz::envelope` chooses.
ENDPOINTS = {"openai-chat": 0, "openai-responses": 1, "anthropic-messages": 2, "google-gemini": 3, "bedrock-converse": 4}


def seed(target: str, name: str, which: int, content: bytes) -> None:
    directory = HERE / "corpus" / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(bytes([which]) + content)


for path in sorted(RECORDED.glob("*/*")):
    file, name = path.name, f"{path.parent.name}.{path.name}"
    format, kind = file.split(".", 1)
    content = path.read_bytes()
    if kind in KINDS:
        seed(format.replace("-", "_"), name, KINDS[kind], content)
    if kind == "request.json":
        seed("envelope", name, ENDPOINTS[format], content)
    if kind == "stream.sse":
        seed("framing", name, 0, content)
