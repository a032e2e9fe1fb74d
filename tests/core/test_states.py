"""The table of a session's life: each legal step, and each other one refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from mt_remote.wire.states import TABLE, IllegalStep, State, Step, after
from mt_remote.wire.websocket import WebSocket
from tests.core.frames import close, upgrade

LEGAL = {
    (State.CONNECTING, Step.REQUEST): State.DECIDING,
    (State.CONNECTING, Step.REFUSE): State.CLOSED,
    (State.DECIDING, Step.ACCEPT): State.OPEN,
    (State.DECIDING, Step.REFUSE): State.CLOSED,
    (State.OPEN, Step.CLOSE): State.CLOSING,
    (State.OPEN, Step.PEER_CLOSE): State.CLOSED,
    (State.CLOSING, Step.PEER_CLOSE): State.CLOSED,
    (State.CONNECTING, Step.BREAK): State.CLOSED,
    (State.DECIDING, Step.BREAK): State.CLOSED,
    (State.OPEN, Step.BREAK): State.CLOSED,
    (State.CLOSING, Step.BREAK): State.CLOSED,
    (State.CLOSED, Step.BREAK): State.CLOSED,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)))
def test_every_step_is_legal_by_the_table_or_raises(state: State, step: Step) -> None:
    if (state, step) in LEGAL:
        assert after(state, step) is LEGAL[state, step]
    else:
        with pytest.raises(IllegalStep, match=f"{step.name} in state {state.name}"):
            after(state, step)
    assert TABLE == LEGAL


def reached(state: State) -> WebSocket:
    websocket = WebSocket(100)
    if state is State.CLOSED:
        websocket.receive_eof()
    if state in (State.DECIDING, State.OPEN, State.CLOSING):
        websocket.receive(upgrade())
    if state in (State.OPEN, State.CLOSING):
        websocket.accept()
    if state is State.CLOSING:
        websocket.close(1000, "")
    assert websocket.state is state
    return websocket


@pytest.mark.parametrize("state", list(State))
def test_a_websocket_takes_the_tables_steps_and_no_other(state: State) -> None:
    steps: dict[Step, Callable[[WebSocket], None]] = {
        Step.REFUSE: lambda websocket: websocket.refuse(400, "code", "message"),
        Step.CLOSE: lambda websocket: websocket.close(1000, ""),
        Step.BREAK: WebSocket.receive_eof,
    }
    for step, act in steps.items():
        websocket = reached(state)
        if (state, step) in LEGAL:
            act(websocket)
            assert websocket.state is LEGAL[state, step]
        else:
            with pytest.raises(IllegalStep):
                act(websocket)


def test_a_peers_close_ends_an_open_and_a_closing_session() -> None:
    for state in (State.OPEN, State.CLOSING):
        websocket = reached(state)
        websocket.receive(close())
        assert websocket.finished
