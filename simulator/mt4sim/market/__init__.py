"""The market: what is traded, when, and at which prices. Knows nothing of who trades."""
