"""A run: which suites, played how long, and what came of it."""
