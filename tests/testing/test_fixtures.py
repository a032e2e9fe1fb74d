"""What the pytest plugin gives to whoever tests a plugin."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from queue import SimpleQueue

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.connection import Connection

import mt4sim
from mt4sim.gateway.stand import SPEC
from mt_remote.client import DIALECTS, CallFailed, Client, Credentials
from mt_remote.errors import ConfigurationError
from mt_remote.plugin import Namespace, hookimpl
from mt_remote_tools.testing import Bench, ManualClock, StandSpec


class House:
    """A plugin under test."""

    def __init__(self) -> None:
        self.namespace = Namespace("house")
        self.namespace.function("greet")(greet)

    @hookimpl
    def mt_remote_namespaces(self) -> list[Namespace]:
        return [self.namespace]


def greet(name: str) -> str:
    """Greets."""
    return f"Hello {name}"


def test_a_client_and_the_server_behind_it(mt_client: Client, mt4_server: mt4sim.Server) -> None:
    mt_client.call("symbol.show", symbol="EURUSD")
    mt_client.subscribe("tick")
    mt4_server.tick("EURUSD", 1.2345, 1.2346)
    tick = mt_client.event("tick")
    assert (tick["bid"], tick["ask"]) == (1.2345, 1.2346)
    assert mt_client.settled() == []


def test_living_parts_of_the_server(mt4_server: mt4sim.Server) -> None:
    manager = mt4_server.login(1, "manager")
    assert isinstance(mt4_server, mt4sim.Server)
    assert manager.rooms.state == mt4_server.state
    assert "EURUSD" in mt4_server.symbols
    assert mt4_server.symbol("EURUSD").digits == 5
    assert [trade.order for trade in manager.trades()] == []
    with pytest.raises(mt4sim.WorldError):
        raise mt4sim.WorldError("x", ["y"])


def test_the_clock_stands_still(manual_clock: ManualClock, mt_client: Client) -> None:
    before = manual_clock.now
    assert mt_client.call("simulator.clock.get") == {"time": before}
    manual_clock.advance(60)
    manual_clock.advance_to(before + 90)
    assert mt_client.call("simulator.clock.get") == {"time": before + 90}
    with pytest.raises(ValueError, match="has passed"):
        manual_clock.advance_to(before)


@pytest.mark.mt_remote_plugins(House())
def test_a_plugin_by_the_marker(mt_client: Client) -> None:
    assert mt_client.call("house.greet", name="Ann") == "Hello Ann"
    error = mt_client.fails("house.greet", name=1)
    assert (error.code, error.details) == ("invalid_data", [{"path": "name", "problem": "must be text"}])


class TestOverridden:
    @pytest.fixture
    def mt_plugins(self) -> Sequence[object]:
        return [House()]

    @pytest.fixture
    def mt4_world(self) -> mt4sim.World:
        text = mt4sim.World.demo().to_toml().replace('name = "Demo"', 'name = "Mine"', 1)
        return mt4sim.World.from_toml(text)

    @pytest.fixture
    def mt_settings(self) -> dict[str, object]:
        return {"max_calls": 7}

    def test_plugins_world_and_settings(self, mt_client: Client, mt_gateway: Bench) -> None:
        assert mt_client.call("house.greet", name="Ann") == "Hello Ann"
        assert mt_client.call("config.common.get")["name"] == "Mine"
        assert mt_gateway.gateway.settings.max_calls == 7


@pytest.mark.mt_remote_backends
def test_on_every_backend(mt_client: Client, mt4_server: mt4sim.Server, mt_backend: str) -> None:
    assert mt_backend in ("manager", "simulator")
    mt_client.subscribe("trade")
    login = mt_client.call("user.add", {"group": "demoforex", "name": "Ann", "password": "Secret1", "enable": True})[
        "login"
    ]
    mt_client.call("order.balance", login=login, command="balance", amount=100.0)
    assert mt_client.call("users.get", logins=[login])[0]["balance"] == 100.0
    assert mt4_server.accounts.get(login).balance == 100_00


class Brought:
    """A plugin that brings a backend and a stand for it."""

    @hookimpl
    def mt_remote_stands(self) -> list[StandSpec]:
        return [dataclasses.replace(SPEC, backend="mine")]


@pytest.mark.mt_remote_plugins(Brought())
@pytest.mark.mt_remote_backends("mine", "simulator")
def test_on_the_stand_of_a_plugin(mt_backend: str, mt_client: Client, manual_clock: ManualClock) -> None:
    assert mt_backend in ("mine", "simulator")
    manual_clock.advance(1)
    assert mt_client.call("users.get", logins=[]) == []


def test_without_pytest() -> None:
    shipped = ["mt_remote_plugins", "mt4sim.gateway"]
    with Bench.of("simulator", plugins=[*shipped, House()]) as bench, bench.client() as client:
        assert client.call("house.greet", name="Ann") == "Hello Ann"
        assert bench.run(lambda: len(bench.gateway.sessions)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_clients_of_every_dialect(mt_gateway: Bench, dialect: str) -> None:
    client = mt_gateway.client(dialect=dialect)
    (session,) = mt_gateway.run(lambda: [(each.dialect, each.login) for each in mt_gateway.gateway.sessions])
    assert session == (dialect, 1)
    error = client.fails("users.get", logins=["Ann"])
    assert (error.code, "logins" in error.message) == ("invalid_data" if dialect == "2" else "", True)


def test_no_session_of_dialect_1_without_login(mt_gateway: Bench) -> None:
    with pytest.raises(ValueError, match=r"dialect '1\.00' has no session that is not logged in"):
        mt_gateway.client(dialect="1.00", log_in=False)
    with pytest.raises(InvalidStatus, match="401"):
        mt_gateway.client(Credentials("Demo", 1, "wrong"), dialect="1.00")


def test_clients_of_a_bench_send_no_pings(mt_gateway: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings carry random numbers from a thread of their own, and hypothesis forbids those while a property runs."""
    pinging: SimpleQueue[Connection] = SimpleQueue()
    monkeypatch.setattr(Connection, "keepalive", lambda connection: pinging.put(connection))
    mt_gateway.client().call("users.get", logins=[])
    with Client(mt_gateway.url) as other:
        assert pinging.get(timeout=10) is other._socket
    assert pinging.empty()


def test_a_plugin_that_refuses_to_start() -> None:
    class Unready:
        @hookimpl
        def mt_remote_gateway_starting(self) -> None:
            raise ConfigurationError("no licence") from KeyError("LICENCE")

    with pytest.raises(ConfigurationError, match=r"^no licence$") as caught, Bench.of("simulator", plugins=[Unready()]):
        pass  # pragma: no cover
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.mt_remote_backends("simulator")
def test_on_one_backend(mt_backend: str, mt_client: Client) -> None:
    assert mt_backend == "simulator"
    with pytest.raises(CallFailed, match="Unknown function"):
        mt_client.call("nosuch")
