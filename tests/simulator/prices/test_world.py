"""Worlds: the file, its errors, the packaged demo broker."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt4sim.market.sessions import trade_open
from mt4sim.market.symbols import MarginMode, ProfitMode, SwapType, Symbol
from mt4sim.world import World, WorldError, demo_toml
from mt4sim.world.specs import read_windows, write_windows
from mt4sim.world.toml_text import write_toml
from mt_remote.records import ExecutionMode, MarginType, Unit

SMALL = """
version = 1
start = 2020-05-14T12:00:00

[server]
name = "Small"
owner = "Somebody"
last_order = 41

[sessions.day.quote]
weekdays = "9:00-12:00, 13:00-17:30"
friday = ""

[securities.Forex.symbols]
sessions = "day"
stops_level = 7

[securities.Other]

[symbols.EURUSD]
security = "Forex"
bid = 1.1
ask = 1.10005

[symbols.GOLD]
security = "Other"
profit_mode = "cfd"
currency = "USD"
digits = 2
swap_type = "interest"

[groups.a]
currency = "USD"
margin_call = 80

[groups.a.securities."*"]
show = true
lot_min = 0.1

[groups.a.securities.Other]
show = false

[groups.a.symbols.EURUSD]
swap_long = 1.5

[groups.b]
like = "a"
currency = "EUR"

[groups.b.securities.Other]
trade = true

[managers.7]
password = "secret1"
trades = true
groups = ["a*", "!b"]

[users.8]
group = "b"
name = "Eight"
password = "secret8"
deposit = 12.5

[[holidays]]
date = "2020-12-24"
work = "9:00-12:00"
symbol = "GOLD"

[no_clients]
saturday = "0:00-24:00"
monday = "2:30-3:30"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(WorldError) as caught:
        World.from_toml(text, source="w.toml")
    assert str(caught.value) == "\n".join(f"w.toml: {problem}" for problem in caught.value.problems)
    return list(caught.value.problems)


def test_a_small_world_is_what_it_says() -> None:
    world = World.from_toml(SMALL)
    common = world.make_common()
    assert (common.name, common.owner, common.last_order) == ("Small", "Somebody", 41)
    symbols = world.make_symbols()
    euro, gold = symbols["EURUSD"], symbols["GOLD"]
    assert (euro.currency, euro.quote, euro.margin_currency, euro.stops_level) == ("EUR", "USD", "EUR", 7)
    assert (gold.currency, gold.profit_mode, gold.swap_type) == ("USD", ProfitMode.CFD, SwapType.INTEREST)
    assert euro.sessions[4].trade == ((540, 720), (780, 1050))
    assert euro.sessions[5].quote == euro.sessions[6].quote == ()
    assert [(price.symbol, price.bid, price.ask) for price in world.starting_prices()] == [("EURUSD", 110000, 110005)]
    assert world.security_names == ["Forex", "Other"]
    (manager,) = world.make_managers().values()
    assert (manager.password, manager.record.trades, manager.record.admin) == ("secret1", True, False)
    assert list(manager.record.securities) == ["Forex", "Other"]
    (user,) = world.make_users().values()
    assert (user.draft.key, user.draft.get("group"), user.deposit) == (8, "b", 12.5)
    hours = world.make_calendar().hours
    assert hours[6] == [False] * 24
    assert [hour for hour in range(24) if not hours[1][hour]] == [2, 3]


def test_a_group_like_another_says_only_what_differs() -> None:
    groups = World.from_toml(SMALL).make_groups()
    a, b = groups["a"], groups["b"]
    assert (a.currency, b.currency, b.margin_call, b.group) == ("USD", "EUR", 80, "b")
    assert [(s.show, s.trade, s.lot_min) for s in a.securities.values()] == [(True, False, 0.1), (False, False, 0.1)]
    assert [(s.show, s.trade, s.lot_min) for s in b.securities.values()] == [(True, False, 0.1), (False, True, 0.1)]
    assert b.symbols["EURUSD"].swap_long == 1.5
    assert a.symbols is not b.symbols


