"""Idempotency keys: who is first, what repetitions answer, and what becomes of claims that nobody wants any more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from mt_remote.dispatch.calls import ParsedCall
from mt_remote.dispatch.functions import Function
from mt_remote.errors import InProgress, InternalError, KeyReused, TooManyKeys
from mt_remote.keys.claims import NOT_BEGUN, Claim, IdempotencyKeys, fingerprint
from mt_remote.keys.store import KEPT_SECONDS, Answer, Claimed, Done, Failure, KeptError, MemoryKeyStore, Owner
from mt_remote.plugin import Declared, Kind
from mt_remote.records import ConGroup, Patch

pytestmark = pytest.mark.anyio

ONE, OTHER = ("Demo", 1), ("Demo", 2)
DONE = Answer(b"1")


class SlowStore(MemoryKeyStore):
    """A store that tells what it did when the test says so. ``broken`` is what it tells instead."""

    def __init__(self, most: int = 10) -> None:
        super().__init__(most)
        self.held: list[Callable[[], object]] = []
        self.broken: Exception | None = None

    def _hold(self, then: Callable[[Any], object], outcome: Any) -> None:
        self.held.append(lambda: then(self.broken or outcome))

    def claim(self, owner: Owner, key: str, fingerprint: bytes, now: float, then: Claimed) -> None:
        super().claim(owner, key, fingerprint, now, partial(self._hold, then))

    def settle(self, number: int, answer: Answer, then: Done) -> None:
        super().settle(number, answer, partial(self._hold, then))

    def release(self, number: int, then: Done) -> None:
        super().release(number, partial(self._hold, then))

    def tell(self) -> None:
        held, self.held = self.held, []
        for each in held:
            each()


async def first(keys: IdempotencyKeys, owner: Owner = ONE, key: str = "k", asked: bytes = b"a") -> Claim:
    claim = await keys.claim(owner, key, asked)
    assert isinstance(claim, Claim)
    return claim


async def test_first_answers_are_kept_for_a_day_per_owner_and_key() -> None:
    now = 0.0
    keys = IdempotencyKeys(MemoryKeyStore(10), lambda: now)
    keys.settle(await first(keys), DONE)
    assert await keys.claim(ONE, "k", b"a") == DONE
    await first(keys, OTHER)
    await first(keys, key="k2")
    with pytest.raises(KeyReused, match="The key 'k' was used for a different request"):
        await keys.claim(ONE, "k", b"b")
    now = KEPT_SECONDS - 1
    assert await keys.claim(ONE, "k", b"a") == DONE
    now = KEPT_SECONDS
    await first(keys, asked=b"b")


async def test_one_owners_keys_are_bounded_and_evict_nobodys() -> None:
    keys = IdempotencyKeys(MemoryKeyStore(3))
    keys.settle(await first(keys, OTHER), DONE)
    for number in range(3):
        keys.settle(await first(keys, key=str(number)), DONE)
    with pytest.raises(TooManyKeys, match="3 keys"):
        await keys.claim(ONE, "more", b"a")
    assert await keys.claim(ONE, "0", b"a") == DONE
    assert await keys.claim(OTHER, "k", b"a") == DONE


async def test_repetitions_wait_for_the_first_and_for_its_storing() -> None:
    store = SlowStore()
    keys = IdempotencyKeys(store)
    found: list[Any] = []

    async def ask(asked: bytes) -> None:
        try:
            found.append(await keys.claim(ONE, "k", asked))
        except KeyReused:
            found.append("reused")

    async with anyio.create_task_group() as group:
        for asked in (b"a", b"a", b"b"):
            group.start_soon(ask, asked)
            await anyio.wait_all_tasks_blocked()
        assert (len(store.held), found) == (1, [])
        store.tell()
        await anyio.wait_all_tasks_blocked()
        (claim,) = (each for each in found if isinstance(each, Claim))
        found.remove(claim)
        assert found == ["reused"]
        keys.settle(claim, DONE)
        await anyio.wait_all_tasks_blocked()
        assert found == ["reused"]
        store.tell()
    assert found == ["reused", DONE]


async def test_a_late_call_is_in_progress_until_it_ends() -> None:
    keys = IdempotencyKeys(MemoryKeyStore(10))
    claim = await first(keys)
    async with anyio.create_task_group() as group:

        @group.start_soon
        async def wait() -> None:
            with pytest.raises(InProgress):
                await keys.claim(ONE, "k", b"a")

        await anyio.wait_all_tasks_blocked()
        keys.call_is_late(claim)
    with pytest.raises(InProgress) as caught:
        await keys.claim(ONE, "k", b"a")
    assert (caught.value.wire_code, caught.value.outcome) == ("in_progress", "unknown")
    with pytest.raises(KeyReused):
        await keys.claim(ONE, "k", b"b")
    keys.settle(claim, DONE)
    keys.settle(claim, Answer(b"2"))
    assert await keys.claim(ONE, "k", b"a") == DONE


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_claim_that_is_given_up_on_its_way_is_given_back(arrived: bool) -> None:
    store = SlowStore()
    keys = IdempotencyKeys(store)

    async def ask() -> None:
        keys.release(await first(keys), NOT_BEGUN)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        if arrived:
            store.tell()
        group.cancel_scope.cancel()
    store.tell()
    store.tell()
    async with anyio.create_task_group() as group:
        group.start_soon(first, keys)
        await anyio.wait_all_tasks_blocked()
        store.tell()


async def test_what_cannot_be_stored() -> None:
    """No call goes out under a key that is not stored; the end of one that did is remembered at least here."""
    store = SlowStore()
    keys = IdempotencyKeys(store)
    async with anyio.create_task_group() as group:

        @group.start_soon
        async def refused() -> None:
            with pytest.raises(InternalError, match="was not carried out"):
                await keys.claim(ONE, "never", b"a")

        await anyio.wait_all_tasks_blocked()
        store.broken = OSError("disk full")
        store.tell()
    store.broken = None
    claims: list[Claim] = []

    async def claim() -> None:
        claims.append(await first(keys))

    async with anyio.create_task_group() as group:
        group.start_soon(claim)
        await anyio.wait_all_tasks_blocked()
        store.tell()
    store.broken = OSError("disk full")
    keys.settle(claims[0], DONE)
    store.tell()
    await claims[0].is_stored()
    assert await keys.claim(ONE, "k", b"a") == DONE


async def test_who_waits_for_a_call_that_was_not_carried_out_hears_so() -> None:
    keys = IdempotencyKeys(MemoryKeyStore(10))
    claim = await first(keys)
    async with anyio.create_task_group() as group:

        @group.start_soon
        async def wait() -> None:
            answer = await keys.claim(ONE, "k", b"a")
            assert isinstance(answer, Answer)
            with pytest.raises(KeptError) as caught:
                answer.get()
            assert caught.value.outcome == "not_done"

        await anyio.wait_all_tasks_blocked()
        keys.release(claim, NOT_BEGUN)
    await first(keys)


def nothing() -> None:
    """A function."""


def test_requests_are_compared_by_what_they_ask_for() -> None:
    function = Function(Declared("own.trade", nothing, Kind.TRADE), "tests")

    def asked(**changes: object) -> bytes:
        return fingerprint(ParsedCall(b"1", function, {"amount": 5}, Patch(ConGroup, changes), "k"))

    assert asked(group="g", copies=1) == asked(copies=1, group="g")
    assert asked(group="g", copies=1) != asked(group="g", copies=2)


def test_a_failure_is_kept_with_what_a_client_reads() -> None:
    failure = Failure.of(InProgress("Later"))
    with pytest.raises(KeptError) as caught:
        Answer(failure=failure).get()
    assert (caught.value.message, caught.value.wire_code, caught.value.outcome) == ("Later", "in_progress", "unknown")
