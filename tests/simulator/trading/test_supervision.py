"""A law: once a tick, a transaction, a change of terms or a timer is through, no account that is to be stopped out has
a position that the server may close, and margin calls are those of the accounts' figures. Each account is worked out
from its orders alone, position by position, without sums and bands."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mt4sim import OrderChange
from mt4sim.market.symbols import MarginMode, ProfitMode
from mt4sim.state.figures import LevelType
from mt4sim.state.orders import Order
from mt4sim.trading.margin import Exposure, margin_of
from mt4sim.trading.terms import leverage_of
from mt_remote.errors import RequestError
from mt_remote.records import (
    ConGroup,
    Draft,
    ExecutionMode,
    GroupMarginMode,
    MarginType,
    Patch,
    TradeCommand,
    UserRecord,
)  # fmt: skip

from .conftest import Broker

PRICES = {"EURUSD": 1.1, "GBPUSD": 1.25, "EURGBP": 0.88, "USDJPY": 150.0, "EURJPY": 165.0, "USDCAD": 1.35,
          "EURCAD": 1.48, "ACME": 90.0}  # fmt: skip
GROUPS = {"main": 1, "yen": 150, "euro": 1}
"""What a dollar is in each, roughly."""

names, groups = st.sampled_from(sorted(PRICES)), st.sampled_from(sorted(GROUPS))
picks = st.integers(0, 5)
orders = st.sampled_from([TradeCommand.BUY, TradeCommand.SELL, TradeCommand.BUY_LIMIT, TradeCommand.SELL_STOP])
terms = st.fixed_dictionaries({}, optional={
    "margin_call": st.sampled_from([0, 7, 80, 100]), "margin_stopout": st.sampled_from([0, 20, 28, 50, 55, 150]),
    "margin_type": st.sampled_from(MarginType), "margin_mode": st.sampled_from(GroupMarginMode),
    "hedge_large_leg": st.booleans(), "stopout_skip_hedged": st.booleans(),
})  # fmt: skip
securities = st.fixed_dictionaries({
    "execution_mode": st.sampled_from([ExecutionMode.AUTO, ExecutionMode.AUTO, ExecutionMode.MANUAL]),
    "spread_diff": st.sampled_from([0, 3, 20, -5]), "commission_agent": st.sampled_from([0.0, 50.0]),
})  # fmt: skip
symbols = st.fixed_dictionaries({}, optional={
    "margin_hedged": st.sampled_from([0.0, 50_000.0, 100_000.0]), "margin_mode": st.sampled_from(MarginMode),
    "profit_mode": st.sampled_from(ProfitMode), "margin_initial": st.sampled_from([0.0, 1000.0]),
})  # fmt: skip


class Harm(RuleBasedStateMachine):
    """Six accounts in three groups of different currencies, brought to harm in every way."""

    @initialize(own=st.dictionaries(names, symbols, max_size=3), priced=st.sets(names))
    def begin(self, own: dict[str, dict[str, Any]], priced: set[str]) -> None:
        self.broker = Broker(margin_call=100, margin_stopout=50)
        self.server, self.trading = self.broker.server, self.broker.trading
        for name, fields in own.items():
            point = self.server.symbols[name].point
            self.broker.symbol(name, tick_size=point, tick_value=1.0, **fields)
        for name, currency in (("yen", "JPY"), ("euro", "EUR")):
            self.server.config.add_group(Draft(ConGroup, {"group": name, "currency": currency}))
            self.broker.group(name, margin_stopout=50, security={"execution_mode": ExecutionMode.AUTO})
        agent = self.broker.account(200)
        self.logins = [agent] + [
            self.broker.account(deposit * GROUPS[group], group=group, agent_account=agent)
            for group, deposit in (("main", 1000), ("main", 5000), ("yen", 1000), ("yen", 5000), ("euro", 2000))
        ]
        for name in sorted(priced):
            self.server.tick(name, PRICES[name], PRICES[name])

    # What is done

    @rule(name=names, percent=st.floats(-60, 60), spread=st.sampled_from([0, 1, 7, 400, -3]))
    def leap(self, name: str, percent: float, spread: int) -> None:
        self._quote(name, self.server.symbols[name].to_points(PRICES[name] * (1 + percent / 100)), spread)

    @rule(name=names, steps=st.lists(st.integers(-300, 300), min_size=1, max_size=8), spread=st.integers(0, 20))
    def wander(self, name: str, steps: list[int], spread: int) -> None:
        for step in steps:
            quote = self.server.quotes.last(name)
            self._quote(name, quote.bid + step if quote else self.server.symbols[name].to_points(PRICES[name]), spread)
            self.nobody_who_is_stopped_out_keeps_a_position()

    def _quote(self, name: str, bid: int, spread: int) -> None:
        if min(bid, bid + spread) > 20:
            self.server.quotes.tick(name, bid, bid + spread)

    @rule(pick=picks, name=names, cmd=orders, volume=st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0]),
          away=st.sampled_from([0.5, 0.9, 0.99, 1.0, 1.0, 1.01, 1.1, 2.0]))  # fmt: skip
    def open(self, pick: int, name: str, cmd: TradeCommand, volume: float, away: float) -> None:
        price = round(PRICES[name] * away, self.server.symbols[name].digits)
        self.broker.open(self.logins[pick], cmd, volume, price, name)

    @precondition(lambda self: self.trading.engine.book.all_open())
    @rule(pick=st.integers(0, 10_000), part=st.sampled_from([1, 2, 3]))
    def end(self, pick: int, part: int) -> None:
        """Activates, closes, deletes or moves an order."""
        order = self.trading.engine.book.all_open()[pick % len(self.trading.engine.book.all_open())]
        price = self.server.symbols[order.symbol].to_price(order.open_price)
        if order.cmd.is_pending:
            self.trading.transactions.activate(order.ticket, price)
        elif part == 1:
            self.trading.transactions.modify(order.ticket, OrderChange(price=price * 1.05))
        elif pick % 2:
            self.trading.transactions.delete(order.ticket)
        else:
            self.trading.transactions.close(order.ticket, max(1, order.volume // part) / 100, price)

    @rule(pick=picks, name=names)
    def close_all(self, pick: int, name: str) -> None:
        self.trading.transactions.close_all(self.logins[pick], name)

    @rule(pick=picks, credit=st.booleans(), amount=st.integers(-200_000, 200_000))
    def money(self, pick: int, credit: bool, amount: int) -> None:
        cmd = TradeCommand.CREDIT if credit else TradeCommand.BALANCE
        with suppress(RequestError):  # no cent, or more than there is
            self.trading.transactions.balance(self.logins[pick], cmd, amount / 100, expiration=self.server.now + 4_000)

    @rule(group=groups, fields=terms, security=securities)
    def change_terms(self, group: str, fields: dict[str, Any], security: dict[str, Any]) -> None:
        self.broker.group(group, **fields, security=security)

    @rule(pick=picks, group=groups, leverage=st.sampled_from([0, 1, 10, 500]))
    def change_account(self, pick: int, group: str, leverage: int) -> None:
        fields = {"login": self.logins[pick], "group": group, "leverage": leverage}
        self.server.accounts.set(Patch(UserRecord, fields))

    @rule(seconds=st.sampled_from([100, 4_000, 50_000]))
    def wait(self, seconds: int) -> None:
        self.server.advance(seconds)

    # What holds

    @invariant()
    def nobody_who_is_stopped_out_keeps_a_position(self) -> None:
        for login in self.logins:
            kind, dead, positions = self.standing(login)
            assert self.trading.supervisor.called.get(login, LevelType.OK) is kind
            if kind is LevelType.STOP_OUT or dead:
                left = [order for order in positions if not self.waits_for_dealer(order)]
                assert not left, self.trading.engine.margin_level(login)

    def waits_for_dealer(self, order: Order) -> bool:
        return self.trading.engine.terms_of(order).security.execution_mode is ExecutionMode.MANUAL

    def standing(self, login: int) -> tuple[LevelType, bool, list[Order]]:
        """An account's level, whether it binds no margin and has nothing left, and its positions (Semantics 6.9)."""
        engine, account = self.trading.engine, self.server.accounts.get(login)
        group = self.server.groups[account.group]
        positions = [o for o in engine.book.open.values() if o.login == login and o.cmd.is_market]
        floating, exposures = sum(map(engine.floating, positions)), dict[str, Exposure]()
        for order in positions:
            exposures.setdefault(order.symbol, Exposure()).add(order)
        margin = 0
        for name, exposure in exposures.items():
            own = engine.terms.of(account, name)
            margin += margin_of(exposure, own, leverage_of(account, own.group))
        equity = account.balance + account.credit + floating
        if not margin:
            watched = bool(positions and group.margin_stopout and not group.stopout_skip_hedged)
            return LevelType.OK, watched and equity < 0, positions
        measured = Fraction(100 * equity, margin)
        if group.margin_type is MarginType.CURRENCY:
            measured = Fraction(engine.free_margin(account, floating, margin), 100)
        if group.margin_stopout and measured <= group.margin_stopout:
            return LevelType.STOP_OUT, False, positions
        called = bool(group.margin_call) and measured <= group.margin_call
        return LevelType.MARGIN_CALL if called else LevelType.OK, False, positions


TestHarm = Harm.TestCase
TestHarm.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
