"""Each kind of fault as a client sees it, and what the gateway makes good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.stories.client import CallFailed, Client, client, manager
from tests.stories.conftest import Desk, anyio_backend, desk, open_desk
from websockets.exceptions import ConnectionClosed

from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.faults import Faults, FaultsError, Rule, calls
from mt4sim.gateway.settings import SimulatorSettings
from mt_remote.errors import ReturnCode
from mt_remote_plugins.areas import AREAS, Orders

pytestmark = pytest.mark.anyio
__all__ = ["anyio_backend", "desk"]


@pytest.fixture
async def mt(desk: Desk) -> AsyncIterator[Client]:
    """A manager who is reconnected after a millisecond, and hears of it."""
    async with manager(desk.url, dialect="2", reconnect_delay=1) as one:
        await one.call("subscribe", event="connection")
        yield one


async def account(one: Client, login: int = 100) -> None:
    fields = {"group": "miniforex", "name": "A", "password": "Pass1", "enable": True, "leverage": 100}
    await one.call("user.add", login=login, **fields)
    await one.call("order.balance", login=login, command="balance", amount=1000.0)


async def price(one: Client, bid: float) -> None:
    await one.call("tick.add", symbol="EURUSD", bid=bid, ask=bid + 0.0001)


async def hears_prices(one: Client) -> None:
    await one.call("symbol.show", symbol="EURUSD")
    await one.call("subscribe", event="tick")


async def bids(one: Client) -> list[float]:
    return [event["data"]["bid"] for event in await one.settled() if event["event"] == "tick"]


# Error codes


async def test_the_nth_call_answers_an_error_and_does_nothing(desk: Desk, mt: Client) -> None:
    await account(mt)
    desk.server_backend.use_faults(Faults().on("order.balance", nth=2).answers("trade_no_money"))
    deposit = {"login": 100, "command": "balance", "amount": 5.0}
    await mt.call("order.balance", **deposit)
    error = await mt.fails("order.balance", **deposit)
    assert (error.code, error.message) == ("trade_no_money", ReturnCode.TRADE_NO_MONEY.text)
    await mt.call("order.balance", **deposit)
    (user,) = await mt.call("users.get", logins=[100])
    assert user["balance"] == 1010.0


async def test_an_error_after_the_deed(desk: Desk, mt: Client) -> None:
    """The answer is lost, not the order: what a client that repeats blindly runs into."""
    await account(mt)
    faults = Faults().on("order.*", times=1).answers(ReturnCode.TRADE_TIMEOUT, "no answer", after=True)
    desk.server_backend.use_faults(faults)
    order = {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.1}
    assert (await mt.fails("order.open", **order)).message == "no answer"
    assert len(await mt.call("trades.get")) == 1


async def test_only_one_managers_calls(desk: Desk, mt: Client) -> None:
    desk.server_backend.use_faults(Faults().on("*", login=2).answers("too_frequent"))
    await mt.call("config.common.get")
    desk.server_backend.use_faults(Faults().on("*", login=1).answers("too_frequent"))
    assert (await mt.fails("config.common.get")).code == "too_frequent"
    desk.server_backend.use_faults(None)
    await mt.call("config.common.get")


async def test_log_ins_fail(desk: Desk) -> None:
    desk.server_backend.use_faults(Faults().on("connect", times=1).answers("account_disabled").on("connect").hangs())
    async with client(desk.url) as one:
        credentials = {"server": "Demo", "login": 1, "password": "manager", "reconnect_delay": 0, "version": "2"}
        with pytest.raises(CallFailed, match="Account disabled"):
            await one.call("connect", **credentials)
        waiting = await one.send("connect", credentials)
        async with client(desk.url) as other:  # a hung log-in is that client's alone
            assert "call 'connect' first" in (await other.fails("config.common.get")).message
        desk.server_backend.faults.release()
        assert (await one.answer(waiting))["status"] == "OK"


# Slow and hung answers


async def test_a_slow_answer_takes_its_time_on_the_servers_clock(desk: Desk, mt: Client) -> None:
    desk.server_backend.use_faults(Faults().on("config.common.get", times=1).delays(30))
    slow = await mt.send("config.common.get")
    assert await mt.call("config.common.get"), "a read overtakes"
    await mt.call("simulator.clock.advance", seconds=29)
    assert slow not in mt._answers
    desk.server_backend.advance(1)
    assert (await mt.answer(slow))["result"]["name"] == "Demo"


async def test_a_hung_call_meets_its_deadline() -> None:
    async with open_desk(deadlines={"trade": 0.05}) as desk, manager(desk.url, dialect="2") as one:
        await account(one)
        desk.server_backend.use_faults(Faults().on("order.balance", nth=1).hangs(after=True))
        hung = await one.answer(await one.send("order.balance", {"login": 100, "command": "balance", "amount": 5.0}))
        assert (hung["status"], hung["code"], hung["outcome"]) == ("ERROR", "timeout", "unknown")
        (user,) = await one.call("users.get", logins=[100])
        assert user["balance"] == 1005.0


async def test_a_hung_call_ends_with_its_connection(desk: Desk, mt: Client) -> None:
    desk.server_backend.use_faults(Faults().on("trades.get", nth=1).hangs())
    hung = await mt.send("trades.get")
    await mt.call("config.common.get")
    desk.server_backend.lose_all("a test")
    assert (await mt.answer(hung))["code"] == "no_connection"


# The connection


async def test_a_dropped_connection_is_restored(desk: Desk, mt: Client) -> None:
    await hears_prices(mt)
    desk.server_backend.use_faults(Faults().on("users.get", nth=2).drops())
    await mt.call("users.get", logins=[1])
    assert (await mt.fails("users.get", logins=[1])).code == "no_connection"
    assert [await mt.event("connection") for _ in range(2)] == [False, True]
    await price(mt, 1.2)
    assert await bids(mt) == [1.2]


async def test_a_deed_whose_answer_was_lost_with_the_connection(desk: Desk, mt: Client) -> None:
    await account(mt)
    await mt.call("subscribe", event="trade")
    desk.server_backend.use_faults(Faults().on("order.balance", nth=1).drops(after=True))
    failed = await mt.fails("order.balance", login=100, command="balance", amount=5.0)
    assert (failed.code, failed.outcome) == ("no_connection", "unknown")
    assert [await mt.event("connection") for _ in range(2)] == [False, True]
    (user,) = await mt.call("users.get", logins=[100])
    assert user["balance"] == 1005.0


async def test_a_session_that_came_by_headers_ends(desk: Desk) -> None:
    async with manager(desk.url, dialect="1.00") as one:
        desk.server_backend.use_faults(Faults().on("users.*").drops())
        await one.send("users.get.all")
        with pytest.raises(ConnectionClosed) as closed:
            await one.event("user")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011


async def test_everyone_loses_the_connection_at_a_moment(desk: Desk, mt: Client) -> None:
    async with manager(desk.url, dialect="2", reconnect_delay=1) as other:
        await other.call("subscribe", event="connection")
        desk.server_backend.use_faults(Faults().at(60).drops(everyone=True))
        desk.server_backend.advance(59)
        await mt.call("config.common.get")
        desk.server_backend.advance(1)
        for each in (mt, other):
            assert [await each.event("connection") for _ in range(2)] == [False, True]


async def test_a_notification_brings_the_connection_down(desk: Desk, mt: Client) -> None:
    await hears_prices(mt)
    desk.server_backend.use_faults(Faults().on("event.tick", nth=2).drops())
    for bid in (1.1, 1.2):
        desk.server.tick("EURUSD", bid, bid + 0.0001)
    assert await mt.event("connection") is False
    assert [event["data"]["bid"] for event in mt.events if event["event"] == "tick"] == [1.1, 1.2]
    assert await mt.event("connection") is True


# Notifications


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda event: event.misses(), [1.1, 1.3, 1.4]),
        (lambda event: event.doubles(), [1.1, 1.2, 1.2, 1.3, 1.4]),
        (lambda event: event.reorders(), [1.1, 1.3, 1.2, 1.4]),
    ],
    ids=["missed", "doubled", "reordered"],
)
async def test_notifications(desk: Desk, mt: Client, fault: Any, expected: list[float]) -> None:
    await hears_prices(mt)
    desk.server_backend.use_faults(fault(Faults().on("event.tick", nth=2)))
    for bid in (1.1, 1.2, 1.3, 1.4):
        await price(mt, bid)
    events = await mt.settled()
    assert [event["data"]["bid"] for event in events] == expected
    assert [event["event_id"] for event in events] == list(range(len(expected))), "the session's numbers have no gap"


async def test_what_is_held_back_comes_when_it_is_released(desk: Desk, mt: Client) -> None:
    await hears_prices(mt)
    desk.server_backend.use_faults(Faults().on("event.*").reorders())
    await price(mt, 1.2)
    assert await bids(mt) == []
    await mt.call("simulator.faults.clear")
    assert await bids(mt) == [1.2]


async def test_a_missed_notification_is_made_good_after_a_reconnection(desk: Desk, mt: Client) -> None:
    await account(mt)
    await mt.call("subscribe", event="user")
    desk.server_backend.use_faults(Faults().on("event.user", times=1).misses().on("trades.get").drops())
    await mt.call("user.set", login=100, city="Riga")
    assert [event for event in await mt.settled() if event["event"] == "user"] == []
    await mt.fails("trades.get")
    assert [await mt.event("connection") for _ in range(2)] == [False, True]
    assert (await mt.event("user"))["city"] == "Riga"
    assert await mt.settled() == [], "once"


async def test_pumping_stops_for_a_while(desk: Desk, mt: Client) -> None:
    await hears_prices(mt)
    desk.server_backend.use_faults(Faults().on("event.tick", nth=2).stops_pumping(60))
    for bid in (1.1, 1.2, 1.3):
        await price(mt, bid)
    assert await bids(mt) == [1.1]
    await mt.call("simulator.clock.advance", seconds=60)
    await price(mt, 1.4)
    assert await bids(mt) == [1.4]


async def test_pumping_stops_until_the_connection_ends(desk: Desk, mt: Client) -> None:
    await account(mt)
    await mt.call("subscribe", event="user")
    desk.server_backend.use_faults(Faults().on("config.common.get").stops_pumping(everyone=True))
    await mt.call("config.common.get")
    await mt.call("user.set", login=100, city="Riga")
    assert await mt.settled() == []
    desk.server_backend.lose_all("a test")
    assert [await mt.event("connection") for _ in range(2)] == [False, True]
    assert (await mt.event("user"))["city"] == "Riga"


# Restarts


async def test_a_restart_keeps_what_was_saved(desk: Desk, mt: Client) -> None:
    await account(mt)
    await mt.call("subscribe", event="trade")
    order = {"login": 100, "symbol": "EURUSD", "command": "buy", "volume": 0.1, "price": 1.1}
    ticket = (await mt.call("order.open", **order))["order"]
    before = desk.server
    desk.server_backend.use_faults(Faults().on("config.common.set").restarts(after=True))
    assert (await mt.fails("config.common.set", timeout=77)).code == "no_connection"
    assert [await mt.event("connection") for _ in range(2)] == [False, True]
    assert desk.server is not before
    assert (await mt.call("config.common.get"))["timeout"] == 77
    assert (await mt.call("trade.get", order=ticket))["volume"] == 0.1
    mt.events.clear()
    await mt.call("order.close", order=ticket, volume=0.1, price=1.2)
    assert (await mt.event("trade"))["close_time"] > 0


async def test_a_server_that_is_down_after_its_restart(desk: Desk, mt: Client) -> None:
    desk.server_backend.use_faults(Faults().at(10).restarts(down=60).at(20).drops())
    desk.server_backend.advance(10)
    assert await mt.event("connection") is False
    async with client(desk.url) as other:
        with pytest.raises(CallFailed, match="can't be reached"):
            await other.login()
        desk.server_backend.advance(59)
        with pytest.raises(CallFailed, match="can't be reached"):
            await other.login()
        desk.server_backend.advance(1)
        await other.login()
    assert await mt.event("connection") is True


async def test_a_restart_for_a_notification_waits_for_what_the_server_does(desk: Desk, mt: Client) -> None:
    await account(mt)
    await mt.call("subscribe", event="user")
    desk.server_backend.use_faults(Faults().on("event.user", nth=1).restarts())
    await mt.call("user.set", login=100, city="Riga")
    assert await mt.event("connection") is False
    assert await mt.event("connection") is True
    (user,) = await mt.call("users.get", logins=[100])
    assert user["city"] == "Riga"


# Seeds, files, the wire


async def play(seed: int) -> list[Any]:
    """What strikes, and what a client saw, in a run with random faults."""
    faults = Faults(seed=seed).on("users.get", probability=0.4).answers("too_frequent")
    faults.on("event.tick", probability=0.3).misses().on("event.tick", probability=0.3).doubles()
    async with open_desk() as desk, manager(desk.url, dialect="2") as one:
        await hears_prices(one)
        desk.server_backend.use_faults(faults)
        seen: list[Any] = []
        for step in range(30):
            answer = await one.answer(await one.send("users.get", {"logins": [1]}))
            await price(one, 1.1 + step / 1000)
            seen.append(answer["status"])
        return [seen, await bids(one), list(faults.strikes)]


async def test_a_seed_gives_the_same_run_again() -> None:
    first, again, other = await play(7), await play(7), await play(8)
    assert first == again
    assert first != other
    assert {"OK", "ERROR"} <= set(first[0])
    assert len(first[1]) != len(set(first[1]))
    assert {strike.rule for strike in first[2]} == {0, 1, 2}


async def test_one_more_rule_changes_nothing_for_the_others() -> None:
    def strikes(faults: Faults) -> list[int]:
        return [step for step in range(100) if faults.met("user.add", 1, step)]

    one = Faults(seed=3).on("user.add", probability=0.2).hangs()
    two = Faults(seed=3).on("user.add", probability=0.2).hangs().on("user.*", probability=0.5).hangs()
    both = {strike.time for strike in two.strikes if strike.rule == 0} if strikes(two) else set()
    assert strikes(one) == sorted(both)


async def test_faults_over_the_wire(desk: Desk, mt: Client) -> None:
    rules = [{"on": "ticks.get", "do": "answer", "code": "tech_problem", "every": 2}]
    await mt.call("simulator.faults.set", seed=5, rules=rules)
    results = [await mt.answer(await mt.send("ticks.get", {"symbol": "EURUSD"})) for _ in range(4)]
    assert [each["status"] for each in results] == ["OK", "ERROR"] * 2
    plan = await mt.call("simulator.faults.get")
    assert plan["seed"] == 5
    assert plan["rules"][0].items() >= rules[0].items()
    assert [strike["do"] for strike in plan["strikes"]] == ["answer", "answer"]
    await mt.call("simulator.faults.clear")
    await mt.call("ticks.get", symbol="EURUSD")
    assert await mt.call("simulator.faults.get") == {"seed": 0, "rules": [], "strikes": []}
    hang = [{"on": "ticks.get", "do": "hang"}]
    await mt.call("simulator.faults.set", rules=hang)
    waiting = await mt.send("ticks.get", {"symbol": "EURUSD"})
    await mt.call("simulator.faults.release")
    assert (await mt.answer(waiting))["status"] == "OK"


WRONG = [
    ({"on": "order.opne", "do": "hang"}, "no call and no notification is called 'order.opne'"),
    ({"on": "event.trade", "do": "hang"}, "'hang' happens to calls"),
    ({"on": "order.open", "do": "miss"}, "'miss' happens to notifications"),
    ({"on": "order.open", "do": "answer"}, "'code' says what 'answer' answers"),
    ({"on": "order.open", "do": "answer", "code": "nope"}, "no error has the code 'nope'"),
    ({"on": "order.open", "do": "delay"}, "'delay' needs 'seconds'"),
    ({"on": "time", "do": "drop"}, "'at' says when"),
    ({"on": "order.open", "do": "drop", "at": 5}, "'at' says when"),
]


@pytest.mark.parametrize(("rule", "problem"), WRONG)
async def test_a_rule_that_makes_no_sense(desk: Desk, tmp_path: Path, rule: dict[str, Any], problem: str) -> None:
    async with manager(desk.url, dialect="2") as one:
        error = await one.fails("simulator.faults.set", rules=[rule])
        assert (error.code, error.details[0]["path"]) == ("invalid_data", "rules.0")
        assert problem in error.message
    with pytest.raises(FaultsError, match=problem):
        Faults.from_document({"rules": [rule]})
    with pytest.raises(ValueError, match=problem):
        Rule.model_validate(rule)


async def test_a_file_of_faults(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('seed = 3\n[[rules]]\non = "users.*"\ndo = "answer"\ncode = "too_frequent"\n', encoding="utf-8")
    async with open_desk(simulator={"faults": path}) as desk, manager(desk.url, dialect="2") as one:
        assert (await one.fails("users.get.all")).code == "too_frequent"
    for text, problem in (
        ("seed =", "is not TOML"),
        ("colour = 1", "colour: Extra inputs"),
        ('[[rules]]\non = "users.*"\ndo = "dance"', r"rules\.0\.do: Input should be"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FaultsError, match=problem):
            SimulatorBackend(SimulatorSettings(faults=path))
    with pytest.raises(FaultsError, match="No such file"):
        Faults.load(tmp_path / "none.toml")


async def test_a_rule_can_be_about_every_function_of_a_connection(desk: Desk, mt: Client) -> None:
    """Those that areas have, and nothing that is not served."""
    served = {name for name, each in desk.gateway.gateway.functions.items() if each.needs_connection}
    named = {name for name in calls() if name in desk.gateway.gateway.functions}
    assert served - named == {name for name in served if name.startswith("simulator.")}
    assert {row.name for area in AREAS for row in area.functions} <= named


async def test_nothing_is_left_between_when_the_faults_are_gone(desk: Desk, mt: Client) -> None:
    (connection,) = desk.server_backend.connections
    listener, before = connection.listener, dict(vars(connection[Orders]))
    desk.server_backend.use_faults(Faults().on("order.*").hangs())
    assert vars(connection[Orders]) != before
    desk.server_backend.use_faults(None)
    assert vars(connection[Orders]) == before
    assert connection.listener is listener
