"""The life of a WebSocket session. Everything that changes a session's state is in this table.

CONNECTING ──request──▶ DECIDING ──accept──▶ OPEN ──close sent──▶ CLOSING ──peer's close──▶ CLOSED
    │                      │                  └────── peer's close ──────────────────────────▲
    └──refuse──▶ CLOSED ◀──refuse┘            (a broken connection leads to CLOSED from anywhere)
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    CONNECTING = "waiting for the upgrade request"
    DECIDING = "the upgrade was requested, the answer is being decided"
    OPEN = "open"
    CLOSING = "our close frame is sent; only the peer's is still of interest"
    CLOSED = "over"


class Step(Enum):
    REQUEST = "a complete upgrade request came"
    ACCEPT = "we upgrade"
    REFUSE = "we refuse over HTTP"
    CLOSE = "we send a close frame"
    PEER_CLOSE = "the peer's close frame came"
    BREAK = "the connection ended"


class IllegalStep(RuntimeError):
    """A step that the table does not have: a bug in the caller."""


TABLE: dict[tuple[State, Step], State] = {
    (State.CONNECTING, Step.REQUEST): State.DECIDING,
    (State.CONNECTING, Step.REFUSE): State.CLOSED,
    (State.DECIDING, Step.ACCEPT): State.OPEN,
    (State.DECIDING, Step.REFUSE): State.CLOSED,
    (State.OPEN, Step.CLOSE): State.CLOSING,
    (State.OPEN, Step.PEER_CLOSE): State.CLOSED,
    (State.CLOSING, Step.PEER_CLOSE): State.CLOSED,
    **{(state, Step.BREAK): State.CLOSED for state in State},
}


def after(state: State, step: Step) -> State:
    """The state after ``step``. Raises :class:`IllegalStep` for one that is not in the table."""
    try:
        return TABLE[state, step]
    except KeyError:
        raise IllegalStep(f"{step.name} in state {state.name}") from None
