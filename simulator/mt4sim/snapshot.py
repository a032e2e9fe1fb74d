"""Snapshots: the whole state of a server in one readable file, and back exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from mt4sim.accounts import Account
from mt4sim.symbols import Symbol
from mt4sim.world import World
from mt4sim.world_specs import FeedSpec
from mt_remote.errors import ConfigurationError
from mt_remote.records import ConCommon, ConGroup, ConManager, Record, UserRecord

if TYPE_CHECKING:
    from mt4sim.server import Server

VERSION = 1
R = TypeVar("R", bound=Record)


class SnapshotError(ConfigurationError):
    """A file is no snapshot that can be read."""


def save(server: Server, path: Path) -> None:
    """Writes the state. Requests in the dealing queue end with it: a terminal's session does not outlive its server."""
    text = json.dumps(state(server), indent=1, ensure_ascii=False, default=_plain)
    temporary = path.with_suffix(path.suffix + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def load(path: Path) -> Server:
    """A server as it was. Raises :class:`SnapshotError` naming what is wrong with the file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SnapshotError(f"snapshot {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise SnapshotError(f"snapshot {str(path)!r} is not JSON: {error}") from error
    version = found.get("mt4sim") if isinstance(found, dict) else None
    if version != VERSION:
        raise SnapshotError(f"snapshot {str(path)!r} has version {version!r}, this simulator reads {VERSION}")
    try:
        return restored(found)
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"snapshot {str(path)!r} is damaged: {type(error).__name__}: {error}") from error


def restarted(server: Server) -> Server:
    """The server as it is after a restart: what it had saved, all else gone."""
    return restored(json.loads(json.dumps(state(server), default=_plain)))


def state(server: Server) -> dict[str, Any]:
    """All that a server is, as plain JSON values."""
    version, internal, gauss = server.random.getstate()
    return {
        "mt4sim": VERSION,
        "now": server.now,
        "seed": server.seed,
        "random": [version, list(internal), gauss],
        "world": server.world.to_document(),
        "common": server.common.to_dict(),
        "symbols": [symbol.state() for symbol in server.symbols.values()],
        "groups": [group.to_dict() for group in server.groups.values()],
        "managers": [manager.to_dict() for manager in server.managers.values()],
        "manager_passwords": [[login, password] for login, password in server.manager_passwords.items()],
        "accounts": server.accounts.state(),
        "archived": [_archived_row(each) for each in server.accounts.archived.values()],
        "trading": server.trading.state(),
        "quotes": server.quotes.state(),
        "feed": server.feed.state(),
        "feed_spec": server.feed_spec.model_dump(mode="json"),
        "events": server.events.number,
        "last_request": server.desk.last_id,
    }


def restored(found: dict[str, Any]) -> Server:
    """The server of which :func:`state` gave this."""
    from mt4sim.server import Server

    world = World.from_document(found["world"], source="snapshot")
    server = Server(world, seed=found["seed"], start=found["now"], populate=False)
    version, internal, gauss = found["random"]
    server.random.setstate((version, tuple(internal), gauss))
    server.symbols.clear()
    server.symbols.update({row["name"]: Symbol.from_state(row) for row in found["symbols"]})
    server.common = _record(ConCommon, found["common"])
    server.groups = {row["group"]: _record(ConGroup, row) for row in found["groups"]}
    server.managers = {row["login"]: _record(ConManager, row) for row in found["managers"]}
    server.manager_passwords = dict(found["manager_passwords"])
    server.quotes.restore(found["quotes"])
    server.accounts.restore(found["accounts"])
    server.accounts.archived = {each.login: each for each in map(_archived, found["archived"])}
    server.trading.restore(found["trading"])
    server.trading.rollover.schedule()  # its day may end at another hour than the world's
    server.restore_feed(FeedSpec(**found["feed_spec"]), found["feed"])
    server.desk.last_id = found["last_request"]
    server.events.number = found["events"]
    return server


def _archived_row(account: Account) -> dict[str, Any]:
    figures = {name: getattr(account, name) for name in Account.__slots__ if name != "info"}
    return {"info": account.info.to_dict(), **figures}


def _archived(row: dict[str, Any]) -> Account:
    account = Account(UserRecord(**row["info"]), 0)
    for name, value in row.items():
        if name != "info":
            setattr(account, name, value)
    return account


def _record(kind: type[R], row: dict[str, Any]) -> R:
    adapter: TypeAdapter[R] = TypeAdapter(kind)
    return adapter.validate_python(row)


def _plain(value: object) -> object:
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")
