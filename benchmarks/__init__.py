"""Measures the gateway beside other ways of serving WebSockets from Python: ``python -m benchmarks``."""
