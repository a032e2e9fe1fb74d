"""Long lists: a slice a turn of the loop, one message, everything in its order. Nothing here measures time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from typing_extensions import TypedDict
from wsproto.events import TextMessage

from mt_remote.plugin import Event, EventKind, Listing, Namespace, hookimpl
from mt_remote.session.session import WebSocketSession
from mt_remote.shell.server import Running
from tests.core.conftest import Start, peer, until

pytestmark = pytest.mark.anyio

LENGTH = 20_000
WIDE = "x" * 90  # an element has some 100 bytes of JSON


class Numbered(TypedDict):
    number: int
    text: str


class Desk:
    """A plugin with a long list, a slow one, a broken one, and an event."""

    __name__ = "desk"

    def __init__(self) -> None:
        self.lists = Namespace("lists")
        self.turns = 0
        self.running = True
        self.lists.function("all", listing=Listing("number", filters=("number",), ordered=True))(self.everything)
        self.lists.function("broken")(self.broken)
        self.lists.function("lazy")(self.lazy)
        self.lists.function("small")(self.small)

    async def everything(self) -> list[Numbered]:
        return [{"number": number, "text": WIDE} for number in range(LENGTH)]

    async def broken(self) -> list[Any]:
        return [*range(LENGTH), object()]

    async def lazy(self) -> Sequence[int]:
        return range(LENGTH)

    async def small(self) -> list[int]:
        return [1, 2]

    async def count_turns(self) -> None:
        """Another session's work, as it were: it goes on once a turn of the loop."""
        while self.running:
            self.turns += 1
            await anyio.lowlevel.checkpoint()

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [self.lists]

    @hookimpl
    def mt_remote_event_kinds(self) -> list[EventKind]:
        return [EventKind("price", int)]


def only_session(gateway: Running) -> WebSocketSession:
    (session,) = gateway.gateway.sessions
    return session


async def test_others_have_their_turn_after_every_slice(start: Start) -> None:
    desk = Desk()
    async with start(plugins=(desk,)) as gateway, peer(gateway) as client, anyio.create_task_group() as group:
        answers = gateway.gateway.long_answers
        await client.send({"id": 1, "name": "lists.all"})
        await until(lambda: answers.parts_made)
        group.start_soon(desk.count_turns)
        answer = await client.answer(1)
        desk.running = False
        assert [element["number"] for element in answer["result"]] == list(range(LENGTH))
        size = LENGTH * 110
        assert answers.parts_made >= size // (64 * 1024)
        assert desk.turns >= answers.parts_made - 2, "the loop took a turn for each slice"


