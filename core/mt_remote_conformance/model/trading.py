"""Prices, orders and money as they must be (semantics, chapters 1 to 7), for the kit's own accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mt_remote_conformance.model import money
from mt_remote_conformance.model.accounts import Users
from mt_remote_conformance.model.configuration import Groups
from mt_remote_conformance.model.money import Instrument, cents, exact
from mt_remote_conformance.sessions.client import Client, Json
from mt_remote_conformance.sessions.sessions import Changes, Sessions, differences, same

SIDES = {"buy": 1, "sell": -1, "buy_limit": 1, "buy_stop": 1, "sell_limit": -1, "sell_stop": -1}

_LAWS = {
    "profit": "L-MON-1", "commission": "L-MON-3", "conv_rates": "L-MON-7", "margin_rate": "L-MON-7",
    "order": "L-ORD-11", "storage": "L-MON-6",
}  # fmt: skip
"""What a wrong field breaks, where not the law of the step itself."""


_COMMENTS = {"L-TRG-1": "L-TRG-4", "L-TRG-2": "L-TRG-4", "L-TRG-5": "L-TRG-6"}


def _law_of(order: Order, path: str, law: str) -> str:
    """The law that a wrong field breaks, where ``law`` is that of the step."""
    if path == "comment":
        return _COMMENTS.get(law, law)
    if order.open and path in ("profit", "close_price"):
        return "L-MON-2"
    if path == "commission" and law in ("L-ORD-5", "L-ORD-6", "L-ORD-7"):
        return "L-MON-6"
    return law if law in ("L-TIM-1", "L-ORD-8", "L-TRG-8") else _LAWS.get(path, law)


@dataclass(slots=True)
class Order:
    """What must be known of an order; ``record`` is how it last read."""

    ticket: int
    login: int
    instrument: Instrument
    command: str
    volume: Decimal
    price: Decimal
    sl: Decimal = Decimal(0)
    tp: Decimal = Decimal(0)
    expiration: int = 0
    comment: str = ""
    commission: Decimal | None = Decimal(0)
    storage: Decimal = Decimal(0)
    margin_rate: Decimal | None = None
    open: bool = True
    opened: int = 0
    """When; 0 until it was read."""
    reason: str = "dealer"
    closed_at: Decimal | None = None
    profit: Decimal | None = None
    record: Json = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        return "_" in self.command

    @property
    def side(self) -> int:
        return SIDES[self.command]


class Book:
    """Orders of the kit's accounts, and their money."""

    def __init__(self, sessions: Sessions, groups: Groups, users: Users) -> None:
        self.sessions = sessions
        self.groups = groups
        self.users = users
        self.orders: dict[int, Order] = {}
        self.quotes: dict[str, tuple[Decimal, Decimal]] = {}
        self.funds: dict[int, tuple[Decimal, Decimal]] = {}
        self.entries: dict[int, list[int]] = {}
        self._last: int | None = None

    # Reading

    def open_orders(self, login: int | None = None, symbol: str | None = None) -> list[Order]:
        """What is open, by ticket."""
        return [
            order for _, order in sorted(self.orders.items())
            if order.open and login in (None, order.login) and symbol in (None, order.instrument.name)
        ]  # fmt: skip

    def positions(self, login: int | None = None, symbol: str | None = None) -> list[Order]:
        return [order for order in self.open_orders(login, symbol) if not order.pending]

    def quote(self, order: Order) -> tuple[Decimal, Decimal] | None:
        """The quote that the order's group sees, where the last price is the kit's own."""
        known = self.quotes.get(order.instrument.name)
        if known is None:
            return None
        spread = self._security(order.login, order.instrument)["spread_diff"]
        return None if spread % 2 else money.widened(order.instrument, *known, spread)

    def _security(self, login: int, instrument: Instrument) -> dict[str, Any]:
        group = self.groups.known[self.users.known[login]["group"]]
        found: dict[str, Any] = group["securities"][instrument.security]
        return found

    def expected(self, order: Order) -> Json:
        """The record, as far as it can be foretold."""
        record: Json = {
            "order": order.ticket, "login": order.login, "symbol": order.instrument.name,
            "digits": order.instrument.digits, "cmd": order.command, "volume": float(order.volume),
            "open_price": float(order.price), "sl": float(order.sl), "tp": float(order.tp),
            "expiration": order.expiration, "comment": order.comment, "reason": order.reason, "magic": 0, "taxes": 0.0,
            "storage": float(order.storage),
        }  # fmt: skip
        if order.opened:
            record["open_time"] = order.opened
        if order.commission is not None:
            record["commission"] = float(order.commission)
        rate, margin_rate = money.rates(order.instrument, order.price)
        if order.pending:
            record["profit"] = 0.0
        else:
            if margin_rate is not None:
                record["margin_rate"] = float(margin_rate)
            if rate is not None:
                closing = float(order.closed_at or 0) if not order.open else 0.0
                record["conv_rates"] = [float(rate), closing]
        if order.open:
            record["close_time"] = 0
            if not order.pending:
                record |= self._floating(order)
        else:
            if order.closed_at is not None:
                record["close_price"] = float(order.closed_at)
            if order.profit is not None:
                record["profit"] = float(order.profit)
        return record

    def floating(self, order: Order) -> tuple[Decimal, Decimal] | None:
        """(close price, profit) of an open position by the latest tick."""
        quote = self.quote(order)
        if quote is None:
            return None
        closing = quote[0] if order.side > 0 else quote[1]
        profit = money.profit(order.instrument, order.side, order.volume, order.price, closing)
        return None if profit is None else (closing, profit)

    def _floating(self, order: Order) -> Json:
        known = self.floating(order)
        return {} if known is None else {"close_price": float(known[0]), "profit": float(known[1])}

    def verify(self, client: Client, tickets: Iterable[int], law: str) -> Changes:
        """Reads orders back and holds them against what is expected; gives what sessions were to hear."""
        changes = Changes()
        for ticket in tickets:
            order = self.orders[ticket]
            record = self.sessions.succeeds(law, client, "trade.get", {"order": ticket})
            self._hold(order, record, law)
            order.record = record
            changes.add("trade", record, most=3)
        return changes

    def _hold(self, order: Order, record: Json, law: str) -> None:
        judge = self.sessions.judge
        for name in ("L-ORD-1", "L-MON-3", "L-MON-7"):
            judge.held(name)
        judge.held(law)
        if (not order.pending and order.profit is not None) or order.open:
            judge.held("L-MON-2" if order.open else "L-MON-1")
        for path, problem in differences(record, self.expected(order)):
            judge.check(_law_of(order, path, law), False, f"order {order.ticket}: {problem}")
        judge.check("L-ORD-1", record["open_time"] > 0, "open_time is not set")
        order.opened = record["open_time"]
        if not order.open:
            late = record["close_time"] >= record["open_time"] > 0
            judge.check("L-ORD-3", late, f"order {order.ticket} is closed at {record['close_time']}")

    def money_of(self, client: Client, *logins: int, law: str = "L-MON-5") -> Changes:
        """Balances and credits as they must be now."""
        changes = Changes()
        for login in logins:
            record = self.users.read(client, login)
            balance, credit = self.funds.get(login, (Decimal(0), Decimal(0)))
            judge = self.sessions.judge
            judge.check(law, same(record["balance"], float(balance)), f"balance of {login}: is {record['balance']}, "
                        f"expected {balance}")  # fmt: skip
            judge.check("L-MON-4", same(record["credit"], float(credit)), f"credit of {login}: is {record['credit']}, "
                        f"expected {credit}")  # fmt: skip
            known = self.users.known[login]
            booked = (known["balance"], known["credit"]) != (record["balance"], record["credit"])
            self.users.money(login, record["balance"], record["credit"])
            changes.add("user", record, most=None, hoped=booked)
        return changes

    def step(self, client: Client, tickets: Iterable[int], law: str, *logins: int) -> None:
        """After a transaction: records, money, events."""
        changes = self.verify(client, tickets, law)
        changes.records |= self.money_of(client, *logins).records
        self.sessions.examine(changes)

    def audit(self, client: Client) -> None:
        """Lists and histories of every account."""
        judge = self.sessions.judge
        everything = {each["order"]: each for each in self.sessions.succeeds("L-ORD-2", client, "trades.get")}
        for login, user in self.users.known.items():
            data = {"login": login, "group": user["group"]}
            listed = self.sessions.succeeds("L-ORD-2", client, "trades.get.by_login", data)
            expected = [order.ticket for order in self.open_orders(login)]
            judge.equal("L-ORD-2", [each["order"] for each in listed], expected, f"open orders of {login}")
            for each in listed:
                found = [problem for _, problem in differences(everything.get(each["order"], {}), each)]
                judge.check("L-ORD-2", not found, f"order in the list of all: {found}")
                self._hold(self.orders[each["order"]], each, "L-ORD-4")
            self._history(client, login)

    def _history(self, client: Client, login: int) -> None:
        judge = self.sessions.judge
        whole = {"login": login, "from": 0, "to": 2**31 - 1}
        history = self.sessions.succeeds("L-ORD-3", client, "trades.history", whole)
        tickets = [each["order"] for each in history]
        closed = [order.ticket for order in self.orders.values() if order.login == login and not order.open]
        judge.equal("L-ORD-3", tickets, sorted([*closed, *self.entries.get(login, [])]), f"history of {login}")
        for each in history:
            order = self.orders.get(each["order"])
            if order is not None:
                self._hold(order, each, "L-ORD-3")
        if history:
            at = history[0]["close_time"]
            part = client.result("trades.history", {"login": login, "from": at, "to": at})
            expected = [each for each in history if each["close_time"] == at]
            sizes = f"{len(part)} records, expected {len(expected)}"
            judge.check("L-ORD-3", same(part, expected), f"history of {login} from {at} to {at}: {sizes}")

    # Tickets

    def ticket(self, got: int) -> int:
        """The next one."""
        if self.sessions.target.exclusive and self._last is not None:
            self.sessions.judge.equal("L-ORD-11", got, self._last + 1, "the ticket of a new record")
        else:
            self.sessions.judge.check("L-ORD-11", got > (self._last or 0), f"ticket {got} after {self._last}")
        self._last = got
        return got

    def find_rest(self, client: Client, login: int, group: str) -> list[int]:
        """Tickets of an account's open orders that are new."""
        listed = client.result("trades.get.by_login", {"login": login, "group": group})
        return [each["order"] for each in listed if each["order"] not in self.orders]

    # Prices

    def tick(self, client: Client, instrument: Instrument, bid: float, ask: float) -> bool:
        """Throws a price in. One that is the last price already is thrown in no second time: whether it would be told
        is nobody's law."""
        known = self.sessions.succeeds("L-MKT-2", self.sessions.boss, "ticks.get", {"symbol": instrument.name})
        if known and (known[0]["bid"], known[0]["ask"]) == (bid, ask):
            self.quotes[instrument.name] = (exact(bid), exact(ask))
            return False
        self.sessions.succeeds("L-MKT-1", client, "tick.add", {"symbol": instrument.name, "bid": bid, "ask": ask})
        self.quotes[instrument.name] = (exact(bid), exact(ask))
        last = self.sessions.succeeds("L-MKT-2", self.sessions.boss, "ticks.get", {"symbol": instrument.name})
        judge = self.sessions.judge
        judge.equal("L-MKT-2", len(last), 1, "ticks known after one was thrown in")
        thrown = {"symbol": instrument.name, "bid": bid, "ask": ask}
        found = [problem for _, problem in differences(last[0], thrown)] if last else []
        judge.check("L-MKT-1", not found, lambda: f"the last price: {found[0]}")
        return True

    def quiet_tick(self, client: Client, instrument: Instrument, bid: float, ask: float) -> None:
        """A price at which nothing but floating profit changes."""
        changes = Changes()
        if self.tick(client, instrument, bid, ask):
            changes.ticks.append({"symbol": instrument.name, "bid": bid, "ask": ask})
        self.sessions.examine(changes)

    # Transactions

    def balance(self, client: Client, login: int, command: str, amount: float, **more: Any) -> int:
        """A balance or credit operation."""
        data = {"login": login, "command": command, "amount": amount, **more}
        got = self.sessions.succeeds("L-MON-4", client, "order.balance", data)["order"]
        ticket = self.ticket(got)
        before = self.funds.get(login, (Decimal(0), Decimal(0)))
        added = exact(amount)
        self.funds[login] = (before[0] + added, before[1]) if command == "balance" else (before[0], before[1] + added)
        self.entries.setdefault(login, []).append(ticket)
        record = self.sessions.succeeds("L-MON-4", client, "trade.get", {"order": ticket})
        expected = {
            "order": ticket, "login": login, "cmd": command, "profit": amount, "symbol": "", "volume": 0.01,
            "conv_rates": [0, 0], "margin_rate": 0, "comment": more.get("comment", ""), "commission": 0, "storage": 0,
        }  # fmt: skip
        for _, problem in differences(record, expected):
            self.sessions.judge.check("L-MON-4", False, f"balance record: {problem}")
        changes = self.money_of(client, login, law="L-MON-4")
        changes.add("trade", record)
        self.sessions.examine(changes)
        return ticket

    def open(self, client: Client, login: int, data: Json) -> Order:
        """Opens a position or places a pending."""
        got = self.sessions.succeeds("L-ORD-1", client, "order.open", {"login": login, **data})["order"]
        order = self.opened(self.ticket(got), login, data)
        self.step(client, [order.ticket], "L-ORD-1", login)
        return order

    def opened(self, ticket: int, login: int, data: Json) -> Order:
        """Notes an order that was opened."""
        instrument = self.sessions.target.instruments[data["symbol"]]
        order = Order(
            ticket, login, instrument, data["command"], exact(data["volume"]), exact(data["price"]),
            exact(data.get("sl", 0.0)), exact(data.get("tp", 0.0)), data.get("expiration", 0), data.get("comment", ""),
        )  # fmt: skip
        self.orders[order.ticket] = order
        if not order.pending:
            self._charge(order)
        return order

    def _charge(self, order: Order) -> None:
        security = self._security(order.login, order.instrument)
        order.commission = money.commission(order.instrument, security, order.volume, order.price)
        order.margin_rate = money.rates(order.instrument, order.price)[1]

    def modify(self, client: Client, order: Order, data: Json) -> None:
        """Changes what is given; the rest stays."""
        self.sessions.succeeds("L-ORD-4", client, "order.modify", {"order": order.ticket, **data})
        for name in ("price", "sl", "tp"):
            if name in data:
                setattr(order, name, exact(data[name]))
        order.comment = data.get("comment", order.comment)
        order.expiration = data.get("expiration", order.expiration)
        if "price" in data and not order.pending:
            order.margin_rate = None
        self.step(client, [order.ticket], "L-ORD-4", order.login)

    def activate(self, client: Client, order: Order, price: float) -> None:
        """A pending becomes a position."""
        self.sessions.succeeds("L-ORD-9", client, "order.activate", {"order": order.ticket, "price": price})
        self.activated(order, exact(price))
        self.step(client, [order.ticket], "L-ORD-9", order.login)

    def activated(self, order: Order, price: Decimal) -> None:
        """Notes a pending that became a position."""
        order.command = order.command.partition("_")[0]
        order.price, order.expiration, order.opened = price, 0, 0
        self._charge(order)

    def cancel(self, client: Client, order: Order) -> None:
        """A pending is deleted."""
        self.sessions.succeeds("L-ORD-8", client, "order.cancel", {"order": order.ticket, "command": order.command})
        order.open, order.comment, order.profit = False, "cancelled by dealer", Decimal(0)
        self.step(client, [order.ticket], "L-ORD-8", order.login)

    def close(self, client: Client, order: Order, volume: float, price: float) -> None:
        """Closes a position, in part when the volume is smaller."""
        data = {"order": order.ticket, "volume": volume, "price": price}
        law = "L-ORD-3" if exact(volume) == order.volume else "L-ORD-5"
        self.sessions.succeeds(law, client, "order.close", data)
        tickets = [order.ticket]
        if exact(volume) < order.volume:
            rest = self._split(order, exact(volume), self._next())
            order.comment, rest.comment = f"to #{rest.ticket}", f"from #{order.ticket}"
            tickets.append(rest.ticket)
        self.closed(order, exact(price))
        self.step(client, tickets, law, order.login)

    def _next(self) -> int:
        assert self._last is not None
        self._last += 1
        return self._last

    def _split(self, order: Order, volume: Decimal, ticket: int) -> Order:
        """Leaves ``volume`` in the order; the rest under a new ticket, with its share of the costs."""
        self.sessions.judge.held("L-MON-6")
        rest = Order(
            ticket, order.login, order.instrument, order.command, order.volume - volume, order.price, order.sl,
            order.tp, order.expiration, opened=order.opened, reason=order.reason,
        )  # fmt: skip
        if order.commission is None:
            rest.commission = None
        else:
            part = cents(order.commission * volume / order.volume)
            order.commission, rest.commission = part, order.commission - part
        part = cents(order.storage * volume / order.volume)
        order.storage, rest.storage = part, order.storage - part
        rest.margin_rate = order.margin_rate
        order.volume = volume
        self.orders[ticket] = rest
        return rest

    def closed(self, order: Order, price: Decimal) -> None:
        """Notes a position that was closed, and its money."""
        order.open, order.closed_at = False, price
        order.profit = money.profit(order.instrument, order.side, order.volume, order.price, price)
        self._settle(order)

    def _settle(self, order: Order) -> None:
        balance, credit = self.funds.get(order.login, (Decimal(0), Decimal(0)))
        assert order.profit is not None
        assert order.commission is not None
        self.funds[order.login] = (balance + order.profit + order.storage + order.commission, credit)

    def close_by(self, client: Client, one: Order, other: Order) -> None:
        """Closes two opposite positions against each other."""
        data = {"order": one.ticket, "order_by": other.ticket}
        self.sessions.succeeds("L-ORD-6", client, "order.close_by", data)
        self.step(client, self._closed_by(one, other), "L-ORD-6", one.login)

    def _closed_by(self, one: Order, other: Order) -> list[int]:
        """S6.8: the first takes profit and all swaps, the second nothing, what is left goes on under a new ticket."""
        smaller = min(one.volume, other.volume)
        tickets = [one.ticket, other.ticket]
        storage = one.storage + other.storage
        one.storage = other.storage = Decimal(0)
        if one.volume != other.volume:
            larger = one if one.volume > other.volume else other
            rest = self._split(larger, smaller, self._next())
            rest.storage = Decimal(0)
            rest.comment = "partial close" if larger is one else f"from #{one.ticket}"
            one.comment = "partial close"
            tickets.append(rest.ticket)
        price = other.price
        other.comment = f"close hedge by #{one.ticket}"
        other.volume, other.commission, other.profit = Decimal(0), Decimal(0), Decimal(0)
        other.open, other.closed_at = False, other.price
        one.storage = storage
        self.closed(one, price)
        return tickets

    def close_all(self, client: Client, login: int, symbol: str) -> None:
        """S6.8: lowest tickets first, until one side is left."""
        self.sessions.succeeds("L-ORD-7", client, "order.close_all", {"login": login, "symbol": symbol})
        touched: set[int] = set()
        while True:
            left = self.positions(login, symbol)
            pairs = [(one, other) for one in left for other in left if one.side * other.side < 0]
            if not pairs:
                break
            touched |= set(self._closed_by(*pairs[0]))
        self.step(client, sorted(touched), "L-ORD-7", login)

    def refused(self, client: Client, name: str, data: Json) -> None:
        """A transaction that can't be: refused, and nothing is otherwise than before."""
        self.sessions.fails("L-ORD-10", client, name, data)
        judge = self.sessions.judge
        judge.held("L-MSG-7")
        for order in self.orders.values():
            if order.ticket == data.get("order") or order.open:
                record = self.sessions.boss.result("trade.get", {"order": order.ticket})
                floats = {"profit", "close_price"} if order.open else set[str]()
                known = {name: value for name, value in order.record.items() if name not in floats}
                for _, problem in differences(record, known):
                    judge.check("L-MSG-7", False, f"after a refused {name}, order {order.ticket}: {problem}")
        self.sessions.examine(Changes())
