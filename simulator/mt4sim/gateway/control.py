"""``simulator.*``: functions with which a client drives the simulation. Served only on the simulator.

They are for tests and demos, and for whoever may do anything to the server: a manager with the right ``admin``, or a
program on the gateway's machine. Nobody else can call any of them, a web page on that machine neither. What drives the
server as a whole (its clock, its faults, a fresh start) works there without ``connect``: a server that was made
unreachable can be made reachable again. What acts on the server's market and accounts, or on files of its machine, is
for whoever logged in as a manager, whichever he is; it works while his connection is being restored.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from mt4sim import Server
from mt4sim.desk.traders import Trader
from mt4sim.gateway.backend import SimulatorBackend
from mt4sim.gateway.faults import Faults, Rule
from mt4sim.market.feeds.specs import FeedSpec
from mt4sim.market.ticks import Source
from mt4sim.state.orders import NewOrder
from mt4sim.state.requests import DealRequest
from mt_remote.errors import ConfigurationError, InvalidData, NotFound, ReturnCode, ServerError, SessionStateError
from mt_remote.plugin import Kind, Namespace, Session
from mt_remote.records import TradeCommand, TransactionFlag
from mt_remote.values import Comment, Login, Lots, Price, PriceLevel, SymbolName, Ticket, UnixTime

clock = Namespace("simulator.clock", help="The simulated server's time")
prices = Namespace("simulator", help="The simulation as a whole")
trader = Namespace("simulator.trader", help="Traders at their terminals")
faults = Namespace("simulator.fault", help="What goes wrong, on purpose")
rules = Namespace("simulator.faults", help="What will go wrong, by rule")
snapshot = Namespace("simulator.snapshot", help="The whole state in a file")

NAMESPACES = [clock, prices, trader, faults, rules, snapshot]


class Clock(TypedDict):
    """The server's time, Unix seconds in its zone."""

    time: int


class Published(TypedDict):
    """Whether a tick came through."""

    published: bool


class Quoted(TypedDict):
    """Prices offered."""

    bid: float
    ask: float


class Heard(TypedDict):
    """What a trader heard of his request: ``code`` is null until the final answer, ``order`` 0 when none came of it."""

    request_id: int
    status: str
    code: int | None
    order: int
    prices: Quoted | None


class Lost(TypedDict):
    """How many connections broke."""

    connections: int


STEERING = ("not_enough_rights",)
"""The error of every function here: see :func:`_backend`."""

FOR_MANAGERS = ("not_connected", *STEERING)
"""The errors of functions that ask for a log-in: see :func:`_logged_in`."""


def _backend(session: Session) -> SimulatorBackend:
    """The backend, for a session that may steer it."""
    backend = cast(SimulatorBackend, session.gateway.backend)
    if not session.is_local:
        manager = backend.server.managers.get(session.login) if session.login else None
        if manager is None or not manager.admin:
            message = "The simulator is steered by managers with the right 'admin', and by programs on its machine"
            raise ServerError(ReturnCode.NOT_ENOUGH_RIGHTS, message)
    return backend


def _logged_in(session: Session) -> SimulatorBackend:
    """The backend, for a session that logged in. Its connection may be down: a :class:`Connection` parameter would ask
    for more."""
    backend = _backend(session)
    if not session.login:
        raise SessionStateError("not_connected", "Not connected to an MT4 server: call 'connect' first")
    return backend


# Time

Seconds = Annotated[int, Field(ge=0, le=366 * 86_400, description="server seconds to pass")]


@clock.function("get", errors=STEERING)
def clock_get(session: Session) -> Clock:
    """The server's time."""
    backend = _backend(session)
    backend.catch_up()
    return {"time": backend.server.now}


@clock.function("advance", kind=Kind.CHANGE, example={"seconds": 3600}, errors=STEERING)
async def clock_advance(session: Session, seconds: Seconds) -> Clock:
    """Lets time pass at once: timers, day ends and the feed's ticks come in order. Gives the new time. Others are
    served meanwhile; it stops where it is when the call's deadline has passed or the session ends."""
    backend = _backend(session)
    await backend.advance_in_slices(seconds, lambda: session.is_open)
    return {"time": backend.server.now}