async def test_it_is_one_message_in_one_frame(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway, peer(gateway) as client:
        await client.send({"id": 1, "name": "lists.all"})
        received = b""
        while len(received) < 10:
            received += await client.stream.receive()
        assert received[:2] == b"\x81\x7f", "final, text, with a length of 64 bits"
        whole = 10 + int.from_bytes(received[2:10], "big")
        while len(received) < whole:
            received += await client.stream.receive()
        assert received[10:43] == b'{"id":1,"status":"OK","result":[{'
        assert (len(received), received[-3:]) == (whole, b"}]}")


async def test_events_and_answers_keep_their_order(start: Start) -> None:
    """What happens after the list was read comes after the list, in the order in which it happened; the calls behind
    it are carried out when it has left."""
    async with start(plugins=(Desk(),)) as gateway, peer(gateway) as client:
        await client.ask("subscribe", event="price")
        gateway.gateway.publish(Event("price", 0))
        requests = [{"id": "long", "name": "lists.all"}, {"id": "small", "name": "lists.small"},
                    {"id": "longer", "name": "lists.lazy"}]  # fmt: skip
        turn = gateway.gateway.long_answers._turn
        await turn.acquire()
        await client.stream.send(b"".join(client.ws.send(TextMessage(data=_json(each))) for each in requests))
        session = only_session(gateway)
        await until(lambda: len(session.outbox._places) == 1)
        gateway.gateway.publish(Event("price", 1))
        gateway.gateway.publish(Event("price", 2, "merged"))
        gateway.gateway.publish(Event("price", 3, "merged"))
        assert gateway.gateway.counters()["events_waiting"] == 2
        turn.release()
        found = [await client.message() for _ in range(6)]
        assert [message.get("id", message.get("data")) for message in found] == [0, "long", 1, 3, "small", "longer"]
        assert [message["event_id"] for message in found if "event" in message] == [0, 1, 2]
        assert not session.outbox.congested
        assert (await client.ask("lists.small"))["result"] == [1, 2], "it is read again"


async def test_unsubscribing_meanwhile_drops_what_waits(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway, peer(gateway) as client:
        await client.ask("subscribe", event="price")
        await client.send({"id": "long", "name": "lists.all"})
        session = only_session(gateway)
        await until(lambda: session.outbox.holding)
        gateway.gateway.publish(Event("price", 1))
        await session.unsubscribe("price")
        assert (await client.message())["id"] == "long"
        assert (await client.ask("lists.small"))["status"] == "OK"
        assert client.messages == []


async def test_an_element_that_cant_be_sent_is_an_error_and_nothing_else(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway, peer(gateway, VERSION="2") as client:
        await client.send({"id": "broken", "name": "lists.broken"})
        await client.send({"id": "lazy", "name": "lists.lazy"})
        assert (await client.answer("broken"))["code"] == "internal_error"
        assert (await client.answer("lazy"))["result"] == list(range(LENGTH))
        assert not only_session(gateway).outbox.holding


async def test_a_deadline_in_between_is_an_answer(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start(plugins=(Desk(),), deadlines={"read": 0.001}) as gateway, peer(gateway, VERSION="2") as client:
        turn = gateway.gateway.long_answers._turn
        await turn.acquire()  # someone else's slice takes its time
        await client.send({"id": "long", "name": "lists.all"})
        await client.send({"id": "small", "name": "lists.small"})
        answer = await client.answer("long")
        assert (answer["code"], answer["outcome"]) == ("timeout", "not_done")
        turn.release()
        assert (await client.answer("small"))["status"] == "OK"
        assert not only_session(gateway).outbox.holding


async def test_a_slow_reader_gets_it_whole_and_no_faster_than_it_reads(start: Start) -> None:
    async with (
        start(plugins=(Desk(),), write_high_water=100_000, ping_interval=0.5) as gateway,
        peer(gateway) as client,
    ):
        await client.ask("subscribe", event="price")
        session = only_session(gateway)
        requests = [{"id": number, "name": "lists.all"} for number in range(6)]  # some 13 MB
        await client.stream.send(b"".join(client.ws.send(TextMessage(data=_json(each))) for each in requests))
        await until(lambda: session.outbox.slow and session.outbox.sending)
        gateway.gateway.publish(Event("price", 7))
        assert session.transport.unsent < 4_000_000, "most of it still waits in the session, in pieces"
        found = [await client.message() for _ in range(7)]
        told = [message.get("id", message.get("data")) for message in found]
        assert [each for each in told if each != 7] == [0, 1, 2, 3, 4, 5]
        assert 7 in told[1:], "behind the list that was on its way, before those that were asked for behind it"


async def test_closing_in_between(start: Start) -> None:
    """The list is given up when it is not on its way yet; the close frame comes at once."""
    async with start(plugins=(Desk(),)) as gateway, peer(gateway) as client:
        session = only_session(gateway)
        turn = gateway.gateway.long_answers._turn
        await turn.acquire()
        await client.send({"id": "long", "name": "lists.all"})
        await until(lambda: session.outbox.holding)
        session.close(1001, "over")
        assert await client.until_closed() == (1001, "over")
        turn.release()
        await until(lambda: not gateway.gateway.sessions and not gateway.gateway.counters()["calls_in_flight"])


async def test_a_client_that_leaves_in_between(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway:
        async with peer(gateway) as client:
            await client.send({"id": "long", "name": "lists.all"})
            await until(lambda: gateway.gateway.long_answers.parts_made)
        await until(lambda: not gateway.gateway.sessions and not gateway.gateway.counters()["calls_in_flight"])


async def test_small_lists_take_no_detour(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway, peer(gateway, VERSION="2") as client:
        assert (await client.ask("lists.small"))["result"] == [1, 2]
        answer = await client.ask("lists.all", limit=3, after=500)
        assert ([element["number"] for element in answer["result"]], answer["next"]) == ([501, 502, 503], 503)
        assert gateway.gateway.long_answers.parts_made == 0


async def test_a_filtered_page_of_a_long_list(start: Start) -> None:
    async with start(plugins=(Desk(),)) as gateway, peer(gateway, VERSION="2") as client:

        async def page(**data: Any) -> tuple[list[int], object]:
            answer = await client.ask("lists.all", **data)
            return [element["number"] for element in answer["result"]], answer.get("next")

        assert await page(number=[5, 19_000, 19_999], limit=2) == ([5, 19_000], 19_000)
        assert await page(number=[5, 19_000, 19_999], limit=2, after=19_000) == ([19_999], None)
        made = gateway.gateway.long_answers.parts_made
        assert await page(number=70_000) == ([], None)
        assert gateway.gateway.long_answers.parts_made > made + 10, "looking through the list is work, too"


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message)
