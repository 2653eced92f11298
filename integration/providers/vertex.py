"""Gemini in Google's cloud, Vertex AI, as europe-west4-aiplatform.googleapis.com speaks it."""

from __future__ import annotations

from .gemini import Gemini, refused
from .server import Request


class Vertex(Gemini):
    """The same models in Google's cloud: another path, a bearer token instead of a key, calls without ids."""

    NAME = "vertex"
    BASE_PATHS = ("/v1/projects/acme/locations/europe-west4/publishers/google",)
    CALLS_HAVE_IDS = False

    def authenticate(self, request: Request) -> None:
        if request.header("authorization") != f"Bearer {self.key}":
            raise refused(
                401,
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
                "other valid authentication credential.",
            )
