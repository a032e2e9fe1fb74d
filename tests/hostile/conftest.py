"""The fixtures of the core's tests."""

from tests.core.conftest import anyio_backend, memory, start

__all__ = ["anyio_backend", "memory", "start"]
