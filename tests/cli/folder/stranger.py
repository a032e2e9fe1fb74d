"""A plugin as a stranger would write it: one file, the public API, nothing of the tests."""

from __future__ import annotations

from collections import Counter

import typer

from mt_remote.plugin import Call, Event, EventKind, Kind, Namespace, Refused, Session, hookimpl

mt_remote_api = 1

stock = Namespace("stock", help="A warehouse")
on_hand: Counter[str] = Counter()


@stock.function(kind=Kind.CHANGE, example={"thing": "nails", "pieces": 100})
def put(session: Session, thing: str, pieces: int) -> int:
    """Puts things into the warehouse; gives how many there are."""
    on_hand[thing] += pieces
    session.gateway.publish(Event("stock", {"thing": thing, "pieces": on_hand[thing]}))
    return on_hand[thing]


@stock.function("list")
def list_() -> dict[str, int]:
    """What there is."""
    return dict(on_hand)


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [stock]


@hookimpl
def mt_remote_event_kinds() -> list[EventKind]:
    return [EventKind("stock", dict[str, object], help="Something was put into the warehouse.")]


@hookimpl
def mt_remote_call_started(session: Session, call: Call) -> None:
    """Refuses to put gold into the warehouse."""
    if call.name == "stock.put" and call.arguments["thing"] == "gold":
        raise Refused("No gold here", code="no_gold")


@hookimpl
def mt_remote_commands(app: typer.Typer) -> None:
    @app.command("take-stock")
    def take_stock() -> None:
        """Count everything."""
        print("nothing")
