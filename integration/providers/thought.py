"""How a model proves that a thought is its own.

Every provider gives its thoughts to the client in a form that only it can make, and wants them back unchanged:
Anthropic and Bedrock a `signature` (the same one: both run Claude), OpenAI `encrypted_content`, Gemini a
`thoughtSignature`. Here all of them hold the thought itself and a keyed hash, in base64 as the real ones.
"""

from __future__ import annotations

import base64
import hmac
import json

from typing import Literal

Thinker = Literal["claude", "gemini", "gpt"]


def sign(thinker: Thinker, thought: str) -> str:
    """The proof."""
    return base64.b64encode(json.dumps([thinker, thought, _seal(thinker, thought)]).encode()).decode()


def signed(thinker: Thinker, proof: str) -> str | None:
    """The thought that is proven, if this model thought it."""
    try:
        who, thought, seal = json.loads(base64.b64decode(proof, validate=True))
    except ValueError:
        return None
    return thought if who == thinker and seal == _seal(thinker, thought) else None


def _seal(thinker: Thinker, thought: str) -> str:
    return hmac.new(b"only the model knows", f"{thinker}: {thought}".encode(), "sha256").hexdigest()
