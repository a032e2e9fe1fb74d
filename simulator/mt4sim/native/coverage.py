"""Which of the interface's functions the simulated library has, read off the code that answers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mt4abi import Method, table
from mt4abi.table import UNCALLED
from mt4sim.native.interface import offered
from mt4sim.native.vtable import method_name


class Offer(StrEnum):
    """What a slot does here."""

    YES = "yes"
    NO = "no"
    OBSOLETE = "obsolete or internal"


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of the table. ``otherwise`` says what a slot that is not offered answers."""

    index: int
    name: str
    offer: Offer
    otherwise: str


def coverage() -> list[Slot]:
    """Every slot, in the table's order."""
    answered = offered()
    return [_slot(method, answered) for method in table().methods.values()]


def _slot(method: Method, answered: frozenset[str]) -> Slot:
    if method_name(method.key) in answered:
        return Slot(method.index, method.key, Offer.YES, "")
    offer = Offer.OBSOLETE if method.key in UNCALLED else Offer.NO
    return Slot(method.index, method.key, offer, _refusal(method))


def _refusal(method: Method) -> str:
    if method.returns == "void":
        return "nothing happens"
    if method.returns.endswith("*"):
        return "`NULL`, count 0"
    return "`NULL`" if method.returns in ("LPSTR", "LPCSTR") else "9, “Disabled or failed”"


def markdown(slots: Iterable[Slot]) -> Iterator[str]:
    """A table for people."""
    yield from ("| slot | function | offered | else it answers |", "| --- | --- | --- | --- |")
    for slot in slots:
        yield f"| {slot.index} | `{slot.name}` | {slot.offer} | {slot.otherwise} |"
