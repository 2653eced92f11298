"""Tracing as agents have it that are on nobody's list: OpenTelemetry's own instrumentation, and nothing beside it."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider


def traced(app, name: str):
    """The same application, which takes the trace of a request on to every request that it makes meanwhile."""
    trace.set_tracer_provider(TracerProvider(resource=Resource.create({"service.name": name})))
    HTTPXClientInstrumentor().instrument()
    return OpenTelemetryMiddleware(app)
