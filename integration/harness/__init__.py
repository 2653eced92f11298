"""A real Envoy per test: its config, its life, what it logged, counted and recorded."""

from .bootstrap import Bootstrap
from .envoy import Envoy, EnvoyFailed
from .gateway import Gateway, Response, ask

__all__ = ["Bootstrap", "Envoy", "EnvoyFailed", "Gateway", "Response", "ask"]
