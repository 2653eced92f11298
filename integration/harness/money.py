"""What an answer costs, worked out on its own: fractions of dollars, no code in common with the filter."""

from __future__ import annotations

from fractions import Fraction

from providers import Usage

NANO = 10**9


def nano_usd(usage: Usage, price: dict[str, float]) -> int:
    """Nano-dollars of a usage at a price per million tokens; cached input without a price of its own costs as input."""
    per_million = {name: Fraction(str(dollars)) for name, dollars in price.items()}
    fresh, output = per_million["input"], per_million["output"]
    dollars = (
        usage.input * fresh
        + usage.cache_read * per_million.get("cache_read", fresh)
        + usage.cache_write_5m * per_million.get("cache_write_5m", fresh)
        + usage.cache_write_1h * per_million.get("cache_write_1h", fresh)
        + (usage.output + usage.reasoning) * output
    ) / 1_000_000
    return round(dollars * NANO)
