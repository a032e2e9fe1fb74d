"""What a snapshot keeps beside orders and prices, and which files are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulator.server.conftest import Broker

from mt4sim import Server
from mt4sim.world.snapshots import SnapshotError
from mt_remote.records import ConCommon, ConGroup, Patch

DAY = 86_400


def reloaded(server: Server, folder: Path) -> Server:
    server.save(folder / "server.json")
    return Server.load(folder / "server.json")


def test_daily_reports_and_the_archive_are_kept(broker: Broker, tmp_path: Path) -> None:
    idle = broker.account("miniforex", deposit=0)
    login = broker.account()
    broker.admin.set_group(Patch(ConGroup, {"group": "miniforex", "archive_period": 2}))
    broker.server.advance(5 * DAY)
    assert idle in broker.server.state.accounts.archived
    loaded = reloaded(broker.server, tmp_path)
    everything = ([login], 0, 2**31 - 1)
    assert loaded.login(1, "manager").daily_reports(*everything) == broker.admin.daily_reports(*everything) != []
    assert loaded.state.accounts.archived.keys() == broker.server.state.accounts.archived.keys()


def test_a_changed_end_of_day_counts_after_loading(broker: Broker, tmp_path: Path) -> None:
    login = broker.account()
    broker.admin.set_common(Patch(ConCommon, {"end_of_day_hour": 13, "end_of_day_minute": 7}))
    loaded = reloaded(broker.server, tmp_path)
    for server in (broker.server, loaded):
        server.advance(DAY)
    times = [[r.time for r in s.trading.rollover.daily_reports(login, 0, 2**31 - 1)] for s in (broker.server, loaded)]
    assert times[0] == times[1]
    assert [time % DAY for time in times[1]] == [13 * 3600 + 7 * 60]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"mt4sim": 99}', '{"mt4sim": 1}'])
def test_other_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(SnapshotError, match=r"odd\.json"):
        Server.load(path)
