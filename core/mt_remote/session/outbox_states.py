"""The life of an outbox. Everything that decides what may leave for a client changes here, and nowhere else.

Two machines that know nothing of each other:

* The **output**: what the session has to say. A long answer (:mod:`mt_remote.session.long_answers`) keeps a place
  while it is being made; what comes up meanwhile waits behind it, answers too, because its elements are older. Once
  made it is sent in parts. There may be more places behind the first one.

HANDSHAKE ──open──▶ FLOWING ◀──free── HOLDING ──send──▶ SENDING
                       │  └───hold──────▲ ▲ └hold┘        │  ▲└hold┐
                     close               │ └─────sent─────┘  └─────┘
                       ▼                close                │
                    CLOSING ◀────────────┘  ◀──sent── FINISHING ◀──close
                       (a broken connection leads to OVER from anywhere)

* The **reader**: whether the client takes what is written. PROMPT ⇄ SLOW, as the network tells.

Events leave at once only while the output is FLOWING and the reader is PROMPT; otherwise the outbox is *congested* and
they wait, unnumbered. Answers wait only behind a long answer: a slow reader is not read, so there are few of them.
Numbers are given at the moment of leaving: so they have no gaps whatever was merged or dropped before.
"""

from __future__ import annotations

from enum import Enum

from mt_remote.wire.states import IllegalStep


class Output(Enum):
    """What may leave, with what that means for an outbox."""

    HANDSHAKE = "the answer to the upgrade request alone leaves"
    FLOWING = "what comes up leaves at the end of the loop's turn"
    HOLDING = "a long answer is being made: what comes up waits behind it"
    SENDING = "a long answer leaves in parts: what comes up waits behind it"
    FINISHING = "the session is closing; a long answer leaves whole before the close frame does"
    CLOSING = "the close frame leaves, and nothing behind it"
    OVER = "nobody takes anything any more"

    def __init__(self, _: str) -> None:
        self.holds_answers = self.name in ("HOLDING", "SENDING")
        """Answers wait too."""
        self.in_parts = self.name in ("SENDING", "FINISHING")
        """What is written is written a part a turn."""
        self.tells_owner = self.name in ("HANDSHAKE", "FINISHING", "CLOSING", "OVER")
        """The owner hears when all was written: the connection may be over then."""


class Step(Enum):
    """What happens to the output."""

    OPEN = "the WebSocket is open"
    HOLD = "a long answer is asked for: it keeps its place"
    SEND = "the first long answer is made, and nothing is before it: it leaves"
    SENT = "its last part left"
    FREE = "no place is kept any more"
    CLOSE = "a close frame was sent or came"
    END = "the connection is gone"


TABLE: dict[tuple[Output, Step], Output] = {
    (Output.HANDSHAKE, Step.OPEN): Output.FLOWING,
    (Output.FLOWING, Step.HOLD): Output.HOLDING,
    (Output.HOLDING, Step.HOLD): Output.HOLDING,
    (Output.SENDING, Step.HOLD): Output.SENDING,
    (Output.HOLDING, Step.SEND): Output.SENDING,
    (Output.SENDING, Step.SENT): Output.HOLDING,  # who was behind it decides: another place, or FREE at once
    (Output.HOLDING, Step.FREE): Output.FLOWING,
    (Output.FLOWING, Step.CLOSE): Output.CLOSING,
    (Output.HOLDING, Step.CLOSE): Output.CLOSING,
    (Output.SENDING, Step.CLOSE): Output.FINISHING,
    (Output.FINISHING, Step.SENT): Output.CLOSING,
    **{(output, Step.END): Output.OVER for output in Output},
}


class Reader(Enum):
    """Whether the client takes what is written."""

    PROMPT = "it takes what there is"
    SLOW = "more than the high-water mark waits in the network's buffers"


class Pace(Enum):
    """What the network tells of the client."""

    PAUSE = "the buffers are full"
    RESUME = "they are empty enough"


PACES: dict[tuple[Reader, Pace], Reader] = {
    (Reader.PROMPT, Pace.PAUSE): Reader.SLOW,
    (Reader.SLOW, Pace.RESUME): Reader.PROMPT,
}


def after(output: Output, step: Step) -> Output:
    """The output after ``step``. Raises :class:`~mt_remote.wire.states.IllegalStep` for one that is not in the
    table."""
    try:
        return TABLE[output, step]
    except KeyError:
        raise IllegalStep(f"{step.name} while {output.name}") from None


def paced(reader: Reader, pace: Pace) -> Reader:
    """The reader after ``pace``. Raises :class:`~mt_remote.wire.states.IllegalStep`."""
    try:
        return PACES[reader, pace]
    except KeyError:
        raise IllegalStep(f"{pace.name} of a reader that is {reader.name}") from None
