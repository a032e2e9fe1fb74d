"""Plays a CSV of ticks: ``time,symbol,bid,ask`` a line, oldest first, a head line optional.

The time is Unix seconds or ``2020-05-14 12:00:00`` (dots between the date's parts do too), fractions allowed, in the
server's zone. The file is read as it is played, a line ahead; whatever its size, it is never held in memory.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mt4sim.market.feeds.base import Feed, Market
from mt4sim.market.ticks import Source
from mt_remote.errors import ConfigurationError

COLUMNS = ("time", "symbol", "bid", "ask")


class ReplayError(ConfigurationError):
    """A line of the file can't be played; the message has the file's name and the line's number."""


class Line(NamedTuple):
    """One tick of the file: its line's number, Unix seconds, points."""

    number: int
    time: float
    symbol: str
    bid: int
    ask: int


class ReplayFeed(Feed):
    """Ticks from a file.

    ``anchor`` ``start``: the first tick comes at once, the others at their distance from it. ``file``: ticks come at
    their own time, those that are past already not at all. Either way distances shrink by ``speed``. Ticks of symbols
    that the server does not have are an error, or left out with ``skip_unknown``. ``check`` reads the whole file once
    before it starts, so that a mistake in it shows then and not in the middle of a play.
    """

    kind = "replay"

    def __init__(
        self,
        market: Market,
        path: Path,
        *,
        speed: float = 1.0,
        anchor: Literal["start", "file"] = "start",
        skip_unknown: bool = False,
        check: bool = True,
    ) -> None:
        super().__init__(market)
        if not (speed > 0 and math.isfinite(speed)):
            raise ConfigurationError(f"speed: must be above 0, got {speed}")
        self._path = path
        self._speed = speed
        self._anchor = anchor
        self._skip_unknown = skip_unknown
        self._check = check
        self._lines: Generator[Line, None, None] | None = None
        self._next: Line | None = None
        self._began = 0  # when play began, on the timeline
        self._origin = 0.0  # the file's time that is played at that moment

    def start(self) -> None:
        """Raises :class:`ReplayError`; nothing was played then."""
        if self.running:
            return
        if self._check:
            with closing(self._read(0)) as lines:
                for _ in lines:
                    pass
        self._began = self._market.timeline.now
        self._lines = self._read(0)
        self._next = next(self._lines, None)
        if self._anchor == "file":
            self._origin = self._began
            while self._next is not None and self._next.time < self._began:
                self._next = next(self._lines, None)
        elif self._next is not None:
            self._origin = self._next.time
        self._schedule()

    def stop(self) -> None:
        super().stop()
        self._next = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _moment(self, line: Line) -> int:
        """The second of the timeline at which a line is played."""
        return math.floor(self._began + (line.time - self._origin) / self._speed)

    def _schedule(self) -> None:
        if self._next is None:
            self.stop()
        else:
            self._wake_at(self._moment(self._next))

    def _due(self) -> None:
        now = self._market.timeline.now
        while (line := self._next) is not None and self._moment(line) <= now:
            self._market.quotes.tick(line.symbol, line.bid, line.ask, source=Source.FEED)
            self._next = self._following()
        self._schedule()

    def _following(self) -> Line | None:
        return None if self._lines is None else next(self._lines, None)

    def _read(self, skipped: int) -> Generator[Line, None, None]:
        """The file's ticks after so many lines. Checks each line as it comes."""
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                yield from self._parse(islice(file, skipped, None), skipped)
        except OSError as error:
            raise ReplayError(f"{self._path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ReplayError(f"{self._path}: not UTF-8 text: {error.reason}") from error

    def _parse(self, text: Iterator[str], skipped: int) -> Generator[Line, None, None]:
        rows = csv.reader(text)
        before = -math.inf
        while True:
            number = skipped + rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._wrong(number, str(error)) from error
            cells = [cell.strip() for cell in row]
            if not any(cells) or (number == 1 and tuple(cell.lower() for cell in cells) == COLUMNS):
                continue
            line = self._line(number, cells)
            if line is None:
                continue
            if line.time < before:
                raise self._wrong(number, f"time: {cells[0]} lies before that of the line above")
            before = line.time
            yield line

    def _line(self, number: int, cells: list[str]) -> Line | None:
        """One row as a tick; ``None`` for an unknown symbol that is to be left out."""
        if len(cells) != len(COLUMNS):
            raise self._wrong(number, f"needs {len(COLUMNS)} columns ({', '.join(COLUMNS)}), has {len(cells)}")
        time = _read_time(cells[0])
        if time is None:
            raise self._wrong(number, f"time: {cells[0]!r} is neither Unix seconds nor like 2020-05-14 12:00:00")
        symbol = self._market.symbols.get(cells[1])
        if symbol is None:
            if self._skip_unknown:
                return None
            raise self._wrong(number, f"symbol: the server has no symbol {cells[1]!r}")
        points = []
        for column, cell in zip(COLUMNS[2:], cells[2:], strict=True):
            price = _read_number(cell)
            if price is None or (made := symbol.to_points(price)) <= 0:
                raise self._wrong(number, f"{column}: {cell!r} is not a price above 0")
            points.append(made)
        return Line(number, time, symbol.name, *points)

    def _wrong(self, number: int, problem: str) -> ReplayError:
        return ReplayError(f"{self._path}:{number}: {problem}")

    def state(self) -> dict[str, Any]:
        return {
            "began": self._began,
            "origin": self._origin,
            "next_line": self._next.number if self._next is not None else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.stop()
        self._began, self._origin = state["began"], state["origin"]
        if state["next_line"] is not None:
            self._lines = self._read(state["next_line"] - 1)
            self._next = next(self._lines, None)
            self._schedule()


def _read_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _read_time(text: str) -> float | None:
    number = _read_number(text)
    if number is not None:
        return number if 0 <= number < 2**31 else None
    try:
        moment = datetime.fromisoformat(text.replace(".", "-", 2) if text[4:5] == "." else text)
    except ValueError:
        return None
    return None if moment.tzinfo is not None else moment.replace(tzinfo=UTC).timestamp()
