"""What goes wrong, on purpose: rules that say what happens to which call, notification or moment.

    faults = Faults(seed=7)
    faults.on("order.open", nth=3).answers("trade_no_money")
    faults.on("user.*", probability=0.1).delays(2)
    faults.on("event.trade", every=5).misses()
    faults.at(60).restarts(down=30)

Calls have the names that they have on the wire, ``*`` stands for anything; notifications are called ``event.`` and
their kind. All seconds are the server's: with a manual clock nothing waits that nobody moves. What is random follows
from the seed, for each rule by itself, so that one more rule changes nothing for the others.

This module decides; :mod:`mt4sim.gateway.faulty` does it.
"""

from __future__ import annotations

import random
import tomllib
from collections import deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mt_remote.area import Area, every_area
from mt_remote.errors import ConfigurationError, ReturnCode, ServerError
from mt_remote_plugins.areas import AREAS

OF_CONNECTIONS = {"watch": "subscribe", "unwatch": "unsubscribe"}
"""What a connection does beside its areas' functions, and the function that a client calls for it."""

LOG_IN = "connect"
"""The log-in: there is no connection yet."""

EVENTS = tuple(f"event.{kind}" for kind in ("tick", "trade", "user", "group", "trade_request"))
"""Notifications."""

TIME = "time"
"""What a rule is about that strikes at a moment."""

Do: TypeAlias = Literal["answer", "delay", "hang", "drop", "restart", "stop_pumping", "miss", "double", "reorder"]

_OF_CALLS = ("answer", "delay", "hang")
_OF_EVENTS = ("miss", "double", "reorder")
_ERRORS = {code.code: code for code in ReturnCode if code > ReturnCode.OK_NONE}
_KEPT = 10_000


class Rule(BaseModel):
    """One thing that goes wrong, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: str = Field(description="the call, `event.` and a kind, or `time`; `*` stands for anything")
    do: Do = Field(description="what happens")
    nth: int | None = Field(None, ge=1, description="only the nth time")
    every: int | None = Field(None, ge=1, description="only every so many times")
    times: int | None = Field(None, ge=1, description="at most so often")
    probability: float = Field(1.0, gt=0, le=1, description="chance of each time")
    login: int | None = Field(None, ge=1, description="only for this manager")
    at: int | None = Field(None, ge=0, description="for `time`: server seconds from now")
    code: str = Field("", description="for `answer`: the error's code, e.g. `trade_no_money`")
    message: str = Field("", max_length=1024, description="for `answer`: its text; the code's own when empty")
    seconds: int = Field(
        0,
        ge=0,
        description="for `delay`: server seconds; for `restart`: how long the server is down; for `stop_pumping`: for "
        "how long, 0 until the connection's end",
    )
    after: bool = Field(False, description="for calls: it happens once the call was carried out")
    everyone: bool = Field(False, description="for `drop` and `stop_pumping`: to every connection")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problem = _problem(self)
        if problem:
            raise ValueError(problem)
        return self

    def matches(self, name: str, login: int) -> bool:
        """Whether the rule is about this call or notification."""
        if self.login is not None and self.login != login:
            return False
        return fnmatchcase(name, self.on) and name.startswith("event.") == self.on.startswith("event.")

    @property
    def error(self) -> ServerError:
        """What ``answer`` raises."""
        return ServerError(_ERRORS[self.code], self.message)


def calls() -> list[str]:
    """What a rule can be about: the functions of all areas that there are, by their names on the wire."""
    areas: list[type[Area]] = [*AREAS, *every_area()]  # ours are declared, now that they are imported
    return [row.name for area in dict.fromkeys(areas) for row in area.functions] + list(OF_CONNECTIONS.values())


def _problem(rule: Rule) -> str:
    if (rule.on == TIME) != (rule.at is not None):
        return "'at' says when, and stands with on = 'time' alone"
    if rule.on != TIME and not any(fnmatchcase(name, rule.on) for name in (*calls(), LOG_IN, *EVENTS)):
        return f"no call and no notification is called {rule.on!r}"
    if rule.do in _OF_CALLS and (rule.on == TIME or rule.on.startswith("event.")):
        return f"{rule.do!r} happens to calls"
    if rule.do in _OF_EVENTS and not rule.on.startswith("event."):
        return f"{rule.do!r} happens to notifications, such as 'event.trade'"
    if (rule.do == "answer") != bool(rule.code):
        return "'code' says what 'answer' answers, and stands with it alone"
    if rule.code and rule.code not in _ERRORS:
        return f"no error has the code {rule.code!r}"
    if rule.do == "delay" and not rule.seconds:
        return "'delay' needs 'seconds'"
    return ""


class Spec(BaseModel):
    """A file of faults: a seed and a table ``[[rules]]`` for each rule."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[int, Field(ge=0)] = 0
    rules: list[Rule] = Field(default_factory=list)


class FaultsError(ConfigurationError):
    """A file of faults is wrong, or a rule makes no sense."""


