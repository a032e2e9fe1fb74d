"""Test stands: an MT4 server that a test can hold in its hands, with a backend on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mt_remote.backend import Backend
from mt_remote.client import Credentials


@dataclass(frozen=True, slots=True)
class Stand:
    """A server whose time and prices move only when a test says so.

    ``server`` is whatever the stand's plugin calls a server. ``advance`` lets server seconds pass, ``now`` tells the
    server's time (Unix seconds in its zone). ``lock`` guards a server that other threads touch; without one it is
    touched on the gateway's event loop alone.
    """

    backend: Backend
    server: object
    advance: Callable[[int], object]
    now: Callable[[], int]
    lock: AbstractContextManager[object] | None = None


@dataclass(frozen=True, slots=True)
class StandSpec:
    """How to make a stand for one backend.

    ``world`` makes what a server starts from, ``open`` a stand from it. ``credentials`` log in a manager with all
    rights.
    """

    backend: str
    world: Callable[[], object]
    open: Callable[[object], AbstractContextManager[Stand]]
    credentials: Credentials
