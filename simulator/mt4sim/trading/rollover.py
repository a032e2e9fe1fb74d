"""Day and month ends: swaps, interest, previous balances, daily reports, day orders, the archive (Semantics 4, 6.6,
9.6, 9.7)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import takewhile

from mt4sim.clock import DAY_SECONDS, Timer, next_time_of_day
from mt4sim.events import Change
from mt4sim.market.symbols import GtcMode
from mt4sim.money import to_cents
from mt4sim.state.accounts import Account
from mt4sim.state.figures import DailyReport
from mt4sim.state.orders import Order
from mt4sim.trading.engine import Engine
from mt4sim.trading.swaps import SATURDAY, interest, nights, swap
from mt_remote.records import TradeCommand


class Rollover:
    """Does what is due at the end of each server day (``ConCommon.endhour:endminute``)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.reports = engine.state.reports  # the state's own: nothing else remembers how a day ended
        self._timer: Timer | None = None
        self._set_for: tuple[int, int] | None = None  # the hour and minute that the timer waits for
        self.schedule()

    def schedule(self) -> None:
        """Waits for the next day end. Changing the end of day counts at once."""
        state = self._engine.state
        common = state.common
        ends = (common.end_of_day_hour, common.end_of_day_minute)
        if self._timer is not None and self._timer.is_set:
            if ends == self._set_for:
                return
            self._timer.cancel()
        self._set_for = ends
        self._timer = state.timeline.at(next_time_of_day(state.timeline.now, *ends), self.end_day)

    def end_day(self) -> None:
        """Everything of one day's end, in order: day orders, swaps, interest, reports, previous figures, archive."""
        engine = self._engine
        now = datetime.fromtimestamp(engine.now - 1, UTC)  # the day that ends: at 0:00 it is yesterday
        self._drop_day_orders()
        self._charge_swaps(now.weekday())
        new_month = self._month_ends(now)
        accounts = engine.state.accounts.all()
        for account in accounts:
            self._interest(account, post=new_month)
        for account in accounts:
            self._close_books(account, now, new_month=new_month)
        self._archive(accounts)
        common = engine.state.common
        common.overnight_prev_time = common.overnight_last_time
        common.overnight_last_day, common.overnight_last_time = now.day, engine.now
        if new_month:
            common.overmonth_last_month = now.month
        self.schedule()
        engine.supervise()

    @staticmethod
    def _month_ends(now: datetime) -> bool:
        return datetime.fromtimestamp(now.timestamp() + DAY_SECONDS, UTC).month != now.month

    def _drop_day_orders(self) -> None:
        """``gtc_pendings``: DAILY drops pendings and stops, DAILY_NO_STOPS pendings alone (Semantics 6.6)."""
        engine = self._engine
        for order in list(engine.book.open.values()):
            mode = engine.state.symbols[order.symbol].gtc_pendings
            if mode is GtcMode.GTC:
                continue
            if order.cmd.is_pending:
                engine.drop(order, "expiration")
            elif mode is GtcMode.DAILY and (order.sl or order.tp):
                engine.changing(order)
                order.sl = order.tp = 0
                self._changed(order)

    def _changed(self, order: Order) -> None:
        order.timestamp = self._engine.now
        self._engine.tell_watchers(order)
        self._engine.emit(Change.UPDATE, order)

    def _charge_swaps(self, week_day: int) -> None:
        engine = self._engine
        for order in list(engine.book.open.values()):
            if not order.cmd.is_market:
                continue
            terms = engine.terms_of(order)
            count = nights(terms.symbol.swap_rollover3days, week_day)
            cents = count * swap(engine.converter, terms, order, engine.closing_price(order, terms)) if count else 0
            if cents:
                engine.charge_swap(order, cents)

    def _interest(self, account: Account, *, post: bool) -> None:
        """Interest gathers by the day and is booked when the month ends. Assumed: the comment (Semantics 4.6)."""
        engine = self._engine
        group = engine.state.groups[account.group]
        if group.use_swap and group.interest_rate:
            floating = engine.floating_of(account.login)
            free = engine.free_margin(account, floating, engine.margin_of(account.login))
            account.interest += interest(free, group.interest_rate)
        if post and account.interest:
            cents, account.interest = to_cents(account.interest), 0.0
            if cents:
                engine.book_money(account, cents, TradeCommand.BALANCE, "Interest")

    def _close_books(self, account: Account, now: datetime, *, new_month: bool) -> None:
        engine = self._engine
        floating, margin = engine.floating_of(account.login), engine.margin_of(account.login)
        equity = account.balance + account.credit + floating
        if now.weekday() < SATURDAY or engine.state.common.statement_weekend:
            self._report(account, floating, margin, equity)
        account.prev_balance, account.prev_equity = account.balance, equity
        if new_month:
            account.prev_month_balance, account.prev_month_equity = account.balance, equity

    def _report(self, account: Account, floating: int, margin: int, equity: int) -> None:
        engine, now = self._engine, self._engine.now
        day = list(takewhile(lambda o: o.close_time > now - DAY_SECONDS, engine.book.each_closed_of(account.login)))
        report = DailyReport(
            login=account.login,
            time=now,
            group=account.group,
            balance_prev=account.prev_balance,
            balance=account.balance,
            deposit=sum(o.profit for o in day if o.cmd is TradeCommand.BALANCE),
            credit=account.credit,
            profit_closed=sum(o.result for o in day if o.cmd.is_market),
            profit=floating,
            equity=equity,
            margin=margin,
            free=engine.free_margin(account, floating, margin),
        )
        self.reports.setdefault(account.login, []).append(report)

    def daily_reports(self, login: int, start: int, end: int) -> list[DailyReport]:
        """An account's reports of the range, both ends included, by time."""
        return [report for report in self.reports.get(login, ()) if start <= report.time <= end]

    def _archive(self, accounts: list[Account]) -> None:
        """Idle accounts with little on them move out; 0 days switches it off (Semantics 9.7)."""
        engine = self._engine
        for account in accounts:
            group = engine.state.groups[account.group]
            idle = engine.now - account.last_date
            if not group.archive_period or idle <= group.archive_period * DAY_SECONDS:
                continue
            if account.balance <= group.archive_max_balance * 100 and not engine.book.count_of(account.login):
                engine.state.accounts.archive(account.login)
                engine.state.events.emit("user", Change.DELETE, account)

    def forget(self, login: int) -> None:
        """The account is gone."""
        self.reports.pop(login, None)
