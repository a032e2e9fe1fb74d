"""What clients see when the other gateway, its MT4 server or the wire between the two is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import anyio
import anyio.to_thread
import pytest
from websockets.sync.server import ServerConnection, serve

from conftest import MANAGER, in_front_of, logged_in
from forwarding_backend.backend import ForwardBackend
from forwarding_backend.link import Link
from forwarding_backend.settings import ForwardSettings
from forwarding_backend.wire import nothing
from mt_remote.client import Client, Credentials
from mt_remote.errors import CallTimeout, ConnectionLost, RequestError
from mt_remote.plugin import Event
from mt_remote_plugins.areas import Market, Users
from mt_remote_tools.testing import Bench
from relay import Relay

PATIENCE = 10.0


def eventually(holds: Callable[[], object]) -> None:
    """Waits for what another thread brings about."""
    waited = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        waited.wait(0.01)
    raise AssertionError("it did not come about")


def hang(there: Client, function: str) -> None:
    there.call("simulator.faults.set", rules=[{"on": function, "do": "hang"}])


def struck(there: Client) -> bool:
    return bool(there.call("simulator.faults.get")["strikes"])


def test_a_wire_that_breaks_is_a_connection_that_is_lost(relay: Relay, relayed_url: str) -> None:
    with logged_in(relayed_url) as client:
        client.subscribe("connection")
        relay.cut()
        assert client.event("connection") is False
        assert client.fails("users.get.all").code == "not_connected"
        client.log_in(MANAGER)
        assert client.event("connection") is True
        assert client.call("users.get", logins=[1])


def test_a_call_in_flight_has_an_unknown_outcome(relay: Relay, relayed_url: str, there: Client) -> None:
    with logged_in(relayed_url) as client:
        hang(there, "order.balance")
        deposit = {"login": 1, "command": "balance", "amount": 1.0}
        client.send({"id": "deposit", "name": "order.balance", "data": deposit})
        eventually(lambda: struck(there))
        relay.cut()
        answer = client.receive()
        there.call("simulator.faults.clear")
    assert (answer["id"], answer["code"]) == ("deposit", "no_connection")
    assert answer["message"].endswith("order.balance may have been carried out or not")
    assert answer["outcome"] == "unknown"


def test_the_other_gateways_deadline_is_passed_on() -> None:
    with (
        Bench.of("simulator", deadlines={"trade": 0.2}) as upstream,
        in_front_of(upstream.url) as url,
        logged_in(url) as client,
    ):
        client_there = upstream.client()
        hang(client_there, "order.*")
        answer = client.request("order.close_all", {"login": 1, "symbol": "EURUSD"})
        direct = client_there.request("order.close_all", {"login": 1, "symbol": "EURUSD"})
    assert (answer["code"], answer["outcome"]) == ("timeout", "unknown")
    assert {**answer, "id": 0} == {**direct, "id": 0}


def test_a_deadline_here_while_the_other_gateway_is_at_it(upstream: Bench, there: Client) -> None:
    with in_front_of(upstream.url, deadlines={"trade": 0.2}) as url, logged_in(url) as client:
        hang(there, "order.*")
        answer = client.request("order.close_all", {"login": 1, "symbol": "EURUSD"})
        there.call("simulator.faults.clear")
        assert (answer["code"], answer["outcome"]) == ("timeout", "unknown")
        assert client.call("users.get", logins=[1])  # the late answer disturbs nobody


def test_a_call_that_was_never_sent_was_not_done(relay: Relay) -> None:
    """More than any socket holds is on its way while nothing passes: the last call is still here at its deadline."""

    outcomes: dict[int, str] = {}

    async def big(link: Link, number: int) -> None:
        try:
            await link.call("external.command", {"command": "x" * 1_000_000}, nothing)
        except CallTimeout as error:
            outcomes[number] = error.outcome
        except anyio.get_cancelled_exc_class():
            outcomes[number] = "cancelled"
            raise

    async def main() -> None:
        link = Link(relay.url, None, 20.0, lambda event: None, lambda error: None)
        await link.open()
        await link.call("subscribe", {"event": "connection"}, nothing)
        relay.hold()
        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(big, link, number)
            await anyio.wait_all_tasks_blocked()
            await anyio.to_thread.run_sync(relay.something_waits)
            group.cancel_scope.cancel()
        relay.cut()
        await link.aclose()

    anyio.run(main)
    assert len(outcomes) == 40
    assert outcomes[0] == "cancelled"  # it was sent: nobody can know
    assert outcomes[39] == "not_done"


def test_a_gateway_that_gives_no_sign_of_life(relay: Relay) -> None:
    with in_front_of(relay.url, silence=1.0) as url, logged_in(url) as client:
        client.subscribe("connection")
        relay.hold()
        assert client.event("connection") is False


def test_silence_alone_is_no_loss() -> None:
    """A gateway that never says anything of its own is asked for a sign of life, and whatever it says is one."""
    asked: list[str | bytes] = []
    lost: list[RequestError] = []

    def says_little(peer: ServerConnection) -> None:
        for message in peer:
            asked.append(message)
            peer.send('{"id": "alive", "status": "ERROR", "message": "Unknown function"}')

    async def main(url: str) -> None:
        link = Link(url, None, 1.0, lambda event: None, lost.append)
        await link.open()
        await anyio.to_thread.run_sync(eventually, lambda: len(asked) == 2)
        assert link.error is None
        await link.aclose()

    with fake_gateway(says_little) as url:
        anyio.run(main, url)
    assert lost == []


def test_the_mt4_server_behind_the_other_gateway_is_gone(front_url: str, there: Client) -> None:
    there.call("user.add", {"login": 5, "group": "manager", "name": "Mia", "password": "Mia12345", "enable": True})
    there.call("config.manager.set", {"login": 5, "name": "Mia", "groups": ["*"], "manager": True, "see_trades": True})
    with logged_in(front_url, Credentials("Demo", 5, "Mia12345"), reconnect_delay=10) as client:
        client.subscribe("connection")
        client.subscribe("tick")
        client.call("symbol.show", symbol="EURUSD")
        there.call("simulator.fault.down", down=True)
        there.call("simulator.fault.disconnect", login=5)
        assert client.event("connection") is False
        assert client.fails("users.get.all").code == "no_connection"
        there.call("simulator.fault.down", down=False)
        assert client.event("connection") is True
        there.call("tick.add", symbol="EURUSD", bid=1.2, ask=1.2001)
        assert client.event("tick")["bid"] == 1.2


def test_the_other_gateway_is_restarted() -> None:
    with ExitStack() as stack:
        before = stack.enter_context(ExitStack())
        wire = stack.enter_context(Relay(before.enter_context(Bench.of("simulator")).url))
        url = stack.enter_context(in_front_of(wire.url))
        client = stack.enter_context(logged_in(url, reconnect_delay=10))
        for kind in ("connection", "user", "tick"):
            client.subscribe(kind)
        client.call("symbol.show", symbol="EURUSD")
        before.close()
        assert client.event("connection") is False
        assert client.fails("order.balance", login=1, command="balance", amount=1.0).code == "no_connection"

        after = stack.enter_context(Bench.of("simulator"))
        direct = after.client()
        account = {"group": "demoforex", "name": "Mia", "password": "Secret1", "enable": True}
        login = direct.call("user.add", account)["login"]
        wire.point_at(after.url)
        assert client.event("connection") is True
        assert client.event("user")["login"] == login  # what was missed is made good
        direct.call("tick.add", symbol="EURUSD", bid=1.2, ask=1.2001)
        assert client.event("tick")["bid"] == 1.2


def test_wrong_credentials_are_refused_as_there(front_url: str, upstream: Bench) -> None:
    with Client(front_url) as client, Client(upstream.url) as direct:
        for login, password in ((1, "wrong"), (4711, "manager")):
            wrong = Credentials("Demo", login, password)
            answers = []
            for one in (client, direct):
                data = {"server": wrong.server, "login": wrong.login, "password": wrong.password, "reconnect_delay": 0}
                answers.append({**one.request("connect", data), "id": 0})
            assert answers[0] == answers[1]
            assert answers[0]["code"] == "bad_account_info"
        client.log_in(MANAGER)


def test_nobody_listens_there(front_url: str, relay: Relay, relayed_url: str) -> None:
    relay.point_at("ws://127.0.0.1:1")
    with Client(relayed_url) as client:
        error = client.fails("connect", server="Demo", login=1, password="manager", reconnect_delay=0)
        assert error.code == "no_connection"
        assert error.message.startswith(f"Cannot open a session at {relay.url}: ")
        relay.point_at(front_url)
        client.log_in(MANAGER)


def test_a_host_whose_name_is_none() -> None:
    async def main() -> None:
        backend = ForwardBackend(ForwardSettings(forward_url=f"ws://{'x' * 64}.example"))
        with pytest.raises(ConnectionLost, match="Cannot open a session"):
            await backend.open("Demo", 1, "manager", Heard())

    anyio.run(main)


def test_the_other_gateway_is_full() -> None:
    with (
        Bench.of("simulator", max_sessions=1) as upstream,
        in_front_of(upstream.url) as url,
        logged_in(url),
        Client(url) as second,
    ):
        error = second.fails("connect", server="Demo", login=1, password="manager", reconnect_delay=0)
    assert (error.code, error.message) == ("gateway_full", "The gateway has its 1 sessions")


@contextmanager
def fake_gateway(talks: Callable[[ServerConnection], None]) -> Iterator[str]:
    """URL of something that speaks WebSocket and says what a test wants."""
    with serve(talks, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        serving.join()


class Heard:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[RequestError] = []

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def on_lost(self, error: RequestError) -> None:
        self.lost.append(error)


def test_closing_frees_everything() -> None:
    heard = Heard()

    async def main(upstream: Bench) -> None:
        backend = ForwardBackend(ForwardSettings(forward_url=upstream.url))
        connection = await backend.open("Demo", 1, "manager", heard)
        await connection.watch("tick")
        await connection.watch("tick")
        await connection[Market].show("EURUSD")
        await connection[Market].add_tick("EURUSD", 1.2, 1.2001)
        await connection.aclose()
        await connection.aclose()
        with pytest.raises(ConnectionLost):
            await connection[Users].get_all()
        assert connection.carried() == ["EURUSD"]
        with anyio.CancelScope() as impatient:
            impatient.cancel()
            await backend.open("Demo", 1, "manager", heard)
        await backend.aclose()

    with Bench.of("simulator") as upstream:
        anyio.run(main, upstream)
        eventually(
            lambda: not any(upstream.run(upstream.gateway.counters)[what] for what in ("sessions", "connections"))
        )
        eventually(lambda: not any(upstream.url in thread.name for thread in threading.enumerate()))
    assert [event.merge_key for event in heard.events] == ["EURUSD"]
    assert heard.lost == []


@pytest.mark.parametrize(
    "nonsense",
    [
        "no JSON",
        '{"event": "tick", "event_id": 0, "data": {"symbol": 5}}',
        '{"event": "tick", "event_id": 7, "data": {"symbol": "EURUSD", "time": 5, "bid": 1.1, "ask": 1.2}}',
    ],
)
def test_a_gateway_that_talks_nonsense_is_left(nonsense: str) -> None:
    """An event that can't be read, or a gap in their numbers: something is lost, and a reconnection makes it good."""
    lost: list[RequestError] = []

    def talks(peer: ServerConnection) -> None:
        peer.recv()
        peer.send(nonsense)
        for _ in peer:
            pass

    async def main(url: str) -> None:
        link = Link(url, None, 20.0, lambda event: None, lost.append)
        await link.open()
        with pytest.raises(ConnectionLost, match="sent what can't be read"):
            await link.call("users.get.all", None, nothing)
        await link.aclose()

    with fake_gateway(talks) as url:
        anyio.run(main, url)
    assert len(lost) == 1
