"""Who asks and what they may ask for, in the tests and in the demo."""

from __future__ import annotations

from providers import Anthropic, OpenAI, Provider

from .bootstrap import key_hash

# The keys of three teams, and of three that may not come in.
KEYS = {
    "support": "tg_support_3q8vK0cJw7Rz5mXa",
    "research": "tg_research_9fTbL2eHs4Yd6nQu",
    "finance": "tg_finance_1pGkM8oVx3Ci7wZj",
    "expired": "tg_expired_0aBcD1eFg2Hi3jKl",
    "early": "tg_early_4mNoP5qRs6Tu7vWx",
    "disabled": "tg_disabled_8yZaB9cDe0Fg1hIj",
}

# The providers' own keys, which only Envoy and the providers know.
OPENAI_KEY = "sk-proj-provider-openai-Tr4nQ7"
ANTHROPIC_KEY = "sk-ant-provider-anthropic-Xw9zK2"

CREDENTIALS = {"openai": f"Bearer {OPENAI_KEY}", "anthropic": ANTHROPIC_KEY}


def servers() -> dict[str, Provider]:
    """The providers behind the shipped bootstrap, by the names of their clusters."""
    return {"openai": OpenAI(OPENAI_KEY), "anthropic": Anthropic(ANTHROPIC_KEY)}


# US dollars per million tokens.
SONNET = {"input": 2, "output": 10, "cache_read": 0.1, "cache_write_5m": 2.5, "cache_write_1h": 4}
GPT_4O = {"input": 2.5, "output": 10, "cache_read": 1.25}
GPT_4O_MINI = {"input": 0.15, "output": 0.6, "cache_read": 0.075}


def target(provider: str, model: str, price: dict) -> dict:
    """One place where a model is served."""
    return {"provider": provider, "model": model, "price": price}


CLAUDE = target("anthropic", "claude-sonnet-5-5", SONNET)
GPT = target("openai", "gpt-4o", GPT_4O)
MINI = target("openai", "gpt-4o-mini", GPT_4O_MINI)

MODELS = {
    "claude-sonnet": {"targets": [CLAUDE, GPT]},
    "gpt-4o": {"targets": [GPT, CLAUDE]},
    "gpt-4o-mini": {"targets": [MINI]},
    "claude-alone": {"targets": [CLAUDE]},
}


def key(id: str, models: list[str], **more: object) -> dict:
    """An entry of the config's `keys`."""
    subject = {"team": id, "feature": "chat", "environment": "test"}
    return {"id": id, "sha256": [key_hash(KEYS[id])], "subject": subject, "models": models} | more


GATE_KEYS = [
    key("support", ["*"]),
    key("research", ["claude-sonnet", "gpt-4o"]),
    key("finance", ["gpt-4o-mini"]),
    key("expired", ["*"], expires="2026-01-01T00:00:00Z"),
    key("early", ["*"], not_before="2099-01-01T00:00:00Z"),
    key("disabled", ["*"], disabled=True),
]
