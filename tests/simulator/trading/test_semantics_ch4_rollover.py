"""Semantics, chapter 4 and 9.6, 9.7: swaps, interest, day and month ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mt4sim import Server
from mt4sim.events import Change
from mt4sim.market.symbols import GtcMode, MarginMode, ProfitMode, SwapType
from mt_remote.records import ConCommon, Patch, TradeCommand

from .conftest import Broker

BUY, SELL = TradeCommand.BUY, TradeCommand.SELL
DAY = 86_400


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def nights(broker: Broker, count: int = 1) -> None:
    broker.server.advance(count * DAY)


def test_points(broker: Broker) -> None:
    """From a Thursday: Thursday, Friday, no charge on the weekend, Monday, Tuesday, Wednesday thrice."""
    broker.symbol("EURUSD", swap_long=-2.2)
    login = broker.account()
    ticket = broker.open(login, BUY, 1.0, 1.1)
    seen = []
    for _ in range(8):
        nights(broker)
        seen.append(broker.record(ticket).storage)
    assert seen == [-2.20, -4.40, -4.40, -4.40, -6.60, -8.80, -15.40, -17.60]
    assert broker.user(login).balance == 0.0
    broker.trading.transactions.close(ticket, 1.0, 1.1)
    assert broker.user(login).balance == -17.60


def test_five_nights(broker: Broker) -> None:
    broker.symbol("EURUSD", swap_long=-2.2, swap_rollover3days=6)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    nights(broker, 7)
    assert broker.record(ticket).storage == -11.0


def test_points_of_the_yen(broker: Broker) -> None:
    broker.symbol("USDJPY", swap_short=-1.5)
    broker.tick("USDJPY", 149.99, 150.0)
    ticket = broker.open(broker.account(), SELL, 1.0, 150.0, "USDJPY")
    nights(broker)
    assert broker.record(ticket).storage == -1.0


@pytest.mark.parametrize(("open_price", "storage"), [(False, -11.67), (True, -9.72)])
def test_interest_of_the_price(broker: Broker, open_price: bool, storage: float) -> None:
    broker.symbol("EURUSD", swap_type=SwapType.INTEREST, swap_long=-3.5, swap_openprice=open_price)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.0)
    broker.tick("EURUSD", 1.2, 1.2002)
    nights(broker)
    assert broker.record(ticket).storage == storage


def test_in_the_base_currency(broker: Broker) -> None:
    broker.symbol("EURUSD", swap_type=SwapType.DOLLARS, swap_long=2.0)
    broker.tick("EURUSD", 1.2, 1.2)
    ticket = broker.open(broker.account(), BUY, 1.5, 1.0)
    nights(broker)
    assert broker.record(ticket).storage == 3.60


def test_in_the_margin_currency(broker: Broker) -> None:
    broker.symbol("ACME", swap_type=SwapType.MARGIN_CURRENCY, swap_short=-4.0, margin_currency="EUR",
                  profit_mode=ProfitMode.CFD, margin_mode=MarginMode.CFD)  # fmt: skip
    broker.tick("EURUSD", 1.2, 1.2)
    broker.tick("ACME", 100.0, 100.0)
    ticket = broker.open(broker.account(), SELL, 1.0, 100.0, "ACME")
    nights(broker)
    assert broker.record(ticket).storage == -4.80


def test_a_groups_own_swap_goes_first(broker: Broker) -> None:
    broker.symbol("EURUSD", swap_long=-2.2, swap_short=-1.0)
    broker.group(symbols={"EURUSD": {"swap_long": 3.0}})
    login = broker.account()
    buy, sell = broker.open(login, BUY, 1.0, 1.1), broker.open(login, SELL, 1.0, 1.1)
    nights(broker)
    assert [broker.record(ticket).storage for ticket in (buy, sell)] == [3.0, -1.0]


@pytest.mark.parametrize("off", ["group", "symbol", "pending"])
def test_no_swap(broker: Broker, off: str) -> None:
    broker.symbol("EURUSD", swap_long=-2.2, swap_enable=off != "symbol")
    broker.group(use_swap=off != "group")
    cmd = TradeCommand.BUY_LIMIT if off == "pending" else BUY
    ticket = broker.open(broker.account(), cmd, 1.0, 1.1)
    other = broker.open(broker.account(), BUY, 1.0, 1.1)
    nights(broker)
    assert broker.record(ticket).storage == 0.0
    assert broker.record(other).storage == (-2.2 if off == "pending" else 0.0)


def test_a_day_that_ends_at_midnight_is_the_day_before(broker: Broker) -> None:
    broker.server.config.set_common(Patch(ConCommon, {"end_of_day_hour": 0, "end_of_day_minute": 0}))
    broker.symbol("EURUSD", swap_long=-2.2)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    seen = []
    for _ in range(7):  # Thursday noon to Thursday noon
        nights(broker)
        seen.append(broker.record(ticket).storage)
    assert seen == [-2.20, -4.40, -4.40, -4.40, -6.60, -8.80, -15.40]


def test_a_changed_day_end_counts_at_once(broker: Broker) -> None:
    broker.symbol("EURUSD", swap_long=-2.2)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    broker.server.config.set_common(Patch(ConCommon, {"end_of_day_hour": 12, "end_of_day_minute": 30}))
    broker.server.advance(1799)
    assert broker.record(ticket).storage == 0.0
    broker.server.advance(1)
    assert broker.record(ticket).storage == -2.2
    broker.server.config.set_common(Patch(ConCommon, {"end_of_day_hour": 13, "end_of_day_minute": 30}))
    broker.server.advance(3600)
    assert broker.record(ticket).storage == -4.4


def test_interest_gathers_and_is_posted_at_the_months_end(broker: Broker) -> None:
    broker.group(interest_rate=2.0)
    login = broker.account(10_000)
    nights(broker)
    assert broker.user(login).interestrate == pytest.approx(0.5556, abs=1e-4)
    assert broker.user(login).balance == 10_000.0
    broker.server.advance_to(moment("2020-06-01T00:00:00"))
    posted = broker.history(login)[-1]
    assert (posted.cmd, posted.comment, posted.profit) == (TradeCommand.BALANCE, "Interest", 10.0)  # 18 days
    assert (broker.user(login).balance, broker.user(login).interestrate) == (10_010.0, 0.0)


def test_a_year_ends_with_a_month(broker: Broker) -> None:
    broker.server.advance_to(moment("2020-12-30T12:00:00"))
    broker.group(interest_rate=3.6)
    login = broker.account(10_000)
    nights(broker, 2)
    assert [record.profit for record in broker.history(login)] == [10_000.0, 2.0]
    assert broker.server.config.common().overmonth_last_month == 12


@pytest.mark.parametrize("off", ["use_swap", "no free margin"])
def test_no_interest(broker: Broker, off: str) -> None:
    broker.group(interest_rate=2.0, use_swap=off != "use_swap")
    login = broker.account(10_000)
    if off == "no free margin":
        broker.open(login, BUY, 10.0, 1.1)
    nights(broker)
    assert broker.user(login).interestrate == 0.0


def test_previous_figures_and_reports(broker: Broker) -> None:
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1000)
    closed = broker.open(login, BUY, 0.1, 1.1)
    broker.trading.transactions.close(closed, 0.1, 1.101)
    broker.open(login, BUY, 0.1, 1.1)
    broker.tick("EURUSD", 1.095, 1.0952)
    nights(broker)
    user = broker.user(login)
    assert (user.prev_day_balance, user.prev_day_equity) == (1010.0, 960.0)
    assert (user.prev_month_balance, user.prev_month_equity) == (0.0, 0.0)
    (report,) = broker.trading.rollover.daily_reports(login, 0, 2**31)
    assert (report.balance_prev, report.balance, report.deposit, report.credit) == (0, 1010_00, 1000_00, 0)
    assert (report.profit_closed, report.profit, report.equity) == (10_00, -50_00, 960_00)
    assert (report.margin, report.free) == (110_00, 850_00)
    assert report.time == moment("2020-05-14T23:59:00")
    nights(broker)
    assert [each.deposit for each in broker.trading.rollover.daily_reports(login, 0, 2**31)] == [1000_00, 0]
    broker.server.advance_to(moment("2020-06-01T00:00:00"))
    assert broker.user(login).prev_month_balance == 1010.0


def test_reports_of_a_range(broker: Broker) -> None:
    """Both ends belong to it."""
    login = broker.account(1000)
    nights(broker, 2)
    first, second = (moment(f"2020-05-{day}T23:59:00") for day in (14, 15))

    def found(start: int, end: int) -> list[int]:
        return [report.time for report in broker.trading.rollover.daily_reports(login, start, end)]

    assert found(first, second) == [first, second]
    assert found(first + 1, second) == [second]
    assert found(first, second - 1) == [first]
    assert found(first, first) == [first]
    assert found(first + 1, second - 1) == []


def test_a_report_is_of_one_day(broker: Broker) -> None:
    """Of what was closed after the last day's end, and of deposits, not of credit."""
    broker.tick("EURUSD", 1.1, 1.1)
    login = broker.account(1000)
    broker.trading.transactions.balance(login, TradeCommand.CREDIT, 50, expiration=broker.server.now + 90 * DAY)
    late, early = broker.open(login, BUY, 0.1, 1.1), broker.open(login, BUY, 0.1, 1.1)
    broker.server.advance_to(moment("2020-05-14T23:59:00") - 1)
    broker.trading.transactions.close(early, 0.1, 1.102)
    nights(broker)
    broker.trading.transactions.close(late, 0.1, 1.103)
    nights(broker)
    reports = broker.trading.rollover.daily_reports(login, 0, 2**31)
    assert [(each.balance_prev, each.balance, each.credit) for each in reports] == [
        (0, 1020_00, 50_00), (1020_00, 1050_00, 50_00),
    ]  # fmt: skip
    assert [(each.deposit, each.profit_closed) for each in reports] == [(1000_00, 20_00), (0, 30_00)]
    last = reports[1]
    assert (last.equity, last.free, last.group, last.login) == (1100_00, 1100_00, "main", login)