# Prices and the whole


@prices.function(
    "tick", kind=Kind.CHANGE, example={"symbol": "EURUSD", "bid": 1.0851, "ask": 1.0852}, errors=FOR_MANAGERS
)
def tick(session: Session, symbol: SymbolName, bid: Price, ask: Price) -> Published:
    """A tick as from a data feed: sessions, filter and the symbol's spread apply, unlike with `tick.add`. Says whether
    it was published."""
    server = _logged_in(session).server
    found = server.symbol(symbol)
    quote = server.quotes.tick(symbol, found.to_points(bid), found.to_points(ask), source=Source.FEED)
    return {"published": quote is not None}


@prices.function("feed", kind=Kind.CHANGE, example={"kind": "random"}, errors=FOR_MANAGERS)
def feed(
    session: Session,
    kind: Annotated[Literal["off", "random", "replay"], Field(description="where prices come from")],
    file: Annotated[str, Field(max_length=1024, description="CSV of ticks in that folder, for 'replay'")] = "",
    rate: Annotated[float, Field(gt=0, le=1000, description="multiplies the random feed's tick rate")] = 1.0,
) -> None:
    """Prices come from another feed from now on."""
    backend = _logged_in(session)
    server = backend.server
    path = str(backend.files.existing(file)) if file else None
    changes = {"kind": kind, "file": path, "rate": rate}
    try:
        server.set_feed(FeedSpec(**{**server.feed_spec.model_dump(), **changes}))
    except ConfigurationError as error:
        raise InvalidData.of("file", str(error)) from error


@prices.function("reset", kind=Kind.CHANGE, errors=STEERING)
def reset(session: Session) -> None:
    """The server starts anew from its world or snapshot; every connection is lost, this one too."""
    backend = _backend(session)
    backend.replace(backend.make_server())


# Traders


def _traders(session: Session) -> dict[int, Trader]:
    """The traders of the present server, shared by all sessions."""
    server = _logged_in(session).server
    found: dict[int, Trader] = server.terminals
    return found


def _trader(session: Session, login: int) -> Trader:
    traders = _traders(session)
    if login not in traders or not traders[login].online:
        traders[login] = _logged_in(session).server.trader(login)
    return traders[login]


def _heard(deal: DealRequest) -> Heard:
    answer = deal.answer
    offered: Quoted | None = None
    if answer is not None and answer.prices is not None:
        bid, ask = answer.prices
        offered = {"bid": deal.symbol.to_price(bid), "ask": deal.symbol.to_price(ask)}
    return {
        "request_id": deal.id,
        "status": str(deal.status),
        "code": None if answer is None else int(answer.code),
        "order": 0 if answer is None else answer.order,
        "prices": offered,
    }


def _request(session: Session, login: int, request_id: int) -> DealRequest:
    trader = _traders(session).get(login)
    for deal in trader.requests if trader else ():
        if deal.id == request_id:
            return deal
    raise NotFound(f"Cannot find request {request_id} of trader {login}")


Command = Annotated[
    Literal["buy", "sell", "buy_limit", "buy_stop", "sell_limit", "sell_stop"], Field(description="type of order")
]
Deviation = Annotated[int, Field(ge=0, le=2**31 - 1, description="points that the market may have moved")]
Flags = Annotated[TransactionFlag, Field(description="where the trader's request comes from")]
Request = Annotated[int, Field(ge=1, le=2**31 - 1, description="id of a dealing request")]


