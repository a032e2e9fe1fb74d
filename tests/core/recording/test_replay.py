"""A story is recorded, and played against gateways that are the same, or are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mt4sim.gateway.faults import Faults
from mt_remote.plugin import Call, Refused, Session, hookimpl
from mt_remote.records import ConGroup, ConManager, Patch
from mt_remote_tools.recording import Recording, proxy, read
from mt_remote_tools.recording.compare import Kind, compare
from mt_remote_tools.recording.format import Answer, Closed, EventHeard, Opened, Request
from mt_remote_tools.recording.player import LogIn, Player
from mt_remote_tools.recording.redact import Secrets
from mt_remote_tools.recording.tape import FileTape
from tests.core.recording.story import PASSWORD, TERMS, recorded, replayed
from tests.stories.client import client, manager
from tests.stories.conftest import START, Desk, open_desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def recording(tmp_path: Path, anyio_backend: str) -> Recording:
    return await recorded(tmp_path / "story.jsonl")


async def test_the_recording_has_everything_and_no_secret(recording: Recording, tmp_path: Path) -> None:
    text = (tmp_path / "story.jsonl").read_text(encoding="utf-8")
    assert PASSWORD not in text
    assert "Cannot find group '‹secret 2›'" in text
    first, second = (entry for entry in recording.entries if isinstance(entry, Opened))
    assert (first.dialect, second.dialect) == ("2", "1.00")
    assert first.headers["mt-password"] == second.headers["mt-password"] == "‹secret 1›"
    assert first.headers["mt-login"] == "1"
    heard = {entry.kind for entry in recording.entries if isinstance(entry, EventHeard)}
    assert heard == {"trade", "tick", "user", "trade_request"}
    asked = [entry for entry in recording.entries if isinstance(entry, Request)]
    assert len(asked) == len([entry for entry in recording.entries if isinstance(entry, Answer)]) == 18
    assert [entry.at for entry in recording.entries] == sorted(entry.at for entry in recording.entries)


async def test_a_fresh_gateway_makes_no_difference(recording: Recording) -> None:
    async with open_desk() as desk:
        result = await replayed(recording, desk.url)
    assert result.differences == []
    assert result.answers == 18
    assert result.events > 8


async def test_other_tickets_logins_times_and_managers_make_no_difference(recording: Recording) -> None:
    """The target has seen other accounts and orders before, its clock is elsewhere, and manager 7 logs in."""
    async with open_desk(simulator={"start": START + 86_400}) as desk:
        admin = desk.server.login(1, "manager")
        securities = {name: {"enable": True, "maximum_lots": 10_000.0} for name in desk.server.securities}
        names = "manager money online broker admin see_trades user_details trades market_watch reports"
        rights = dict.fromkeys(names.split(), True)
        admin.set_manager(Patch(ConManager, {"login": 7, "groups": ["*"], "securities": securities, **rights}))
        desk.server.manager_passwords[7] = "manager"
        async with manager(desk.url) as other:
            fields = {"group": "demoforex", "name": "B", "password": "Other-1", "enable": True, "leverage": 100}
            login = (await other.call("user.add", login=0, **fields))["login"]
            for _ in range(3):
                await other.call("order.balance", login=login, command="balance", amount=5.0)
        result = await replayed(recording, desk.url, login=LogIn("Demo", 7))
    assert [str(each) for each in result.differences] == []


class Veto:
    """Refuses partial closing."""

    @hookimpl
    def mt_remote_call_started(self, session: Session, call: Call) -> None:
        if call.name == "order.close":
            raise Refused("not today")


async def test_a_veto_is_named(recording: Recording) -> None:
    async with open_desk(plugins=(Veto(),)) as desk:
        result = await replayed(recording, desk.url)
    first = result.differences[0]
    assert (first.kind, first.path) == (Kind.VALUE, "order.close.status")
    assert (first.recorded, first.replayed) == ("OK", "ERROR")
    assert "not today" in str(first)
    assert any(each.kind is Kind.MISSING and each.path == "trade" for each in result.differences)


def wider(desk: Desk) -> None:
    admin = desk.server.login(1, "manager")
    admin.set_group(Patch(ConGroup, {"group": "demodealing", "securities": {"Forex": {"spread_diff": 10}}}))


async def test_another_spread_is_named(recording: Recording) -> None:
    async with open_desk() as desk:
        wider(desk)
        result = await replayed(recording, desk.url)
        paths = {each.path for each in result.differences}
        assert "trade.data.close_price" in paths
    async with open_desk() as desk:
        wider(desk)
        ignored = await replayed(recording, desk.url, *paths)
        assert ignored.differences == []


async def test_what_the_gateway_does_not_serve_is_a_refusal_of_the_handshake(recording: Recording) -> None:
    async with open_desk(servers=["Live"]) as desk:
        with pytest.raises(InvalidStatus):
            await replayed(recording, desk.url)


async def test_bad_messages_are_played_as_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    async with open_desk() as desk:
        with FileTape(path, desk.url) as tape:
            async with proxy.recording(desk.url, tape) as running:
                async with client(running.url) as one:
                    await one.connection.send('{"password": "Open-Sesame')
                    assert (await one.answer(None))["status"] == "ERROR"
                    await one.connection.send(b"\x00\x01")
                    await one.connection.wait_closed()
                    assert one.connection.close_code == 1003
                await running.until_ended(1)
        found = read(path)
        assert "Sesame" not in path.read_text(encoding="utf-8")
        result = await replayed(found, desk.url)
    assert result.differences == []
    assert result.answers == 1


async def test_a_connection_that_breaks_is_broken_again(recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    async with open_desk() as desk:
        with FileTape(path, desk.url) as tape:
            async with proxy.recording(desk.url, tape) as running, manager(running.url, dialect="2") as one:
                await one.call("config.common.get")
                one.connection.transport.abort()
                await running.until_ended(1)
        found = read(path)
        assert isinstance(found.entries[-1], Closed)
        assert (found.entries[-1].code, found.entries[-1].by) == (1006, "client")
        assert (await replayed(found, desk.url)).differences == []


async def test_a_gateway_that_closes_is_seen_as_doing_so(tmp_path: Path) -> None:
    """Both through the proxy, and in the replay."""
    path = tmp_path / "lost.jsonl"
    async with open_desk() as desk:
        desk.server_backend.use_faults(Faults().on("config.common.get").drops())
        with FileTape(path, desk.url) as tape:
            async with proxy.recording(desk.url, tape) as running:
                async with manager(running.url, dialect="1.00") as one:
                    await one.send("config.common.get")
                    await one.connection.wait_closed()
                    assert one.connection.close_code == 1011
                await running.until_ended(1)
        found = read(path)
        assert (await replayed(found, desk.url)).differences == []
        desk.server_backend.use_faults(None)
        again = await replayed(found, desk.url)
    assert [(each.kind, each.path) for each in again.differences] == [
        (Kind.UNEXPECTED, "config.common.get"),
        (Kind.VALUE, "closed.by"),
    ]


async def test_pauses_are_kept_where_a_speed_is_stated(recording: Recording) -> None:
    found = Recording(recording.header, [Opened(), Request(at=0.5, message={"id": 1, "name": "config.common.get"})])
    async with open_desk() as desk:
        for speed, pause in ((0.0, 0.0), (5.0, 0.1)):
            played = await Player(found, desk.url, secrets=Secrets(), terms=replace(TERMS, speed=speed)).play()
            asked = next(entry for entry in played.entries if isinstance(entry, Request))
            assert asked.at >= pause - 0.001, "clocks tick in steps"


async def test_a_refused_handshake_is_recorded_and_compared(tmp_path: Path) -> None:

    path = tmp_path / "refused.jsonl"
    headers = {"VERSION": "2", "MT-SERVER": "Demo", "MT-LOGIN": "1", "MT-PASSWORD": "Wrong-Pass"}
    async with open_desk() as desk:
        with FileTape(path, desk.url) as tape:
            async with proxy.recording(desk.url, tape) as running:
                with pytest.raises(InvalidStatus) as refused:
                    await connect(running.url, additional_headers=headers)
                assert refused.value.response.status_code == 401
                await running.until_ended(1)
        found = read(path)
        assert "Wrong-Pass" not in path.read_text(encoding="utf-8")
        (opened,) = found.entries
        assert isinstance(opened, Opened)
        assert opened.body["code"] == "bad_account_info"
        assert await replayed_with(found, desk.url, "Wrong-Again") == []
        assert await replayed_with(found, desk.url, "manager") == ["handshake.status"]


async def replayed_with(found: Recording, url: str, password: str) -> list[str]:
    played = await Player(found, url, secrets=Secrets(log_in=password)).play()
    return [each.path for each in compare(found, played).differences]
