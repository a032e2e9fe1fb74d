"""What a price does to orders: pendings, stops, takes, stop-outs (semantics, 6.4 and 6.9)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from mt_remote_conformance.model import money
from mt_remote_conformance.model.money import Instrument, Leg, cents
from mt_remote_conformance.model.trading import Book, Order

ZERO = Decimal(0)


def reached(order: Order, bid: Decimal, ask: Decimal) -> tuple[Decimal, str] | None:
    """(price, what) at which a pending opens or a position closes at a quote; ``None`` when it stays."""
    if order.pending:
        fires = {
            "buy_limit": ask <= order.price, "buy_stop": ask >= order.price,
            "sell_limit": bid >= order.price, "sell_stop": bid <= order.price,
        }[order.command]  # fmt: skip
        gap = ask if order.side > 0 else bid
        return (order.price if order.command.endswith("limit") else gap, "open") if fires else None
    price = bid if order.side > 0 else ask
    if order.sl and (order.sl - price) * order.side >= 0:
        return price, "[sl]"
    if order.tp and (price - order.tp) * order.side >= 0:
        return order.tp, "[tp]"
    return None


def react(book: Book, instrument: Instrument) -> dict[int, str]:
    """Notes what the last price does to the orders in a symbol; gives tickets with the law that each shows."""
    touched: dict[int, str] = {}
    for order in book.open_orders(symbol=instrument.name):
        quote = book.quote(order)
        hit = reached(order, *quote) if quote else None
        if hit is None:
            continue
        price, what = hit
        if what == "open":
            book.activated(order, price)
            touched[order.ticket] = "L-TRG-3"
        else:
            order.comment = f"{order.comment}{what}"
            book.closed(order, price)
            touched[order.ticket] = "L-TRG-1" if what == "[sl]" else "L-TRG-2"
    return touched


def level(book: Book, login: int, leverage: int) -> tuple[Decimal, Decimal, Decimal] | None:
    """(level in percent, equity, margin) of an account; ``None`` where it can't be foretold or nothing is open."""
    balance, credit = book.funds.get(login, (ZERO, ZERO))
    equity, legs = balance + credit, dict[str, list[Leg]]()
    for order in book.positions(login):
        floating = book.floating(order)
        if floating is None or order.margin_rate is None or order.commission is None:
            return None
        equity += floating[1] + order.storage + order.commission
        leg = Leg(order.side, order.volume, order.margin_rate)
        legs.setdefault(order.instrument.name, []).append(leg)
    instruments = book.sessions.target.instruments
    larger = bool(book.groups.known[book.users.known[login]["group"]]["hedge_large_leg"])
    margins = (money.margin(instruments[name], each, leverage, large_leg=larger) for name, each in legs.items())
    margin = sum(map(cents, margins), ZERO)
    return None if not margin else (equity / margin * 100, equity, margin)


def measured(book: Book, login: int, known: tuple[Decimal, Decimal, Decimal]) -> Decimal:
    """What a group holds against its thresholds: the level in percent, or the free margin in money (S6.9)."""
    percent, equity, margin = known
    in_money = book.groups.known[book.users.known[login]["group"]]["margin_type"] == 1
    return equity - margin if in_money else percent


def stop_out(book: Book, login: int, leverage: int, threshold: int) -> tuple[list[int], Decimal] | None:
    """Notes the positions that are stopped out, in their order; gives them and how near to the threshold any level
    came. ``None`` when two lose alike: either may go first."""
    closed: list[int] = []
    nearest = Decimal(1000)
    while True:
        known = level(book, login, leverage)
        if known is None:
            return closed, nearest
        percent, equity, margin = known
        figure = measured(book, login, known)
        nearest = min(nearest, abs(figure - threshold))
        if figure > threshold:
            return closed, nearest
        losses = sorted((book.floating(order) or (ZERO, ZERO))[1] for order in book.positions(login))
        worst = min(book.positions(login), key=lambda order: (book.floating(order) or (ZERO, ZERO))[1])
        if losses[1:2] == losses[:1] or losses[0] >= 0:
            return None
        shown = percent.quantize(Decimal("0.1"), ROUND_HALF_UP)
        worst.comment = f"so: {shown}%/{equity:.2f}/{margin:.2f}"
        floating = book.floating(worst)
        assert floating is not None
        book.closed(worst, floating[0])
        closed.append(worst.ticket)