def test_made_records_share_nothing() -> None:
    world = World.from_toml(SMALL)
    first, second = world.make_groups(), world.make_groups()
    first["a"].securities["Forex"].show = False
    first["a"].rights.append(next(iter(world.make_groups()["a"].rights), None))  # type: ignore[arg-type]
    assert second["a"].securities["Forex"].show
    assert world.make_groups() == second
    assert world.make_symbols()["EURUSD"] is not world.make_symbols()["EURUSD"]


@pytest.mark.parametrize("text", [SMALL, demo_toml(), "version = 1"])
def test_a_world_survives_the_way_to_toml_and_back(text: str) -> None:
    world = World.from_toml(text)
    again = World.from_toml(world.to_toml())
    assert again == world
    assert again.make_groups() == world.make_groups()
    assert again.make_symbols() == world.make_symbols()
    assert again.to_toml() == world.to_toml()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "version: field required"),
        ("version = 2", "version: input should be 1"),
        ("version = 1\nsymbol = 3", "symbol: extra inputs are not permitted"),
        ("version = 1\nstart = 2020-05-14T12:00:00Z", "start: must be in the server's own zone: leave the offset out"),
        ("version = 1\nstart = 1960-01-01T00:00:00", "start: must lie between 1970 and 2038"),
        ("version = 1\n[server]\nport = 99999", "server.port: input should be less than or equal to 65535"),
        ("version = 1\n[groups.g]\nlots = 3", "groups.g.lots: extra inputs are not permitted"),
        ("version = 1\n[groups.sixteen-letters-]", "groups.sixteen-letters-.group: string should have at most 15"),
        ("version = 1\n[groups.a]\nlike = 'b'\n[groups.b]\nlike = 'a'",
         "groups.a.like: groups may not be like each other in a circle"),
        ("version = 1\n[groups.a]\nlike = 'z'", "groups.a.like: there is no group 'z'"),
        ("version = 1\n[groups.a.securities.F]\nshow = true",
         "groups.a.securities.F: there is no security of that name (there are none)"),
        ("version = 1\n[groups.a.symbols.F]\nswap_long = 1.0", "groups.a.symbols.F: there is no symbol of that name"),
        ("version = 1\n[managers.5]", "managers.5.password: needed, as there is no user 5 whose password would count"),
        ("version = 1\n[managers.five]\npassword = 'x'", "managers.five: input should be a valid integer"),
        ("version = 1\n[users.5]\ngroup = 'g'\nname = 'N'\npassword = 'p'", "users.5.group: there is no group 'g'"),
        ("version = 1\n[groups.g]\n[users.5]\ngroup = 'g'\nname = 'N'\npassword = 'p'\ncredit = 5.0",
         "users.5.credit_expiration: must lie after the world's start"),
        ("version = 1\n[symbols.X]\nsecurity = 'S'", "symbols.X.security: there is no security 'S'"),
        ("version = 1\n[securities.S]\n[symbols.X]\nsecurity = 'S'\nsessions = 'day'",
         "symbols.X.sessions: there are no sessions 'day'"),
        ("version = 1\n[securities.S]\n[symbols.X]\nsecurity = 'S'\ntrade = 'maybe'",
         "symbols.X.trade: must be one of no, close, full"),
        ("version = 1\n[securities.S.symbols]\nbid = 1.0", "securities.S.symbols.bid: extra inputs are not permitted"),
        ("version = 1\n[securities.S]\n[symbols.EURUSD]\nsecurity = 'S'\nbid = 1.123456\nask = 1.2",
         "symbols.EURUSD.bid: 1.123456 is not a price of 5 digits"),
        ("version = 1\n[securities.S]\n[symbols.EURUSD]\nsecurity = 'S'\nbid = 1.1",
         "symbols.EURUSD: a starting price needs bid and ask, or none of them"),
        ("version = 1\n[securities.S]\n[symbols.EURUSD]\nsecurity = 'S'\nbid = 1.1\nask = 1.0",
         "symbols.EURUSD.ask: below the bid"),
        ("version = 1\n[securities.S]\n[symbols.X]\nsecurity = 'S'\nprofit_mode = 'cfd'",
         "symbols.X.currency: needed"),
        ("version = 1\n[sessions.s.quote]\nmonday = '12:00-9:00'",
         "sessions.s.quote.monday: '12:00-9:00' must open before it closes, both from 0:00 to 24:00 of one day"),
        ("version = 1\n[sessions.s.quote]\nmonday = '1:00-2:00,2:00-3:00,3:00-4:00,5:00-6:00'",
         "sessions.s.quote.monday: at most 3 windows a day, got 4"),
        ("version = 1\n[[holidays]]\ndate = '2020-13-01'",
         "holidays.0.date: must be a date such as 2020-12-25, or 12-25 for every year"),
        ("version = 1\n[[holidays]]\ndate = '12-25'\nsymbol = 'X'",
         "holidays.0.symbol: 'X' is neither All nor a symbol nor a security"),
        ("version = 1\n[feed]\nkind = 'live'", "feed.kind: input should be 'off', 'random' or 'replay'"),
        ("version = 1\nstart = x\n", "Invalid value (at line 2, column 9)"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_path(text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(text)), problems(text)


def test_every_mistake_is_named() -> None:
    found = problems("version = 1\nfoo = 1\n[server]\nname = 3\n[groups.g]\nmargin_call = 'x'\n")
    assert [problem.split(":")[0] for problem in found] == ["server.name", "groups.g.margin_call", "foo"]


def test_files_are_read_and_missed_by_name(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    assert World.load(path) == World.from_toml(SMALL)
    with pytest.raises(WorldError, match=r"none\.toml: No such file"):
        World.load(tmp_path / "none.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(WorldError, match=r"small\.toml: not UTF-8 text"):
        World.load(path)


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(World.from_toml(SMALL))


plain = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=8),
                  st.floats(allow_nan=False, allow_infinity=False))  # fmt: skip
values = st.one_of(plain, st.lists(plain, max_size=3))
documents = st.recursive(
    st.dictionaries(st.text(max_size=6), values, max_size=3),
    lambda inner: st.dictionaries(
        st.text(max_size=6), st.one_of(values, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3
    ),
    max_leaves=6,
)


@given(documents)
def test_written_toml_reads_back_as_the_same_values(document: dict[str, object]) -> None:
    assert tomllib.loads(write_toml(document)) == document


@given(st.lists(st.integers(0, 1440), min_size=0, max_size=6, unique=True))
def test_windows_survive_the_way_to_text_and_back(cuts: list[int]) -> None:
    ordered = sorted(cuts)
    windows = tuple(zip(ordered[::2], ordered[1::2], strict=False))
    assert read_windows(write_windows(windows)) == windows


def test_symbols_survive_saving_and_loading(demo: World) -> None:
    for symbol in demo.make_symbols().values():
        assert Symbol.from_state(json.loads(json.dumps(symbol.state()))) == symbol


def test_a_world_starts_when_it_says_and_never_at_0() -> None:
    assert World.from_toml("version = 1").start == World.demo().start == 1589457600
    assert World.from_toml("version = 1\nstart = 2021-03-04T05:06:07").start == 1614834367
    assert problems("version = 1\nstart = 1970-01-01T00:00:00") == ["start: must not lie on the first day of 1970"]


# The demo broker.


def test_the_demo_world_is_a_whole_broker(demo: World) -> None:
    common = demo.make_common()
    assert (common.name, common.owner, common.last_login, common.lost_commission_login) == (
        "Demo", "Broker name", 249967816, 1000215517,
    )  # fmt: skip
    booked = sum(bool(user.deposit) + bool(user.credit) for user in demo.make_users().values())
    assert common.last_order + booked == 249967816
    assert demo.security_names == ["Forex", "CFD", "Indexes", "Metals", "Futures"]
    assert set(demo.make_groups()) >= {"manager", "demoforex", "demoforex-eur", "miniforex", "demopro"}
    first = demo.make_managers()[1]
    assert (first.password, first.record.groups) == ("manager", ["*"])
    flags = [name for name, wire in first.record.wires.items() if wire.unit is Unit.FLAG and name != "ip_filter"]
    assert all(getattr(first.record, name) for name in flags)


def test_the_demo_worlds_logins_leave_room_for_tests(demo: World) -> None:
    assert not [login for login in demo.users if 100 <= login <= 999 or login == 123]
    assert "test" not in demo.groups


def test_every_demo_group_may_trade_everything(demo: World) -> None:
    for group in demo.make_groups().values():
        assert group.enable
        assert group.currency
        for security in group.securities.values():
            assert security.show
            assert security.trade
            assert (security.lot_min, security.lot_max, security.lot_step) == (0.01, 1000.0, 0.01)


def test_the_plain_demo_groups_hold_no_surprises(demo: World) -> None:
    groups = demo.make_groups()
    for name in ("demoforex", "demoforex-eur", "miniforex"):
        group = groups[name]
        assert (group.margin_call, group.margin_stopout, group.default_leverage) == (0, 0, 100)
        assert all(security.commission_base == 0 for security in group.securities.values())
        assert all(security.execution_mode is ExecutionMode.AUTO for security in group.securities.values())
    pro = groups["demopro"]
    assert (pro.margin_type, pro.margin_call, pro.margin_stopout) == (MarginType.PERCENT, 100, 50)
    assert pro.securities["Forex"].commission_base == 7.0


def test_demo_symbols_are_complete_and_in_line(demo: World) -> None:
    symbols = demo.make_symbols()
    prices = {price.symbol: price for price in demo.starting_prices()}
    assert set(prices) == set(symbols)
    middles = {name: (price.bid + price.ask) / 2 / symbols[name].multiply for name, price in prices.items()}
    for name, symbol in symbols.items():
        assert symbol.description
        assert prices[name].bid < prices[name].ask
        if symbol.security == "Forex" and "USD" not in name:
            base, quote = name[:3], name[3:]
            usd = [
                middles[f"{code}USD"] if f"{code}USD" in middles else 1 / middles[f"USD{code}"]
                for code in (base, quote)
            ]
            assert middles[name] == pytest.approx(usd[0] / usd[1], rel=3e-4), name
        if symbol.margin_mode in (MarginMode.FUTURES, MarginMode.CFD_INDEX):
            assert symbol.tick_size > 0
            assert symbol.tick_value == pytest.approx(
                symbol.tick_size * (1 if symbol.margin_mode is MarginMode.CFD_INDEX else symbol.contract_size)
            )
    euro = symbols["EURUSD"]
    assert (euro.digits, euro.contract_size, euro.currency, euro.quote) == (5, 100_000.0, "EUR", "USD")


def test_every_demo_currency_converts_to_every_deposit_currency(demo: World) -> None:
    symbols = demo.make_symbols()
    deposits = {group.currency for group in demo.make_groups().values()}
    needed = {code for symbol in symbols.values() for code in (symbol.currency, symbol.quote, symbol.margin_in)}
    for code in needed | deposits:
        assert code == "USD" or f"{code}USD" in symbols or f"USD{code}" in symbols


def test_the_demo_world_starts_in_an_open_market(demo: World) -> None:
    symbols = demo.make_symbols()
    open_now = {name for name, symbol in symbols.items() if trade_open(symbol, demo.start)}
    assert open_now >= {name for name, symbol in symbols.items() if symbol.security in ("Forex", "Metals", "Futures")}