@trader.function(
    "open",
    kind=Kind.TRADE,
    example={"login": 5001, "symbol": "EURUSD", "command": "buy", "volume": 0.1},
    errors=FOR_MANAGERS,
)
def trader_open(
    session: Session,
    login: Login,
    symbol: SymbolName,
    command: Command,
    volume: Lots,
    price: PriceLevel = 0.0,
    sl: PriceLevel = 0.0,
    tp: PriceLevel = 0.0,
    deviation: Deviation = 0,
    expiration: UnixTime = 0,
    comment: Comment = "",
    flags: Flags = TransactionFlag.NONE,
) -> Heard:
    """A trader asks to open a position (price 0: the market's) or to place a pending order; all checks apply."""
    kind = TradeCommand(command)
    order = NewOrder(symbol, kind, volume, price, sl=sl, tp=tp, expiration=expiration, comment=comment)
    return _heard(_trader(session, login).open(order, deviation=deviation, flags=flags))


@trader.function("close", kind=Kind.TRADE, example={"login": 5001, "order": 1}, errors=FOR_MANAGERS)
def trader_close(
    session: Session,
    login: Login,
    order: Ticket,
    volume: Lots | None = None,
    price: PriceLevel = 0.0,
    deviation: Deviation = 0,
) -> Heard:
    """A trader asks to close a position, all of it unless a volume is stated."""
    return _heard(_trader(session, login).close(order, volume or 0.0, price, deviation=deviation))


@trader.function("modify", kind=Kind.TRADE, example={"login": 5001, "order": 1, "sl": 1.05}, errors=FOR_MANAGERS)
def trader_modify(
    session: Session,
    login: Login,
    order: Ticket,
    price: PriceLevel = 0.0,
    sl: PriceLevel = 0.0,
    tp: PriceLevel = 0.0,
    expiration: UnixTime = 0,
) -> Heard:
    """A trader asks to change SL and TP, and a pending's price and expiration: all are replaced."""
    return _heard(_trader(session, login).modify(order, price=price, sl=sl, tp=tp, expiration=expiration))


@trader.function("delete", kind=Kind.TRADE, example={"login": 5001, "order": 1}, errors=FOR_MANAGERS)
def trader_delete(session: Session, login: Login, order: Ticket) -> Heard:
    """A trader asks to delete a pending order."""
    return _heard(_trader(session, login).delete(order))


@trader.function("close_by", kind=Kind.TRADE, example={"login": 5001, "order": 1, "order_by": 2}, errors=FOR_MANAGERS)
def trader_close_by(session: Session, login: Login, order: Ticket, order_by: Ticket) -> Heard:
    """A trader asks to close two opposite positions against each other."""
    return _heard(_trader(session, login).close_by(order, order_by))


@trader.function("prices", kind=Kind.TRADE, example={"login": 5001, "symbol": "EURUSD"}, errors=FOR_MANAGERS)
def trader_prices(session: Session, login: Login, symbol: SymbolName) -> Heard:
    """A trader asks for prices (request execution)."""
    return _heard(_trader(session, login).prices(symbol))


@trader.function("request", example={"login": 5001, "request_id": 1}, errors=FOR_MANAGERS)
def trader_request(session: Session, login: Login, request_id: Request) -> Heard:
    """What a trader has heard of a request by now."""
    return _heard(_request(session, login, request_id))


@trader.function("accept", kind=Kind.TRADE, example={"login": 5001, "request_id": 1}, errors=FOR_MANAGERS)
def trader_accept(session: Session, login: Login, request_id: Request) -> Heard:
    """A trader says yes to a requote: the same request at the offered prices."""
    return _heard(_trader(session, login).accept(_request(session, login, request_id)))


@trader.function("withdraw", kind=Kind.TRADE, example={"login": 5001, "request_id": 1}, errors=FOR_MANAGERS)
def trader_withdraw(session: Session, login: Login, request_id: Request) -> Heard:
    """A trader takes a request back that no dealer has answered."""
    deal = _request(session, login, request_id)
    _trader(session, login).withdraw(deal)
    return _heard(deal)


@trader.function("log_out", kind=Kind.CHANGE, example={"login": 5001}, errors=FOR_MANAGERS)
def trader_log_out(session: Session, login: Login) -> None:
    """A trader leaves; his waiting requests are withdrawn."""
    leaving = _traders(session).pop(login, None)
    if leaving is None:
        raise NotFound(f"Trader {login} is not logged in")
    leaving.log_out()


