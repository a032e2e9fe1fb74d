"""What the gateway gets: functions, an event, and the veto."""

from __future__ import annotations

from mt_remote.errors import CallTimeout, ConnectionLost, InternalError
from mt_remote.plugin import (
    Call,
    Connection,
    EventKind,
    Gateway,
    InvalidData,
    Kind,
    Namespace,
    NotFound,
    Outcome,
    Problem,
    Refused,
    RequestError,
    Session,
    SessionStateError,
    hookimpl,
    vetoes,
)
from mt_remote_plugins.areas import Managers, Market
from risk_limits import desk as desks
from risk_limits.check import examine
from risk_limits.limits import Limits, LimitsPatch, configured

limits = Namespace("risk.limits", help="What orders may open")
refusals = Namespace("risk.refusals", help="What was refused")

mt_remote_api = "1.0"


@limits.function("get", example={})
def get_limits(session: Session) -> Limits:
    """The limits that hold now."""
    return desks.desk_of(session.gateway).limits


@limits.function("set", kind=Kind.CHANGE, example={"max_lots": 10.0, "symbols": {"GBPUSD": {"banned": True}}})
async def set_limits(patch: LimitsPatch, /, mt: Connection, session: Session) -> Limits:
    """Changes the fields that are present, until the gateway stops; null takes a limit back. Needs `admin`."""
    await mt[Managers].get(mt.login)  # the one thing that tells: only who has the right `admin` may read it
    for symbol, terms in patch.symbols.items():
        if terms is not None:
            await _known(mt, symbol)
    desk = desks.desk_of(session.gateway)
    desk.limits = desk.limits.changed(patch)
    return desk.limits


async def _known(mt: Connection, symbol: str) -> None:
    try:
        await mt[Market].last_ticks(symbol)
    except NotFound as error:
        raise InvalidData.of(f"symbols.{symbol}", "there is no such symbol") from error


@refusals.function("get", example={})
def get_refusals(session: Session) -> desks.Refusals:
    """How many calls were refused since the gateway started, by limit."""
    return desks.desk_of(session.gateway).refusals()


@hookimpl
def mt_remote_namespaces() -> list[Namespace]:
    return [limits, refusals]


@hookimpl
def mt_remote_event_kinds() -> list[EventKind]:
    example: desks.RefusedData = {
        "name": "order.open",
        "by": 1,
        "login": 100,
        "symbol": "EURUSD",
        "order": 0,
        "field": "volume",
        "limit": "max_lots",
        "value": 20.0,
        "allowed": 10.0,
        "message": "20 lots are more than max_lots allows of EURUSD: 10",
    }
    return [EventKind(desks.REFUSED, desks.RefusedData, help="An order was refused by the limits.", example=example)]


@hookimpl
def mt_remote_gateway_starting(gateway: Gateway) -> None:
    gateway.spawn(desks.start(gateway, configured()).tell)


@hookimpl
def mt_remote_gateway_stopping(gateway: Gateway) -> None:
    desks.stop(gateway)


@hookimpl(trylast=True)
@vetoes("order.open", "order.activate", "order.modify", "request.confirm", "request.requote")
async def mt_remote_call_started(session: Session, call: Call) -> None:
    """Refuses what opens or enlarges risk beyond the limits (risk.limits.get)."""
    if session.connection is None:
        raise SessionStateError(
            "not_connected", "Not connected to an MT4 server: nothing can be held against the limits"
        )
    desk = desks.desk_of(session.gateway)
    subject = desks.Subject(call)
    refusal = await examine(desk, session.connection, call, subject)
    if refusal is None:
        return
    desk.refuse(session, call, refusal, subject)
    error = Refused(f"{refusal.field}: {refusal.message}", code=refusal.code)
    error.details = (Problem(refusal.field, refusal.message),)
    raise error


@hookimpl
def mt_remote_call_finished(session: Session, call: Call, outcome: Outcome) -> None:
    if not call.name.startswith("order."):
        return
    desks.desk_of(session.gateway).ledger.end(call, known=_is_known(outcome.error))


def _is_known(error: RequestError | None) -> bool:
    """Whether an answer tells for certain what became of an order."""
    if isinstance(error, CallTimeout):
        return error.outcome == "not_done"
    return not isinstance(error, ConnectionLost | InternalError)
