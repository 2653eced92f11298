"""MCP servers on the official SDKs, and one that is below them. See `offer.py` for what they offer."""
