"""`report.daily`. The world begins on 2020-05-14, a Thursday, at noon."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mt4sim import Server
from mt_remote.client import Client
from mt_remote_tools.testing import ManualClock

NOTHING = {
    "positions": 0,
    "lots": 0.0,
    "profit": 0.0,
    "swaps": 0.0,
    "commission": 0.0,
    "taxes": 0.0,
    "deposits": 0.0,
    "withdrawals": 0.0,
    "net": 0.0,
    "credit": 0.0,
}
MIDNIGHT = 12 * 3600
"""Seconds from the world's beginning to the end of its first day."""


@pytest.mark.mt_remote_backends
def test_a_few_days_of_an_account(
    mt_client: Client, mt4_server: Server, manual_clock: ManualClock, new_account: Callable[..., int]
) -> None:
    login = new_account(1000.0, taxes=10.0)
    later = manual_clock.now + 30 * 86_400
    mt_client.call("order.balance", login=login, command="credit", amount=50.0, expiration=later)
    opened = {"login": login, "symbol": "EURUSD", "command": "buy", "volume": 0.3, "price": 1.1001}
    ticket = mt_client.call("order.open", opened)["order"]
    pending = mt_client.call("order.open", opened | {"command": "buy_limit", "price": 1.05})["order"]

    manual_clock.advance(86_400)  # a night: the swap of a lot is -5.80
    mt4_server.tick("EURUSD", 1.1100, 1.1101)
    mt_client.call("order.close", order=ticket, volume=0.2, price=1.11)
    mt_client.call("order.balance", login=login, command="balance", amount=-100.55)
    mt_client.call("order.balance", login=login, command="balance", amount=0.55)

    manual_clock.advance(86_400)
    mt_client.call("order.cancel", order=pending, command="buy_limit")  # in the history, yet nothing is booked

    first, second = mt_client.call("report.daily", login=login, from_="2020-05-14")
    assert first == NOTHING | {"date": "2020-05-14", "deposits": 1000.0, "credit": 50.0, "net": 1000.0}
    assert second == {
        "date": "2020-05-15",
        "positions": 1,
        "lots": 0.2,
        "profit": 198.0,
        "swaps": -1.16,
        "commission": -1.4,
        "taxes": second["taxes"],
        "deposits": 0.55,
        "withdrawals": -100.55,
        "net": round(198.0 - 1.16 - 1.4 - 100.55 + 0.55 + second["taxes"], 2),
        "credit": 0.0,
    }
    assert second["taxes"] < 0
    assert mt_client.call("users.get", logins=[login])[0]["balance"] == round(first["net"] + second["net"], 2)


@pytest.mark.mt_remote_backends
def test_a_day_ends_at_the_servers_midnight(
    mt_client: Client, manual_clock: ManualClock, new_account: Callable[..., int]
) -> None:
    login = new_account(1.0)
    manual_clock.advance(MIDNIGHT - 1)
    mt_client.call("order.balance", login=login, command="balance", amount=2.0)
    manual_clock.advance(1)
    mt_client.call("order.balance", login=login, command="balance", amount=4.0)

    def deposits(**period: str) -> list[tuple[str, float]]:
        days = mt_client.call("report.daily", login=login, **period)
        return [(day["date"], day["deposits"]) for day in days]

    assert deposits(from_="2020-05-01") == [("2020-05-14", 3.0), ("2020-05-15", 4.0)]
    assert deposits(from_="2020-05-14", to="2020-05-14") == [("2020-05-14", 3.0)]
    assert deposits(from_="2020-05-15", to="2020-05-15") == [("2020-05-15", 4.0)]
    assert deposits(from_="2020-05-16", to="2021-05-16") == []


def test_pages(mt_client: Client, manual_clock: ManualClock, new_account: Callable[..., int]) -> None:
    login = new_account()
    manual_clock.advance(86_400)
    mt_client.call("order.balance", login=login, command="balance", amount=4.0)
    page = mt_client.request("report.daily", {"login": login, "from": "2020-05-01", "limit": 1})
    assert ([day["date"] for day in page["result"]], page["next"]) == (["2020-05-14"], "2020-05-14")
    rest = mt_client.request("report.daily", {"login": login, "from": "2020-05-01", "after": page["next"]})
    assert ([day["date"] for day in rest["result"]], "next" in rest) == (["2020-05-15"], False)


WRONG_PERIODS: list[tuple[dict[str, object], str, str]] = [
    ({}, "from", "is required"),
    ({"from_": 1589457600}, "from", "must be a valid date"),
    ({"from_": "1969-12-31"}, "from", "must be greater than or equal to 1970-01-01"),
    ({"from_": "2020-05-14", "to": "2038-01-19"}, "to", "must be less than or equal to 2038-01-18"),
    ({"from_": "2020-05-15"}, "from", "must not be after 2020-05-14, the last day"),
    ({"from_": "2020-05-14", "to": "2020-05-13"}, "from", "must not be after 2020-05-13, the last day"),
    ({"from_": "2019-05-14"}, "from", "must be less than 366 days before 2020-05-14, the last day"),
]


@pytest.mark.mt_remote_backends
def test_data_that_is_wrong(mt_client: Client) -> None:
    for period, path, problem in WRONG_PERIODS:
        error = mt_client.fails("report.daily", login=1, **period)
        assert (error.code, error.details) == ("invalid_data", [{"path": path, "problem": problem}])
    error = mt_client.fails("report.daily", login=987654, from_="2020-05-14")
    assert (error.code, error.message) == ("not_found", "Cannot find login 987654")
    assert mt_client.call("report.daily", login=1, from_="2019-05-15", to="2020-05-14") == []  # the longest
