"""AWS event streams: binary frames with two checksums, as Bedrock's streams are made of."""

from __future__ import annotations

import struct
from binascii import crc32

MEDIA_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message: lengths and their checksum, headers, payload, and the checksum of all that."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 4 + 4 + 4 + len(head) + len(payload) + 4, len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    length = struct.pack("!B", len(name))
    return length + name.encode() + struct.pack("!BH", _STRING, len(value.encode())) + value.encode()
