"""The life of a session's connection to its MT4 server. Everything that changes it is in this table.

What there is follows from the state: a :class:`~mt_remote.backend.Connection` while UP alone; server and login while
UP, WAITING and RESTORING (then the client counts as connected, and a call that needs the connection is told that it is
being restored). A loss that the backend tells while it is still logging in (CONNECTING, RESTORING) is no step: the
attempt is cut off and fails.

DISCONNECTED ──connect──▶ CONNECTING ──established──▶ UP ──lost──▶ WAITING ──retry──▶ RESTORING
   ▲  ▲  ▲                  │                         │ ▲            │ ▲                │  │
   │  │  └──────failed──────┘                         │ │            │ └─────failed─────┘  │
   │  └──────────────────given up─────────────────────┘ └────────────│────established──────┘
   └─────────────────────given up────────────────────────────────────┴──(also from RESTORING)
                          (the end of the session leads to OVER from anywhere)
"""

from __future__ import annotations

from enum import Enum

from mt_remote.wire.states import IllegalStep


class MT4State(Enum):
    """Where a session stands with its MT4 server."""

    DISCONNECTED = "no connection, and none is wanted"
    CONNECTING = "the client asked for one; the backend is logging in"
    UP = "connected"
    WAITING = "lost; the next attempt to restore it waits"
    RESTORING = "the backend is logging in again, and what was missed is being read"
    OVER = "the session ended"

    def __init__(self, _: str) -> None:
        self.is_wanted = self.name in ("UP", "WAITING", "RESTORING")
        """The client counts as connected; the connection may be down meanwhile."""
        self.is_attempt = self.name in ("CONNECTING", "RESTORING")
        """The backend is logging in."""


class MT4Step(Enum):
    """What happens to the connection."""

    CONNECT = "the client asks for one"
    ESTABLISHED = "the log-in succeeded"
    FAILED = "the log-in failed"
    LOST = "the backend lost it, and it is to be restored"
    RETRY = "the pause is over"
    GIVEN_UP = "the client disconnects, or nobody is to restore what was lost"
    END = "the session ended"


TABLE: dict[tuple[MT4State, MT4Step], MT4State] = {
    (MT4State.DISCONNECTED, MT4Step.CONNECT): MT4State.CONNECTING,
    (MT4State.CONNECTING, MT4Step.ESTABLISHED): MT4State.UP,
    (MT4State.CONNECTING, MT4Step.FAILED): MT4State.DISCONNECTED,
    (MT4State.UP, MT4Step.LOST): MT4State.WAITING,
    (MT4State.WAITING, MT4Step.RETRY): MT4State.RESTORING,
    (MT4State.RESTORING, MT4Step.FAILED): MT4State.WAITING,
    (MT4State.RESTORING, MT4Step.ESTABLISHED): MT4State.UP,
    **{(state, MT4Step.GIVEN_UP): MT4State.DISCONNECTED for state in MT4State if state.is_wanted},
    **{(state, MT4Step.END): MT4State.OVER for state in MT4State},
}


def after(state: MT4State, step: MT4Step) -> MT4State:
    """The state after ``step``. Raises :class:`~mt_remote.wire.states.IllegalStep` for one that is not in the
    table."""
    try:
        return TABLE[state, step]
    except KeyError:
        raise IllegalStep(f"{step.name} in state {state.name}") from None