class Strike(NamedTuple):
    """A rule that struck: its number from 0, what it did, to what, whose connection it was (0: nobody's), and the
    server's time."""

    rule: int
    do: str
    on: str
    login: int
    time: int


class Faults:
    """Rules, how often each was met, and what struck."""

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self.seed = seed
        self.strikes: deque[Strike] = deque(maxlen=_KEPT)
        self._rules: list[Rule] = []
        self._met: list[int] = []
        self._struck: list[int] = []
        self._chances: list[random.Random] = []
        for rule in rules:
            self.add(rule)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a file in TOML. Raises :class:`FaultsError`."""
        try:
            document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise FaultsError(f"{path}: {error.strerror or type(error).__name__}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FaultsError(f"{path} is not TOML: {error}") from error
        return cls.from_document(document, source=str(path))

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, source: str = "faults") -> Self:
        """From what a TOML or JSON parser gave. ``source`` is named in errors."""
        try:
            spec = Spec.model_validate(document)
        except ValidationError as error:
            problems = [f"{source}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            raise FaultsError("\n".join(problems)) from error
        return cls(spec.rules, seed=spec.seed)

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(self._rules)

    def add(self, rule: Rule) -> None:
        """A further rule."""
        self._chances.append(random.Random(f"{self.seed}/{len(self._rules)}"))
        self._rules.append(rule)
        self._met.append(0)
        self._struck.append(0)

    def on(
        self,
        what: str,
        *,
        nth: int | None = None,
        every: int | None = None,
        times: int | None = None,
        probability: float = 1.0,
        login: int | None = None,
    ) -> Fault:
        """A rule for calls or notifications; what happens is said next: ``faults.on("user.add").hangs()``."""
        when = {"nth": nth, "every": every, "times": times, "probability": probability, "login": login}
        return Fault(self, {"on": what, **when})

    def at(self, seconds: int) -> Fault:
        """A rule for a moment, in server seconds from when the faults begin."""
        return Fault(self, {"on": TIME, "at": seconds})

    def met(self, name: str, login: int, now: int) -> list[Rule]:
        """A call or notification comes: the rules that strike, in their order."""
        return [
            rule
            for number, rule in enumerate(self._rules)
            if rule.matches(name, login) and self._strikes(number, rule, name, login, now)
        ]

    def due(self, rule: Rule, now: int) -> None:
        """A rule's moment has come."""
        self.strikes.append(Strike(self._rules.index(rule), rule.do, TIME, 0, now))

    def _strikes(self, number: int, rule: Rule, name: str, login: int, now: int) -> bool:
        self._met[number] += 1
        count = self._met[number]
        if rule.nth is not None and count != rule.nth:
            return False
        if rule.every is not None and count % rule.every:
            return False
        if rule.times is not None and self._struck[number] >= rule.times:
            return False
        if rule.probability < 1 and self._chances[number].random() >= rule.probability:
            return False
        self._struck[number] += 1
        self.strikes.append(Strike(number, rule.do, name, login, now))
        return True


class Fault:
    """The first half of a rule: each method completes and adds it, and gives the faults again."""

    def __init__(self, faults: Faults, when: Mapping[str, object]) -> None:
        self._faults = faults
        self._when = when

    def _does(self, do: Do, **more: object) -> Faults:
        self._faults.add(Rule.model_validate({**self._when, "do": do, **more}))
        return self._faults

    def answers(self, code: str | ReturnCode, message: str = "", *, after: bool = False) -> Faults:
        """The call answers an error, by its code; ``after``: though it was carried out."""
        name = code.code if isinstance(code, ReturnCode) else code
        return self._does("answer", code=name, message=message, after=after)

    def delays(self, seconds: int, *, after: bool = False) -> Faults:
        """The call (or, ``after``, its answer) takes so many server seconds longer."""
        return self._does("delay", seconds=seconds, after=after)

    def hangs(self, *, after: bool = False) -> Faults:
        """The call is never answered, until the connection ends or the faults are released."""
        return self._does("hang", after=after)

    def drops(self, *, everyone: bool = False, after: bool = False) -> Faults:
        """The connection to the server is lost, or everyone's."""
        return self._does("drop", everyone=everyone, after=after)

    def restarts(self, *, down: int = 0, after: bool = False) -> Faults:
        """The server restarts with what it had saved: everything, but for connections, terminals and waiting
        requests. Log-ins fail for ``down`` server seconds."""
        return self._does("restart", seconds=down, after=after)

    def stops_pumping(self, seconds: int = 0, *, everyone: bool = False) -> Faults:
        """Notifications stop, for so many server seconds or until the connection ends; calls work."""
        return self._does("stop_pumping", seconds=seconds, everyone=everyone)

    def misses(self) -> Faults:
        """The notification does not come."""
        return self._does("miss")

    def doubles(self) -> Faults:
        """The notification comes twice."""
        return self._does("double")

    def reorders(self) -> Faults:
        """The notification comes after the connection's next one."""
        return self._does("reorder")
