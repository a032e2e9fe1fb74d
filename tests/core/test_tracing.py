"""The tracing switch: each hook call with its plugin, time and outcome; nothing at all while it is off."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from mt_remote.errors import Refused
from mt_remote.plugin import Call, Session, hookimpl
from mt_remote.plugins.host import plugin_manager
from mt_remote.plugins.tracing import Traced, trace
from tests.core.conftest import Start, peer

pytestmark = pytest.mark.anyio


class Clock:
    """Goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Plain:
    __name__ = "plain"

    @hookimpl
    def mt_remote_session_closed(self, code: int) -> None:
        if code == 1011:
            raise ZeroDivisionError("by nought")


class Round:
    __name__ = "round"

    @hookimpl(wrapper=True)
    def mt_remote_session_closed(self) -> Generator[None, object, object]:
        return (yield)


class Veto:
    __name__ = "veto"

    @hookimpl
    async def mt_remote_call_started(self, session: Session, call: Call) -> None:
        if call.name == "users.get.all":
            raise Refused("not today")


@pytest.fixture
def written() -> list[str]:
    return []


def test_what_is_told(written: list[str]) -> None:
    manager = plugin_manager(plugins=[Plain(), Round()], entry_points=False)
    clock = Clock()
    end = trace(manager, lambda call: written.append(str(call)), clock=clock)
    manager.hook.mt_remote_session_closed(session=None, code=1000, reason="")
    with pytest.raises(ZeroDivisionError):
        manager.hook.mt_remote_session_closed(session=None, code=1011, reason="")
    assert written == [
        "mt_remote_session_closed plain 1000.000 ms ok",
        "mt_remote_session_closed round 3000.000 ms ok",
        "mt_remote_session_closed plain 1000.000 ms ZeroDivisionError: by nought",
        "mt_remote_session_closed round 3000.000 ms ZeroDivisionError: by nought",
    ]
    written.clear()
    manager.register(Veto(), "late")
    end()
    manager.hook.mt_remote_session_closed(session=None, code=1000, reason="")
    assert written == []


def test_a_plugin_that_comes_later(written: list[str]) -> None:
    manager = plugin_manager(entry_points=False)
    trace(manager, lambda call: written.append(f"{call.hook} {call.plugin} {call.outcome}"))
    manager.register(Plain(), "later")
    manager.hook.mt_remote_session_closed(session=None, code=1000, reason="")
    assert written == ["mt_remote_session_closed later ok"]


def test_off_leaves_the_plugins_functions_as_they_are() -> None:
    plugin = Plain()
    manager = plugin_manager(plugins=[plugin], entry_points=False)
    (implementation,) = manager.hook.mt_remote_session_closed.get_hookimpls()
    assert implementation.function == plugin.mt_remote_session_closed
    end = trace(manager, print)
    assert implementation.function != plugin.mt_remote_session_closed
    end()
    assert implementation.function == plugin.mt_remote_session_closed


async def test_a_veto_through_the_gateway(start: Start) -> None:
    told: list[Traced] = []
    async with start(plugins=(Veto(),)) as gateway, peer(gateway, version="2") as client:
        trace(gateway.gateway.hooks.manager, told.append)
        await client.connect()
        assert (await client.ask("users.get.all"))["code"] == "refused"
    started = [(call.plugin, call.outcome) for call in told if call.hook == "mt_remote_call_started"]
    assert started == [("veto", "ok"), ("veto", "Refused: not today")]
    assert all(call.seconds >= 0 for call in told)
