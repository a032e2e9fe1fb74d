"""The backend over a well-behaved library in the same process."""

from __future__ import annotations

import anyio
import pytest

from mt4abi import Deal, Pump, Trans, table
from mt_remote.backend import Connection
from mt_remote.errors import InvalidData, NotFound, RequestError, ServerError
from mt_remote.records import ConCommon, ConfirmMode, ConGroup, ConManager, Draft, Patch, TradeCommand, UserRecord
from mt_remote_plugins.areas import Common, Dealing, External, Groups, Managers, Market, Orders, Trades, Users
from mt_remote_plugins.manager.backend import ManagerBackend, ManagerSettings
from tests.plugins.manager.conftest import Heard, Opening
from tests.plugins.manager.tiny import NOW, TinyLibrary, TinyServer, row

pytestmark = pytest.mark.anyio


def _user(login: int = 0, **fields: object) -> Draft[UserRecord]:
    return Draft(UserRecord, {"login": login, "group": "demo", "name": "A", "password": "Pass1", **fields})


async def test_a_wrong_password_is_the_servers_error(opening: Opening, server: TinyServer) -> None:
    with pytest.raises(ServerError, match="Invalid account") as raised:
        async with opening(password="wrong"):
            pass
    assert raised.value.wire_code == "bad_account_info"
    assert server.handles == []


async def test_the_common_configuration_keeps_what_the_record_does_not_carry(
    opening: Opening, server: TinyServer
) -> None:
    server.common = row("ConCommon", name=b"Tiny", minclient=321, timezone=2)
    async with opening() as connection:
        await connection[Common].set(Patch(ConCommon, {"timezone": 3}))
        assert (await connection[Common].get()).timezone == 3
    assert server.common == row("ConCommon", name=b"Tiny", minclient=321, timezone=3)


async def test_a_groups_life(opening: Opening, server: TinyServer) -> None:
    async with opening() as connection:
        await connection[Groups].add(Draft(ConGroup, {"group": "mini", "securities": {"CFD": {"trade": True}}}))
        assert list((await connection[Groups].get("mini")).securities) == ["Forex", "CFD"]
        with pytest.raises(InvalidData, match="exists already"):
            await connection[Groups].add(Draft(ConGroup, {"group": "mini"}))
        before = server.groups[b"demo"]
        await connection[Groups].set(Patch(ConGroup, {"group": "demo", "enable": True}))
        differing = [at for at, (a, b) in enumerate(zip(before, server.groups[b"demo"], strict=True)) if a != b]
        assert differing == [table().layouts["ConGroup"].members["enable"].offset]
        assert [group.group for group in await connection[Groups].get_all()] == ["demo", "mini"]
        await connection[Groups].delete("demo")
        with pytest.raises(NotFound, match="Cannot find group 'demo'"):
            await connection[Groups].get("demo")
        with pytest.raises(NotFound):
            await connection[Groups].set(Patch(ConGroup, {"group": "demo"}))
        with pytest.raises(NotFound):
            await connection[Groups].delete("demo")


async def test_managers_are_added_changed_and_deleted_by_their_place(opening: Opening) -> None:
    async with opening() as connection:
        await connection[Managers].set(Patch(ConManager, {"login": 5, "groups": ["mini*"]}))
        await connection[Managers].set(Patch(ConManager, {"login": 5, "money": True}))
        found = await connection[Managers].get(5)
        assert (found.groups, found.money, list(found.securities)) == (["mini*"], True, ["Forex", "CFD"])
        await connection[Managers].delete(5)
        with pytest.raises(NotFound, match="Cannot find manager 5"):
            await connection[Managers].get(5)
        with pytest.raises(NotFound):
            await connection[Managers].delete(5)


async def test_a_users_life(opening: Opening, server: TinyServer) -> None:
    async with opening() as connection:
        login = (await connection[Users].add(_user()))["login"]
        assert await connection[Users].add(_user(7)) == {"login": 7}
        await connection[Users].set(Patch(UserRecord, {"login": login, "city": "Riga"}))
        found = await connection[Users].get([7, 999, login])
        assert [(user.login, user.city) for user in found] == [(7, ""), (login, "Riga")]
        assert b"Pass1" not in server.users[login]
        assert len(await connection[Users].get_all()) == 2
        with pytest.raises(NotFound, match="999"):
            await connection[Users].delete([7, 999])
        assert len(await connection[Users].get_all()) == 2
        await connection[Users].delete([7, login])
        assert await connection[Users].get_all() == []
        with pytest.raises(NotFound):
            await connection[Users].set(Patch(UserRecord, {"login": 7, "city": "x"}))
        with pytest.raises(InvalidData, match="name: character"):
            await connection[Users].add(_user(name="Ж"))


