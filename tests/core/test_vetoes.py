"""Calls that plugins are asked about: repeated ones, and those whose time runs out meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from mt_remote.errors import RequestError
from mt_remote.plugin import Call, NotFound, Outcome, Refused, Session, hookimpl
from tests.core.conftest import Peer, Start, peer, until
from tests.core.memory import MemoryServer

pytestmark = pytest.mark.anyio

HEADERS = {"MT_SERVER": "Memory", "MT_LOGIN": "1", "MT_PASSWORD": "manager", "VERSION": "2"}


class Guard:
    """Asked about balance operations. ``veto`` makes what it raises; while ``gate`` is closed it does not decide."""

    __name__ = "guard"

    def __init__(self, veto: Callable[[], Exception] | None = None) -> None:
        self.veto = veto
        self.gate = anyio.Event()
        self.gate.set()
        self.asked = 0
        self.told: list[RequestError | None] = []

    @hookimpl
    async def mt_remote_call_started(self, session: Session, call: Call) -> None:
        if call.name == "order.balance":
            self.asked += 1
            await self.gate.wait()
            if self.veto is not None:
                raise self.veto()

    @hookimpl
    def mt_remote_call_finished(self, call: Call, outcome: Outcome) -> None:
        if call.name == "order.balance":
            self.told.append(outcome.error)


async def balance(client: Peer, amount: float, **more: object) -> dict[str, Any]:
    """The answer to a balance operation, without its id."""
    client.next_id += 1
    await client.send(request(client.next_id, amount, **more))
    answer = await client.answer(client.next_id)
    del answer["id"]
    return answer


def request(id_: int, amount: float, **more: object) -> dict[str, Any]:
    data = {"login": 1, "command": "balance", "amount": amount}
    return {"id": id_, "name": "order.balance", "data": data, **more}


async def test_plugins_are_not_asked_about_a_repetition(start: Start, memory: MemoryServer) -> None:
    """What was done stays done: a veto that came to be since would tell its client that nothing happened."""
    guard = Guard()
    async with (
        start(plugins=(guard,)) as gateway,
        peer(gateway, **HEADERS) as client,
        peer(gateway, **HEADERS) as other,
    ):
        first = await balance(client, 100, key="k")
        assert first == {"status": "OK", "result": {"order": 1}}
        guard.veto = lambda: Refused("The limit is reached")
        assert await balance(client, 100, key="k") == first
        assert await balance(other, 100, key="k") == first
        assert (guard.asked, guard.told, memory.balances) == (1, [None, None, None], [100])
        assert (await balance(client, 101, key="k"))["code"] == "key_reused"
        assert (await balance(client, 100))["code"] == "refused"


@pytest.mark.parametrize(
    ("veto", "code"),
    [(Refused, "refused"), (NotFound, "not_found"), (ZeroDivisionError, "internal_error")],
    ids=lambda each: getattr(each, "__name__", each),
)
async def test_what_was_vetoed_may_be_tried_again(
    start: Start, memory: MemoryServer, veto: Callable[[str], Exception], code: str
) -> None:
    guard = Guard(lambda: veto("Not now"))
    async with start(plugins=(guard,)) as gateway, peer(gateway, **HEADERS) as client:
        assert (await balance(client, 100, key="k"))["code"] == code
        assert (memory.started, guard.asked) == (0, 1)
        guard.veto = None
        assert (await balance(client, 100, key="k"))["result"] == {"order": 1}
        assert (memory.balances, guard.asked) == ([100], 2)


async def test_who_repeats_while_the_first_is_asked_about_gets_its_answer(start: Start, memory: MemoryServer) -> None:
    guard = Guard(lambda: Refused("Not now"))
    guard.gate = anyio.Event()
    async with (
        start(plugins=(guard,)) as gateway,
        peer(gateway, **HEADERS) as client,
        peer(gateway, **HEADERS) as other,
    ):
        await client.send(request(1, 100, key="k"))
        await until(lambda: guard.asked)
        await other.send(request(1, 100, key="k"))
        await until(lambda: gateway.gateway.counters()["calls_in_flight"] == 2)
        await anyio.wait_all_tasks_blocked()  # the repetition was taken up, and waits for the first
        guard.gate.set()
        assert (await client.answer(1))["code"] == (await other.answer(1))["code"] == "refused"
        assert (guard.asked, memory.started) == (1, 0)


@pytest.mark.parametrize("more", [{}, {"key": "k"}], ids=["without a key", "with a key"])
async def test_a_call_whose_time_runs_out_in_a_plugin_was_not_done(
    start: Start, memory: MemoryServer, more: dict[str, str]
) -> None:
    guard = Guard()
    guard.gate = anyio.Event()
    async with (
        start(plugins=(guard,), deadlines={"trade": 0.5}) as gateway,
        peer(gateway, **HEADERS) as client,
    ):
        late = await balance(client, 100, **more)
        assert (late["code"], late["outcome"]) == ("timeout", "not_done")
        assert late["message"] == (
            "order.balance took longer than 0.5 s; it was not carried out: a plugin was being asked about it"
        )
        assert [getattr(error, "outcome", None) for error in guard.told] == ["not_done"]
        assert memory.started == 0
        guard.gate.set()
        assert (await balance(client, 100, **more))["result"] == {"order": 1}, "it is tried again under its key"
