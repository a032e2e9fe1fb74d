"""The suites, by area. Importing this registers them."""

from mt_remote_conformance.plays import (
    administration,
    dealing,
    market,
    messages,
    orders,
    pages,
    rights,
    sessions,
    time,
    traders,
    triggers,
)

__all__ = [
    "administration",
    "dealing",
    "market",
    "messages",
    "orders",
    "pages",
    "rights",
    "sessions",
    "time",
    "traders",
    "triggers",
]