async def _open(connection: Connection) -> int:
    made = await connection[Orders].open(100, "EURUSD", TradeCommand.BUY_LIMIT, 0.29, 1.1, sl=1.0, comment="hello")
    return made["order"]


async def test_orders_are_opened_changed_and_closed(opening: Opening, server: TinyServer) -> None:
    async with opening() as connection:
        ticket = await _open(connection)
        trade = await connection[Trades].get(ticket)
        assert (trade.volume, trade.open_price, trade.comment) == (0.29, 1.1, "hello")
        await connection[Orders].modify(ticket, tp=1.3)
        trade = await connection[Trades].get(ticket)
        assert (trade.sl, trade.tp, trade.comment) == (1.0, 1.3, "hello")
        assert [t.order for t in await connection[Trades].get_by_login(100, "demo")] == [ticket]
        with pytest.raises(InvalidData, match="no pending sell_limit order"):
            await connection[Orders].cancel(ticket, TradeCommand.SELL_LIMIT)
        await connection[Orders].close(ticket, 0.29, 1.2)
        assert [t.order for t in await connection[Trades].history(100, 0, NOW)] == [ticket]
        with pytest.raises(NotFound, match="Cannot find order 77"):
            await connection[Orders].close(77, 1.0, 1.0)
        with pytest.raises(ServerError, match="Invalid parameters"):
            await connection[Orders].close(ticket, 1.0, 1.0)
        with pytest.raises(InvalidData, match="comment: at most 31 bytes"):
            await connection[Orders].open(1, "EURUSD", TradeCommand.BUY, 1.0, 1.0, comment="x" * 32)
        with pytest.raises(InvalidData, match=r"volume: must be a multiple of 0\.01 lot"):
            await connection[Orders].open(1, "EURUSD", TradeCommand.BUY, 0.001, 1.0)


async def test_an_empty_list_is_no_error_and_every_array_is_freed(opening: Opening, server: TinyServer) -> None:
    async with opening() as connection:
        assert await connection[Trades].get_all() == []
        await _open(connection)
        assert len(await connection[Trades].get_all()) == 1
        assert await connection[External].command("abc\0d") == "d\0cba"
    assert (server.memory.outstanding, server.memory.wrong_frees) == (0, 0)


async def test_a_list_that_needs_a_right_names_it_when_it_comes_empty(opening: Opening, server: TinyServer) -> None:
    server.rights = row("ConManager", login=1)
    async with opening() as connection:
        with pytest.raises(ServerError, match="Not enough rights"):
            await connection[Trades].get_all()