def test_reports_are_part_of_the_servers_state(broker: Broker) -> None:
    one, two = broker.account(1000), broker.account(2000)
    nights(broker, 2)
    kept, other = broker.trading.rollover, Server.restored(broker.server.snapshot()).trading.rollover
    assert [report.balance for report in other.daily_reports(two, 0, 2**31)] == [2000_00, 2000_00]
    assert other.reports == kept.reports
    other.forget(one)
    assert (list(other.reports), other.daily_reports(one, 0, 2**31)) == ([two], [])


@pytest.mark.parametrize(("weekend", "reports"), [(False, 5), (True, 7)])
def test_reports_of_weekends(broker: Broker, weekend: bool, reports: int) -> None:
    broker.server.config.set_common(Patch(ConCommon, {"statement_weekend": weekend}))
    login = broker.account(1000)
    nights(broker, 7)
    assert len(broker.trading.rollover.daily_reports(login, 0, 2**31)) == reports


def test_the_servers_own_notes_of_the_night(broker: Broker) -> None:
    nights(broker, 2)
    common = broker.server.config.common()
    assert common.overnight_last_time == moment("2020-05-15T23:59:00")
    assert common.overnight_prev_time == moment("2020-05-14T23:59:00")
    assert (common.overnight_last_day, common.overmonth_last_month) == (15, 5)
    broker.server.advance_to(moment("2020-06-30T23:58:00"))
    assert broker.server.config.common().overmonth_last_month == 5
    broker.server.advance(60)
    common = broker.server.config.common()
    assert (common.overnight_last_day, common.overmonth_last_month) == (30, 6)


