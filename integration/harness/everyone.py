"""`envoy/llm-providers.yaml` with every provider there is behind it."""

from __future__ import annotations

from pathlib import Path

from providers import (
    Anthropic,
    Bedrock,
    Compatible,
    GcpMetadata,
    Gemini,
    OpenAI,
    Provider,
    Responses,
    Signer,
    Vertex,
)

from . import teams
from .bootstrap import ROOT, Bootstrap
from .gateway import Gateway

SHIPPED = ROOT / "envoy" / "llm-providers.yaml"

GEMINI_KEY = "AIzaSy-provider-gemini-Jq5vT8"
VERTEX_TOKEN = "ya29.provider-vertex-Lc3hR6"
BEDROCK_KEY = "ABSK-provider-bedrock-Nd8sW1"
COMPATIBLE_KEY = "fw-provider-compatible-Pz2yB4"
SIGNER = Signer("AKIAPROVIDERBEDROCK1", "provider/bedrock+Hk7mE9")

CREDENTIALS = teams.CREDENTIALS | {
    "gemini": GEMINI_KEY,
    "bedrock-key": f"Bearer {BEDROCK_KEY}",
    "compatible": f"Bearer {COMPATIBLE_KEY}",
}

PRICE = {"input": 2, "output": 10, "cache_read": 0.1, "cache_write_5m": 2.5, "cache_write_1h": 4}
CLAUDE_ON_BEDROCK = "us.anthropic.claude-sonnet-5-5-v1:0"

# Who serves which model, and which one when it shall think (the compatible server has none).
SERVED = {
    "openai": ("gpt-4o", "gpt-5.5"),
    "openai-responses": ("gpt-4o", "gpt-5.5"),
    "anthropic": ("claude-sonnet-5-5", "claude-sonnet-5-5"),
    "gemini": ("gemini-3.8-flash", "gemini-3.8-flash"),
    "vertex": ("gemini-3.8-flash", "gemini-3.8-flash"),
    "bedrock": (CLAUDE_ON_BEDROCK, CLAUDE_ON_BEDROCK),
    "bedrock-key": (CLAUDE_ON_BEDROCK, CLAUDE_ON_BEDROCK),
    "compatible": ("llama-4-maverick", "llama-4-maverick"),
}


def target(provider: str, thinking: bool = False) -> dict:
    """A provider's model, where it is served."""
    return teams.target(provider, SERVED[provider][thinking], PRICE)


def next_of(provider: str) -> str:
    """Who is asked when this one fails."""
    return "anthropic" if provider == "openai" else "openai"


# For each provider: its model alone; one that thinks; one that refuses what is not carried; one with a second target.
MODELS = {
    model: entry
    for name in SERVED
    for model, entry in {
        name: {"targets": [target(name)]},
        f"{name}-thinks": {"targets": [target(name, thinking=True)]},
        f"{name}-strict": {"targets": [target(name)], "strict": True},
        f"{name}-or-another": {"targets": [target(name), target(next_of(name))]},
    }.items()
} | {
    # A conversation that begins at one provider and goes on at another.
    "anthropic-or-responses": {"targets": [target("anthropic"), target("openai-responses", thinking=True)]},
    # Applications ask for it by Bedrock's name, in which `:` stands.
    CLAUDE_ON_BEDROCK: {"targets": [target("bedrock")]},
    "text-embedding-3-small": {
        "targets": [teams.target("openai", "text-embedding-3-small", {"input": 0.02, "output": 0})]
    },
}

KEYS = [teams.key("support", ["*"]), teams.key("research", ["anthropic", "gemini"]), teams.key("finance", ["openai"])]


# Each model with a cache, as strict as it is by default; and one that answers again whatever is asked.
CACHED = {
    name: entry
    for model, served in MODELS.items()
    for name, entry in {
        model: served | {"cache": {}},
        f"{model}-any": served | {"cache": {"tools": True, "any_temperature": True}},
    }.items()
} | {"openai-uncached": MODELS["openai"]}


def gateway(directory: Path, models: dict = MODELS, keys: list[dict] = KEYS, **envoy: object) -> Gateway:
    """A gateway to all of them."""
    return Gateway(directory, keys=keys, models=models, bootstrap=bootstrap, servers=servers, **envoy)


def servers() -> dict[str, Provider]:
    """The providers, by the names of their clusters."""
    return {
        "openai": OpenAI(teams.OPENAI_KEY),
        "openai-responses": Responses(teams.OPENAI_KEY),
        "anthropic": Anthropic(teams.ANTHROPIC_KEY),
        "gemini": Gemini(GEMINI_KEY),
        "vertex": Vertex(VERTEX_TOKEN),
        "bedrock": Bedrock(BEDROCK_KEY, SIGNER),
        "bedrock-key": Bedrock(BEDROCK_KEY, SIGNER),
        "compatible": Compatible(COMPATIBLE_KEY),
        "gcp-metadata": GcpMetadata(VERTEX_TOKEN),
    }


def bootstrap(directory: Path, ports: dict[str, int], _: dict[str, str], wasm: Path | None = None) -> Bootstrap:
    """The shipped bootstrap on this machine, with AWS credentials in it: as shipped, it looks for them outside."""
    made = Bootstrap(directory, ports, CREDENTIALS, SHIPPED, wasm)
    inline = {"access_key_id": SIGNER.access_key_id, "secret_access_key": SIGNER.secret_access_key}
    signing = made.upstream_filter("bedrock", "envoy.filters.http.aws_request_signing")["typed_config"]
    signing["credential_provider"] = {"inline_credential": inline}
    return made
