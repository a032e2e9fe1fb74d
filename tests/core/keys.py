"""Stores of idempotency keys as tests hold them: on a loop in a thread of its own, one answer after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from mt_remote.keys.sqlite import SqliteKeyStore
from mt_remote.keys.store import Answer, Kept, KeyStore, MemoryKeyStore, Owner


class HeldStore:
    """A store whose methods wait for what they ask for. Without a folder it is one in memory."""

    def __init__(self, portal: BlockingPortal, folder: Path | None, most: int) -> None:
        self._portal = portal
        self.store: KeyStore = portal.call(_made, folder, most)

    def claim(self, owner: Owner, key: str, fingerprint: bytes, now: float) -> int | Kept | Exception:
        outcome: int | Kept | Exception = self._portal.call(
            _asked, lambda then: self.store.claim(owner, key, fingerprint, now, then)
        )
        return outcome

    def settle(self, number: int, answer: Answer) -> None:
        assert self._portal.call(_asked, lambda then: self.store.settle(number, answer, then)) is None

    def release(self, number: int) -> None:
        assert self._portal.call(_asked, lambda then: self.store.release(number, then)) is None

    def close(self) -> None:
        self._portal.call(self.store.aclose)


async def _made(folder: Path | None, most: int) -> KeyStore:
    if folder is None:
        return MemoryKeyStore(most)
    return SqliteKeyStore(folder, most, asyncio.get_running_loop().call_soon_threadsafe)


async def _asked(ask: Callable[[Callable[[Any], object]], object]) -> Any:
    future = asyncio.get_running_loop().create_future()
    ask(future.set_result)
    return await future


__all__ = ["HeldStore", "start_blocking_portal"]