# Faults


@faults.function("disconnect", kind=Kind.CHANGE, example={"login": 1}, errors=STEERING)
def disconnect(session: Session, login: Login | None = None) -> Lost:
    """Breaks the MT4 connections of a manager, or of all; this session's own too, once it is answered."""
    backend = _backend(session)
    chosen = [each for each in backend.connections if login is None or each.login == login]
    own = session.connection
    for connection in chosen:
        if connection is not own:
            backend.lose(connection, "a fault on purpose")
    for connection in chosen:
        if connection is own:
            session.gateway.spawn(_lose_later, backend, connection)
    return {"connections": len(chosen)}


async def _lose_later(backend: SimulatorBackend, connection: object) -> None:
    for found in list(backend.connections):
        if found is connection:
            backend.lose(found, "a fault on purpose")


@faults.function("down", kind=Kind.CHANGE, example={"down": True}, errors=STEERING)
def down(session: Session, down: Annotated[bool, Field(description="whether log-ins fail")]) -> None:
    """Makes the server unreachable for new connections, or reachable again; those that are open stay."""
    _backend(session).down = down


class Struck(TypedDict):
    """A rule that struck: its number from 0, what it did, to which call or notification, on whose connection (0:
    nobody's), and the server's time."""

    rule: int
    do: str
    on: str
    login: int
    time: int


class Plan(TypedDict):
    """The rules, and what struck, the oldest first."""

    seed: int
    rules: list[Rule]
    strikes: list[Struck]


Rules = Annotated[list[Rule], Field(max_length=1000, description="what goes wrong and when")]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="seed of what is random")]


@rules.function(
    "set", kind=Kind.CHANGE, example={"rules": [{"on": "order.open", "nth": 3, "do": "hang"}]}, errors=STEERING
)
def faults_set(session: Session, rules: Rules, seed: Seed = 0) -> None:
    """These rules hold from now on, in place of former ones; what those hold back is let go."""
    _backend(session).use_faults(Faults(rules, seed=seed))


@rules.function("get", errors=STEERING)
def faults_get(session: Session) -> Plan:
    """The rules that hold, and what struck since they were set."""
    plan = _backend(session).faults.plan or Faults()
    strikes = [cast(Struck, strike._asdict()) for strike in plan.strikes]
    return {"seed": plan.seed, "rules": list(plan.rules), "strikes": strikes}


@rules.function("clear", kind=Kind.CHANGE, errors=STEERING)
def faults_clear(session: Session) -> None:
    """Nothing goes wrong by rule any more; what was held back is let go."""
    _backend(session).use_faults(None)


@rules.function("release", kind=Kind.CHANGE, errors=STEERING)
def faults_release(session: Session) -> None:
    """Calls that hang or are delayed go on and notifications that are held back come; the rules stay."""
    _backend(session).faults.release()


# Snapshots

File = Annotated[str, Field(min_length=1, max_length=1024, description="file in the folder of simulator.folder")]


@snapshot.function("save", kind=Kind.CHANGE, example={"file": "monday.json"}, errors=FOR_MANAGERS)
def snapshot_save(session: Session, file: File) -> None:
    """Writes the server's whole state to a file."""
    backend = _logged_in(session)
    try:
        backend.server.save(backend.files.writable(file))
    except OSError as error:
        raise InvalidData.of("file", error.strerror or "can't be written") from error


@snapshot.function("load", kind=Kind.CHANGE, example={"file": "monday.json"}, errors=FOR_MANAGERS)
def snapshot_load(session: Session, file: File) -> None:
    """The server becomes as it was saved; every connection is lost, this one too."""
    backend = _logged_in(session)
    try:
        server = Server.load(backend.files.existing(file))
    except ConfigurationError as error:
        raise InvalidData.of("file", str(error)) from error
    backend.replace(server)
