"""A client that is a process: it is told what to do line by line on its standard input, until that ends.

`{"do": "get", "task": "..."}` is answered by `{"done": ...}` or `{"refused": {"kind", "message"}}`, and before that by
`{"event": ...}` for each event of a stream.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import sys
import warnings
from collections.abc import AsyncIterator
from inspect import isasyncgen

import httpx

SECONDS = 30


def http(told: dict) -> httpx.AsyncClient:
    """An HTTP client that shows what the person at the client has: headers, and a certificate."""
    verify: ssl.SSLContext | bool = True
    if told["authority"] is not None:
        verify = ssl.create_default_context(cafile=told["authority"])
        if told["certificate"] is not None:
            verify.load_cert_chain(told["certificate"])
    return httpx.AsyncClient(headers=told["headers"], verify=verify, timeout=SECONDS)


def tell(line: dict) -> None:
    """Says something."""
    print(json.dumps(line), flush=True)


async def _told(person: object) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        try:
            doing = getattr(person, told.pop("do"))(told)
            tell({"done": await (_events(doing) if isasyncgen(doing) else doing)})
        except Exception as error:
            tell({"refused": {"kind": type(error).__name__, "message": str(error)}})


async def _events(stream: AsyncIterator[dict]) -> None:
    async for event in stream:
        tell({"event": event})


def main(person: object) -> None:
    """Does what it is told."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    asyncio.run(_told(person))
