"""Random valid calls in each dialect: every answer and event has exactly the documented fields and types."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stories import shapes
from tests.stories.client import CallFailed, Client, manager
from tests.stories.conftest import START, Open

pytestmark = pytest.mark.anyio

Call = tuple[str, dict[str, Any]]

logins = st.sampled_from([100, 101])
groups = st.sampled_from(["miniforex", "demoforex", "demopro", "test"])
symbols = st.sampled_from(["EURUSD", "USDJPY", "XAUUSD"])
prices = st.integers(1, 500_000).map(lambda points: points / 1000)
lots = st.integers(1, 1000).map(lambda hundredths: hundredths / 100)
words = st.text(st.characters(codec="cp1252", exclude_characters="\0"), max_size=15)
flags = st.booleans()
raw = st.binary(max_size=16).map(lambda data: base64.b64encode(data).decode())


def call(name: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Call]:
    return st.tuples(st.just(name), st.fixed_dictionaries(required, optional=optional or {}))


SECURITY = st.fixed_dictionaries(
    {},
    optional={
        "show": flags, "trade": flags, "spread_diff": st.integers(0, 20), "lot_min": lots, "commission_base": prices,
        "trade_rights": st.none() | st.sampled_from(["deny-close-by", ["deny-multiple-close-by", "deny-close-by"]]),
    },
)  # fmt: skip
GROUP = {
    "enable": flags, "company": words, "copies": st.integers(0, 9), "margin_type": st.sampled_from([0, 1]),
    "rights": st.lists(st.sampled_from(["email", "trailing", "forced_otp"])), "credit": prices,
    "news_languages": st.lists(st.sampled_from(["en-EN", "ru-RU", "de-DE"]), max_size=7),
    "securities": st.dictionaries(st.sampled_from(["Forex", "Metals"]), SECURITY),
    "symbols": st.dictionaries(
        symbols, st.fixed_dictionaries({}, optional={"swap_long": prices, "margin_pct": prices})
    ),
}  # fmt: skip
USER = {
    "name": words.filter(bool), "city": words, "leverage": st.integers(0, 1000), "api_data": raw, "taxes": prices,
    "user_color": st.integers(0, 2**32 - 1), "read_only": flags, "mqid": st.integers(0, 2**32 - 1), "balance": prices,
}  # fmt: skip
ORDER = {"sl": prices, "tp": prices, "comment": words, "expiration": st.integers(START + 3600, START + 10**6)}
COMMANDS = st.sampled_from(["buy", "sell", "buy_limit", "buy_stop", "sell_limit", "sell_stop"])
TICKETS = st.integers(249_967_817, 249_967_840)

CALLS = st.lists(
    st.one_of(
        call("config.common.get", {}),
        call("config.common.set", {}, {"timeout": st.integers(0, 999), "optimization_time_minutes": st.just("23:0"),
                                       "web_adresses": st.lists(st.just("127.0.0.1"), max_size=8), "name": words}),
        call("config.group.add", {"group": groups}, GROUP),
        call("config.group.set", {"group": groups}, GROUP),
        call("config.group.get", {"group": groups}),
        call("config.groups.get.all", {}),
        call("config.manager.set", {"login": st.just(123)}, {"money": flags, "ip_from": st.just("10.0.0.1"),
                                                            "groups": st.just(["mini*", "*"]), "name": words}),
        call("config.manager.get", {"login": st.sampled_from([1, 123])}),
        call("user.add", {"login": logins, "group": groups, "name": words.filter(bool), "password": st.just("Pass1")},
             {name: values for name, values in USER.items() if name != "name"}),
        call("user.set", {"login": logins}, USER),
        call("users.get", {"logins": st.lists(logins)}),
        call("users.get.all", {}),
        call("tick.add", {"symbol": symbols, "bid": prices, "ask": prices}),
        call("ticks.get", {"symbol": symbols}),
        call("order.open", {"login": logins, "symbol": symbols, "command": COMMANDS, "volume": lots, "price": prices},
             ORDER),
        call("order.modify", {"order": TICKETS}, {"price": prices, **ORDER}),
        call("order.close", {"order": TICKETS, "volume": lots, "price": prices}),
        call("order.close_all", {"login": logins, "symbol": symbols}),
        call("order.activate", {"order": TICKETS, "price": prices}),
        call("order.balance", {"login": logins, "command": st.sampled_from(["balance", "credit"]), "amount": prices,
                               "expiration": st.just(START + 10**6)}),
        call("trade.get", {"order": TICKETS}),
        call("trades.get", {}),
        call("trades.get.by_login", {"login": logins, "group": groups}),
        call("trades.history", {"login": logins}),
        call("external.command", {"command": words, "encoding": st.just("plain")}),
        call("simulator.trader.open", {"login": logins, "symbol": symbols, "command": COMMANDS, "volume": lots}),
    ),
    min_size=10,
    max_size=60,
)  # fmt: skip


async def start_day(client: Client) -> None:
    for kind in ("connection", "group", "user", "trade", "tick", "trade_request"):
        await client.call("subscribe", event=kind)
    for symbol in ("EURUSD", "USDJPY", "XAUUSD"):
        await client.call("symbol.show", symbol=symbol)
    for login, group in ((100, "miniforex"), (101, "demodealing")):
        await client.call("user.add", login=login, group=group, name="A", password="Pass1", enable=True, leverage=100)
        await client.call("order.balance", login=login, command="balance", amount=1_000_000.0)


@pytest.mark.parametrize("dialect", ["0", "1.00", "2"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(calls=CALLS)
async def test_every_answer_and_event_has_the_documented_shape(opening: Open, dialect: str, calls: list[Call]) -> None:
    results, events = shapes.results(dialect), shapes.events(dialect)
    async with opening() as desk, manager(desk.url, dialect=dialect) as client:
        await start_day(client)
        answered = 0
        for name, data in calls:
            try:
                result = await client.call_with(name, data)
            except CallFailed:
                continue
            answered += 1
            if name in results:
                assert results[name](result), (name, result)
            elif not name.startswith("simulator."):
                assert result is None
        told = await client.settled()
        assert [event["event_id"] for event in told] == list(range(len(told)))
        for event in told:
            assert set(event) == {"event", "event_id", "data"}
            assert events[event["event"]](event["data"]), event
        assert answered
