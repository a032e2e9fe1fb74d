"""The replay feed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt4sim.market.feeds import ReplayError, ReplayFeed
from mt4sim.world import World
from mt_remote.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.simulator.prices.conftest import Fair

NOON = 1589457600  # the demo world's start
TICKS = """time,symbol,bid,ask
1577880000,EURUSD,1.11000,1.11010
1577880001,GBPUSD,1.3, 1.30012

2020-01-01 12:00:10.5,EURUSD,1.11005,1.11015
2020.01.01 12:01:00,EURUSD,1.11001,1.11011
"""


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    path = tmp_path / "ticks.csv"
    path.write_text(TICKS)
    return path


def played(fair: Fair) -> list[tuple[int, str, int]]:
    return [(quote.time - NOON, name, quote.bid) for name, quote in fair.heard]


def test_from_the_start_the_first_tick_comes_at_once(new_fair: type[Fair], demo: World, ticks: Path) -> None:
    fair = new_fair(demo)
    fair.symbols["EURUSD"].filter = fair.symbols["GBPUSD"].filter = 0
    feed = ReplayFeed(fair.market, ticks)
    feed.start()
    fair.timeline.advance(0)
    assert played(fair) == [(0, "EURUSD", 111000)]
    fair.timeline.advance(60)
    assert played(fair)[1:] == [(1, "GBPUSD", 130000), (10, "EURUSD", 111005), (60, "EURUSD", 111001)]
    assert not feed.running


def test_speed_shrinks_the_distances(new_fair: type[Fair], demo: World, ticks: Path) -> None:
    fair = new_fair(demo)
    fair.symbols["EURUSD"].filter = fair.symbols["GBPUSD"].filter = 0
    ReplayFeed(fair.market, ticks, speed=10).start()
    fair.timeline.advance(60)
    assert [time for time, _, _ in played(fair)] == [0, 0, 1, 6]


def test_at_its_own_time_what_is_past_is_left_out(new_fair: type[Fair], demo: World, ticks: Path) -> None:
    fair = new_fair(demo, 1577880001)
    fair.symbols["EURUSD"].filter = fair.symbols["GBPUSD"].filter = 0
    fair.symbols["EURUSD"].realtime = True
    fair.quotes.calendar.holidays = ()
    ReplayFeed(fair.market, ticks, anchor="file").start()
    fair.timeline.advance(100)
    assert [(quote.time, name) for name, quote in fair.heard] == [
        (1577880001, "GBPUSD"), (1577880010, "EURUSD"), (1577880060, "EURUSD"),
    ]  # fmt: skip


def test_a_feeds_ticks_pass_the_filter(new_fair: type[Fair], demo: World, ticks: Path) -> None:
    fair = new_fair(demo)
    ReplayFeed(fair.market, ticks).start()
    fair.timeline.advance(60)
    assert [bid for _, name, bid in played(fair) if name == "EURUSD"] == [111001]  # the third beyond 300 points


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,EURUSD,1.1", "needs 4 columns (time, symbol, bid, ask), has 3"),
        ("noon,EURUSD,1.1,1.2", "time: 'noon' is neither Unix seconds nor like 2020-05-14 12:00:00"),
        ("-5,EURUSD,1.1,1.2", "time: '-5' is neither"),
        ("2020-01-01T00:00:00+02:00,EURUSD,1.1,1.2", "time: "),
        ("1577880005,XXXYYY,1.1,1.2", "symbol: the server has no symbol 'XXXYYY'"),
        ("1577880005,EURUSD,x,1.2", "bid: 'x' is not a price above 0"),
        ("1577880005,EURUSD,1.1,0", "ask: '0' is not a price above 0"),
        ("1577880005,EURUSD,nan,1.2", "bid: 'nan' is not a price above 0"),
        ("1577879999,EURUSD,1.1,1.2", "time: 1577879999 lies before that of the line above"),
    ],
)
def test_a_wrong_line_is_named_before_anything_is_played(
    new_fair: type[Fair], demo: World, tmp_path: Path, line: str, problem: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"time,symbol,bid,ask\n1577880000,EURUSD,1.1,1.2\n\n{line}\n")
    fair = new_fair(demo)
    feed = ReplayFeed(fair.market, path)
    with pytest.raises(ReplayError) as caught:
        feed.start()
    assert str(caught.value).startswith(f"{path}:4: {problem}")
    fair.timeline.advance(60)
    assert (fair.heard, feed.running) == ([], False)


def test_unchecked_the_error_comes_with_its_line(new_fair: type[Fair], demo: World, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("1577880000,EURUSD,1.08001,1.08010\n1577880009,EURUSD,1.08002,1.08010\nx\n")
    fair = new_fair(demo)
    feed = ReplayFeed(fair.market, path, check=False)
    feed.start()
    fair.timeline.advance(8)
    with pytest.raises(ReplayError, match=r"bad\.csv:3: needs 4 columns"):
        fair.timeline.advance(2)
    assert [time for time, _, _ in played(fair)] == [0, 9]
    assert not feed.running


def test_missing_files_odd_bytes_and_speeds(new_fair: type[Fair], demo: World, tmp_path: Path) -> None:
    fair = new_fair(demo)
    with pytest.raises(ReplayError, match=r"none\.csv: No such file"):
        ReplayFeed(fair.market, tmp_path / "none.csv").start()
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe1,EURUSD")
    with pytest.raises(ReplayError, match=r"odd\.csv: not UTF-8 text"):
        ReplayFeed(fair.market, tmp_path / "odd.csv").start()
    with pytest.raises(ConfigurationError, match="speed: must be above 0"):
        ReplayFeed(fair.market, tmp_path / "none.csv", speed=0)


def test_unknown_symbols_can_be_left_out_and_a_file_be_empty(new_fair: type[Fair], demo: World, tmp_path: Path) -> None:
    fair = new_fair(demo)
    path = tmp_path / "some.csv"
    path.write_text("1577880000,XXXYYY,1.1,1.2\n1577880000,EURUSD,1.08,1.0801\n")
    feed = ReplayFeed(fair.market, path, skip_unknown=True)
    feed.start()
    fair.timeline.advance(60)
    assert [name for name, _ in fair.heard] == ["EURUSD"]
    path.write_text("")
    feed.start()
    assert not feed.running


@settings(max_examples=20, deadline=None)
@given(
    walk=st.lists(st.tuples(st.integers(0, 50), st.integers(107_900, 108_100)), max_size=30),
    half=st.integers(0, 700), speed=st.sampled_from([0.5, 1.0, 7.0]),
)  # fmt: skip
def test_saved_and_loaded_it_goes_on_alike(
    new_fair: type[Fair], demo: World, tmp_path_factory: pytest.TempPathFactory, walk: list[tuple[int, int]],
    half: int, speed: float,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("walk") / "walk.csv"
    times = [NOON + sum(wait for wait, _ in walk[: place + 1]) for place in range(len(walk))]
    path.write_text("".join(f"{t},EURUSD,{p / 1e5},{(p + 10) / 1e5}\n" for t, (_, p) in zip(times, walk, strict=True)))
    fair = new_fair(demo)
    feed = ReplayFeed(fair.market, path, speed=speed)
    feed.start()
    fair.timeline.advance(half)
    saved = json.loads(json.dumps([fair.quotes.state(), feed.state()]))
    other = new_fair(demo, fair.timeline.now)
    other.quotes.restore(saved[0])
    copy = ReplayFeed(other.market, path, speed=speed)
    copy.restore(saved[1])
    assert copy.state() == feed.state()
    fair.heard.clear()
    for one in (fair, other):
        one.timeline.advance(5000)
    assert fair.heard == other.heard