async def test_events_come_in_order_and_only_when_watched(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening() as connection:
        await connection.watch("trade")
        await connection.watch("trade")
        await connection[Users].add(_user(100))
        ticket = await _open(connection)
        await connection[Orders].close(ticket, 0.29, 1.2)
        await heard.until(lambda: len(heard.data("trade")) == 2)
        assert [(t.order, t.close_time) for t in heard.data("trade")] == [(ticket, 0), (ticket, NOW)]
        assert heard.data("user") == []
        await connection.unwatch("trade")
        await connection.watch("user")
        await connection.watch("group")
        await connection[Groups].add(Draft(ConGroup, {"group": "g"}))
        await connection[Users].set(Patch(UserRecord, {"login": 100, "city": "Riga"}))
        await heard.until(lambda: heard.data("user"))
        assert [g.group for g in heard.data("group")] == ["g"]
        assert heard.data("user")[0].city == "Riga"
        assert len(heard.data("trade")) == 2


async def test_a_record_erased_administratively_is_not_told(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening() as connection:
        await connection.watch("trade")
        server.pump(Pump.UPDATE_TRADES, Trans.UPDATE, row("TradeRecord", order=5, login=0))
        server.trade(6)
        await heard.until(lambda: heard.data("trade"))
        assert [trade.order for trade in heard.data("trade")] == [6]


async def test_ticks_of_shown_symbols_come_and_of_hidden_ones_do_not(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    async with opening() as connection:
        assert await connection[Market].last_ticks("EURUSD") == []
        await connection.watch("tick")
        await connection[Market].show("EURUSD")
        assert connection.carried() == ("EURUSD",)
        await connection[Market].add_tick("EURUSD", 1.1, 1.2)
        await heard.until(lambda: heard.data("tick"))
        tick = heard.data("tick")[0]
        assert (tick.symbol, tick.bid, tick.ask, tick.time) == ("EURUSD", 1.1, 1.2, NOW)
        assert heard.events[0].merge_key == "EURUSD"
        assert await connection[Market].last_ticks("EURUSD") == [tick]
        await connection[Market].hide("EURUSD")
        assert connection.carried() == ()
        with pytest.raises(NotFound, match="Cannot find symbol 'NOPE'"):
            await connection[Market].show("NOPE")


async def test_a_dealer_gets_requests_and_answers_them(opening: Opening, server: TinyServer, heard: Heard) -> None:
    server.request(9)
    async with opening() as connection:
        await connection.watch("trade_request")
        for number in (10, 11, 12):
            server.request(number)
        await heard.until(lambda: len(heard.data("trade_request")) == 4)
        assert [str(r.status) for r in heard.data("trade_request")] == ["locked"] * 4
        await connection[Dealing].confirm(9, 1.1, 1.2, ConfirmMode.ADD_PRICES)
        await connection[Dealing].requote(10, 1.3, 1.4)
        await connection[Dealing].reject(11)
        await connection[Dealing].reset(12)
        assert server.answers == [
            (9, (1.1, 1.2), 0, 1),
            (10, (1.3, 1.4), 1, 0),
            (11, (0, 0), -1, 0),
            (12, (0, 0), -2, 0),
        ]
        with pytest.raises(NotFound, match="Cannot find request 9"):
            await connection[Dealing].reject(9)
        await connection.unwatch("trade_request")
    assert server.handles == []


async def test_the_servers_clock(opening: Opening) -> None:
    async with opening() as connection:
        assert await connection.server_time() == NOW


async def test_pumping_that_stops_is_restarted_and_what_was_missed_is_told(
    opening: Opening, server: TinyServer, heard: Heard
) -> None:
    server.trade(1)
    server.trade(2)
    async with opening() as connection:
        for kind in ("trade", "group", "tick"):
            await connection.watch(kind)
        await connection[Market].show("EURUSD")
        failures = iter([6, 6])
        server.faults["connect"] = lambda handle, name: next(failures, None) or _connected(server, handle)
        server.stop(Pump.STOP_PUMPING)
        server.trades[3] = row("TradeRecord", order=3, login=100)
        server.closed[1] = row("TradeRecord", order=1, login=100, close_time=NOW)
        del server.trades[1]
        await heard.until(lambda: len(heard.data("trade")) == 2)
        assert [(t.order, t.close_time) for t in heard.data("trade")] == [(3, 0), (1, NOW)]
        server.trade(4)
        server.tick(b"EURUSD", 1.0, 1.1)
        await heard.until(lambda: len(heard.data("trade")) == 3 and heard.data("tick"))
        assert heard.data("group") == []
        assert heard.lost == []


def _connected(server: TinyServer, handle: object) -> int:
    del server.faults["connect"]
    handle.connected = True  # type: ignore[attr-defined]
    return 0


async def test_dealing_that_stops_is_restarted(opening: Opening, server: TinyServer, heard: Heard) -> None:
    async with opening() as connection:
        await connection.watch("trade_request")
        server.stop(Deal.STOP_DEALING, dealing=True)
        server.request(1)
        await heard.until(lambda: heard.data("trade_request"))


async def test_a_listener_may_start_tasks(server: TinyServer) -> None:
    """The gateway begins to reconnect from ``on_lost``."""
    done = anyio.Event()

    async def reconnect() -> None:
        done.set()

    class Restless(Heard):
        def on_lost(self, error: RequestError) -> None:
            group.start_soon(reconnect)

    backend = ManagerBackend(ManagerSettings(isolate=False, ping=0.01), library=TinyLibrary(server))
    async with anyio.create_task_group() as group:
        connection = await backend.open("tiny:443", 1, "manager", Restless())
        server.handles[0].connected = False
        with anyio.fail_after(10):
            await done.wait()
        await connection.aclose()
