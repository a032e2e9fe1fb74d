"""Deciding upgrade requests: which dialect, and whether credentials in the headers are good, before the upgrade.

Protocol, chapter 1. A request with none of the headers is dialect ``0``; with them the MT4 server is asked first, and
refusals are HTTP answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from mt_remote.addresses import FORWARDING, BadForwarding, host_of, is_loopback
from mt_remote.errors import Busy, CallTimeout, ConnectionLost, Refused, RequestError, ReturnCode, ServerError
from mt_remote.gateway.origins import Origins
from mt_remote.session.session import SessionHost, WebSocketSession
from mt_remote.wire.states import State
from mt_remote.wire.websocket import UpgradeRequested

SPOKEN = ("1.00", "2")
"""What ``VERSION`` may say; absent it means ``1.00``."""

_BY_PROXY = (*FORWARDING, "via", "x-real-ip", "x-forwarded-host", "x-forwarded-proto")
"""Request headers by which a proxy gives itself away, trusted or not."""

_HEADERS = ("mt-server", "mt-login", "mt-password")
_HTTP_OF_CODE = {
    ReturnCode.BAD_ACCOUNT_INFO: 401,
    ReturnCode.ACCOUNT_DISABLED: 401,
    ReturnCode.NOT_ENOUGH_RIGHTS: 403,
    ReturnCode.NO_CONNECT: 502,
    ReturnCode.NETWORK_PROBLEM: 502,
}
_HTTP_OF_REFUSAL = {"server_not_allowed": 403, "too_many_logins": 429}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a handshake's headers say."""

    server: str
    login: int
    password: str
    version: str


class BadHandshake(Exception):
    """The headers can't be used: the HTTP status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


def credentials(request: UpgradeRequested) -> Credentials | None:
    """The credentials in a request's headers, ``None`` when it has none of them. Raises :class:`BadHandshake`."""
    headers = request.headers
    if not any(name in headers for name in (*_HEADERS, "version")):
        return None
    version = headers.get("version", "1.00").strip()
    if version not in SPOKEN:
        spoken = ", ".join(SPOKEN)
        raise BadHandshake(
            426, "unknown_version", f"VERSION {version!r} is not spoken here; {spoken} are", VERSION=spoken
        )
    present = [name for name in _HEADERS if name in headers]
    if not present and version == "2":
        return Credentials("", 0, "", version)
    for name in _HEADERS:
        if not headers.get(name):
            raise BadHandshake(400, "missing_header", f"The header {name.upper()} is missing")
    login = headers["mt-login"].strip()
    if not (login.isascii() and login.isdigit() and len(login) <= 10 and 0 < int(login) < 2**31):
        raise BadHandshake(400, "malformed_header", "The header MT-LOGIN must be a manager's login, e.g. 1")
    return Credentials(headers["mt-server"].strip(), int(login), headers["mt-password"], version)


class Handshakes:
    """Decides for one gateway. ``by_headers`` are the sessions whose credentials came with the handshake."""

    def __init__(self, gateway: SessionHost) -> None:
        self._gateway = gateway
        self._origins = Origins(gateway.settings.origins, gateway.settings.host)
        self.by_headers: set[WebSocketSession] = set()

    def decide(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """Accepts or refuses, at once or after asking the MT4 server."""
        gateway = self._gateway
        try:
            self._let_in(session, request)
            given = credentials(request)
        except BadHandshake as error:
            gateway.refusals.refused(
                "handshake refused",
                session=session.id,
                peer=session.peer,
                status=error.status,
                code=error.code,
                reason=str(error),
            )
            session.refuse(error.status, error.code, str(error), error.headers)
            return
        if given is None:
            session.accept("0")
        elif not given.server:
            session.accept(given.version)
        else:
            session.transport.pause_reading()
            gateway.spawn(self._verify, session, given)

    def _let_in(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """Whether the gateway has room, and the client may come in. Raises :class:`BadHandshake`."""
        gateway, settings = self._gateway, self._gateway.settings
        if gateway.stopping:
            raise BadHandshake(503, "shutting_down", "The gateway is shutting down")
        if len(gateway.sessions) > settings.max_sessions:
            raise BadHandshake(503, "gateway_full", f"The gateway has its {settings.max_sessions} sessions")
        was_local = is_loopback(host_of(session.peer))
        self._find_client(session, request)
        origin = request.headers.get("origin")
        if origin is not None and not self._origins.allow(origin, request.headers["host"]):
            message = f"Pages of {origin[:255]!r} may not connect here; the setting 'origins' names those that may"
            raise BadHandshake(403, "origin_not_allowed", message)
        session.is_local = was_local and origin is None and not any(name in request.headers for name in _BY_PROXY)

    def _find_client(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """Whose connection it is, and whether that one has not too many."""
        admission, entry, settings = self._gateway.admission, session.entry, self._gateway.settings
        try:
            client = admission.proxies.client(entry.peer, request.headers)
        except BadForwarding as error:
            raise BadHandshake(400, "bad_forwarding", str(error)) from error
        may = True
        if client != entry.peer or not entry.counted:
            may = admission.speaks_for(entry, client, is_final=True)
        if not may or admission.is_crowded(entry):
            most = settings.max_sessions_per_address
            raise BadHandshake(429, "too_many_sessions", f"The address {host_of(client)} has its {most} sessions")

    async def _verify(self, session: WebSocketSession, given: Credentials) -> None:
        try:
            with self._gateway.limit(self._gateway.settings.deadlines.session):
                await session.connect(given.server, given.login, given.password)
        except RequestError as error:
            self._refuse(session, *_http(error), error.message)
        except TimeoutError:
            self._refuse(session, 504, "timeout", "The MT4 server did not answer in time")
        except Exception:
            self._refuse(session, 502, "internal_error", "Verifying the credentials failed inside the gateway")
            raise
        else:
            await self._accept(session, given.version)

    async def _accept(self, session: WebSocketSession, version: str) -> None:
        if session.websocket.state is not State.DECIDING:  # the client did not wait
            connection = session.mt4.end()
            if connection is not None:
                await connection.aclose()
            return
        self.by_headers.add(session)
        session.transport.resume_reading()
        session.accept(version)

    def _refuse(self, session: WebSocketSession, status: int, code: str, message: str) -> None:
        if session.websocket.state is State.DECIDING:
            session.transport.resume_reading()
            session.refuse(status, code, message)


def _http(error: RequestError) -> tuple[int, str]:
    if isinstance(error, ConnectionLost):
        return 502, error.wire_code
    if isinstance(error, ServerError):
        known = _HTTP_OF_CODE.get(ReturnCode(error.return_code)) if error.wire_code[:4] != "mt4_" else None
        return known or 502, error.wire_code
    if isinstance(error, CallTimeout):
        return 504, error.wire_code
    if isinstance(error, Busy):
        return 503, error.wire_code
    if isinstance(error, Refused):
        return _HTTP_OF_REFUSAL.get(error.wire_code, 403), error.wire_code
    return 502, error.wire_code