def test_a_days_end_takes_stops_whole(broker: Broker) -> None:
    """Whichever of the two there is; an order without any is not touched."""
    broker.symbol("EURUSD", gtc_pendings=GtcMode.DAILY)
    login = broker.account()
    other = broker.open(login, SELL, 0.1, 1.3, "GBPUSD", sl=1.4)
    stopped, taking = broker.open(login, BUY, 0.1, 1.1, sl=1.0), broker.open(login, BUY, 0.1, 1.1, tp=1.2)
    plain = broker.open(login, BUY, 0.1, 1.1)
    broker.told()
    nights(broker)
    assert [(change, record.order) for change, record in broker.told()] == [
        (Change.UPDATE, stopped), (Change.UPDATE, taking),
    ]  # fmt: skip
    records = [broker.record(each) for each in (stopped, taking, plain, other)]
    assert [(record.sl, record.tp) for record in records] == [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.4, 0.0)]
    ended = moment("2020-05-14T23:59:00")
    assert [record.timestamp == ended for record in records] == [True, True, False, False]


def test_other_settings_of_the_server_leave_the_night_alone(broker: Broker) -> None:
    broker.symbol("EURUSD", swap_long=-2.2)
    ticket = broker.open(broker.account(), BUY, 1.0, 1.1)
    for login in (77, 78):
        broker.server.config.set_common(Patch(ConCommon, {"lost_commission_login": login}))
    nights(broker)
    assert broker.record(ticket).storage == -2.2


def test_idle_accounts_with_little_on_them_move_out(broker: Broker) -> None:
    broker.group(archive_period=3, archive_max_balance=10)
    active, poor, rich, trading, empty = (broker.account(deposit) for deposit in (0, 10, 10.01, 0, 0))
    broker.open(trading, BUY, 0.1, 1.1)
    nights(broker, 3)
    broker.server.accounts.logged_in(broker.server.accounts.get(active), "10.0.0.1")
    assert broker.server.accounts.find(poor) is not None
    nights(broker)
    gone = [broker.server.accounts.find(each) is None for each in (active, poor, rich, trading, empty)]
    assert gone == [False, True, False, False, True]


def test_an_account_is_idle_after_the_period_not_with_its_end(broker: Broker) -> None:
    broker.group(archive_period=3, archive_max_balance=10)
    login = broker.account(10)
    broker.server.advance_to(moment("2020-05-14T23:59:00"))
    broker.server.accounts.logged_in(broker.server.accounts.get(login), "10.0.0.1")
    nights(broker, 3)
    assert broker.server.accounts.find(login) is not None
    nights(broker)
    assert broker.server.accounts.find(login) is None


def test_a_quiet_month_passes(broker: Broker) -> None:
    login = broker.account(1000)
    ticket = broker.open(login, BUY, 0.1, 1.1)
    broker.symbol("EURUSD", swap_long=-1.0)
    nights(broker, 30)
    assert broker.record(ticket).storage == -3.0  # a Thursday's month: 30 charges of 0.10
