"""Snapshots: the whole state of a server in one readable file, and back exactly."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter

from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.market.sessions import Holiday
from mt4sim.market.symbols import Symbol
from mt4sim.state import State
from mt4sim.state.accounts import FIGURES, Account, AccountBook
from mt4sim.state.figures import DailyReport, LevelType
from mt4sim.state.orders import Order, OrderBook
from mt4sim.world.files import World
from mt_remote.errors import ConfigurationError
from mt_remote.records import ConCommon, ConGroup, ConManager, Record, UserRecord

VERSION = 1
R = TypeVar("R", bound=Record)

Document: TypeAlias = dict[str, Any]
"""A snapshot as plain JSON values."""


class SnapshotError(ConfigurationError):
    """A file is no snapshot that can be read."""


def write(path: Path, document: Document) -> None:
    """Writes a snapshot: a file that was there stays until the new one is whole, and where that fails nothing is left
    behind. Only its owner may read it."""
    text = json.dumps(document, indent=1, ensure_ascii=False, default=_plain)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path) -> Document:
    """What was written. Raises :class:`SnapshotError` naming what is wrong with the file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SnapshotError(f"snapshot {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise SnapshotError(f"snapshot {str(path)!r} is not JSON: {error}") from error
    version = found.get("mt4sim") if isinstance(found, dict) else None
    if version != VERSION:
        raise SnapshotError(f"snapshot {str(path)!r} has version {version!r}, this simulator reads {VERSION}")
    return dict(found)


def plain(document: Document) -> Document:
    """A document as it would be read again, without a file between."""
    return dict(json.loads(json.dumps(document, default=_plain)))


def document(world: World, state: State) -> Document:
    """All that a server is, and the world that it began with. Requests in the dealing queue are left out: a terminal's
    session does not outlive its server."""
    version, internal, gauss = state.random.getstate()
    return {
        "mt4sim": VERSION,
        "now": state.timeline.now,
        "seed": state.seed,
        "random": [version, list(internal), gauss],
        "world": world.to_document(),
        "common": state.common.to_dict(),
        "symbols": [symbol.state() for symbol in state.symbols.values()],
        "holidays": [asdict(holiday) for holiday in state.quotes.calendar.holidays],
        "groups": [group.to_dict() for group in state.groups.values()],
        "managers": [manager.to_dict() for manager in state.managers.values()],
        "manager_passwords": [[login, password] for login, password in state.manager_passwords.items()],
        "accounts": {
            "accounts": [_account_row(account) for account in state.accounts],
            "archived": [_account_row(account) for _, account in sorted(state.accounts.archived.items())],
        },
        "trading": {
            "open": [order.state_dict() for order in state.orders.all_open()],
            "closed": [order.state_dict() for _, order in sorted(state.orders.closed.items())],
            "called": sorted([login, int(kind)] for login, kind in state.margin_calls.items()),
            "reports": [asdict(report) for _, reports in sorted(state.reports.items()) for report in reports],
        },
        "quotes": state.quotes.state(),
        "feed": state.feed.state(),
        "feed_spec": state.feed_spec.model_dump(mode="json"),
        "events": state.events.number,
        "last_request": state.last_request,
    }


def world_of(found: Document) -> World:
    """The world that the server began with."""
    return World.from_document(found["world"], source="snapshot")


def fill(state: State, found: Document) -> None:
    """Puts what :func:`document` gave into a fresh server's state. What is worked out from it is not worked out
    yet."""
    version, internal, gauss = found["random"]
    state.random.setstate((version, tuple(internal), gauss))
    state.common = _record(ConCommon, found["common"])
    _replace(state.symbols, {row["name"]: Symbol.from_state(row) for row in found["symbols"]})
    if "holidays" in found:  # an older one has those of its world
        state.quotes.calendar.holidays = tuple(Holiday(**row) for row in found["holidays"])
    _replace(state.groups, {row["group"]: _record(ConGroup, row) for row in found["groups"]})
    _replace(state.managers, {row["login"]: _record(ConManager, row) for row in found["managers"]})
    _replace(state.manager_passwords, dict(found["manager_passwords"]))
    state.quotes.restore(found["quotes"])
    _fill_accounts(state.accounts, found["accounts"])
    _fill_orders(state.orders, found["trading"])
    state.margin_calls.update((login, LevelType(kind)) for login, kind in found["trading"]["called"])
    for row in found["trading"]["reports"]:
        report = DailyReport(**row)
        state.reports.setdefault(report.login, []).append(report)
    state.feed_spec = FeedSpec(**found["feed_spec"])
    state.last_request = found["last_request"]


def _fill_accounts(book: AccountBook, found: Document) -> None:
    for row in found["accounts"]:
        book.keep(_account(row))
    for row in found["archived"]:
        account = _account(row)
        book.archived[account.login] = account


def _fill_orders(book: OrderBook, found: Document) -> None:
    """In the order in which they came: an account's history is read from its end."""
    closed = sorted(found["closed"], key=lambda row: (row["close_time"], row["ticket"]))
    for row in (*closed, *found["open"]):
        book.add(Order.from_state(row))


def _replace(table: dict[Any, Any], rows: dict[Any, Any]) -> None:
    """The table stays the one that the server's rooms hold."""
    table.clear()
    table.update(rows)


def _account_row(account: Account) -> Document:
    return {"info": account.info.to_dict(), **{name: getattr(account, name) for name in FIGURES}}


def _account(row: Document) -> Account:
    account = Account(UserRecord(**row["info"]), 0)
    for name in FIGURES:
        setattr(account, name, row[name])
    return account


def _record(kind: type[R], row: Document) -> R:
    adapter: TypeAdapter[R] = TypeAdapter(kind)
    return adapter.validate_python(row)


def _plain(value: object) -> object:
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")
