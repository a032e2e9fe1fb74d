"""Deciding upgrade requests: which dialect, and whether credentials in the headers are good, before the upgrade.

Protocol, chapter 1. A request with none of the headers is dialect ``0``; with them the MT4 server is asked first, and
refusals are HTTP answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from mt_remote.errors import CallTimeout, ConnectionLost, Refused, RequestError, ReturnCode, ServerError
from mt_remote.session.session import SessionHost, WebSocketSession
from mt_remote.wire.states import State
from mt_remote.wire.websocket import UpgradeRequested

SPOKEN = ("1.00", "2")
"""What ``VERSION`` may say; absent it means ``1.00``."""

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
        self.by_headers: set[WebSocketSession] = set()

    def decide(self, session: WebSocketSession, request: UpgradeRequested) -> None:
        """Accepts or refuses, at once or after asking the MT4 server."""
        gateway = self._gateway
        if gateway.stopping:
            session.refuse(503, "shutting_down", "The gateway is shutting down")
        elif len(gateway.sessions) > gateway.settings.max_sessions:
            session.refuse(503, "gateway_full", f"The gateway has its {gateway.settings.max_sessions} sessions")
        else:
            try:
                given = credentials(request)
            except BadHandshake as error:
                session.refuse(error.status, error.code, str(error), error.headers)
                return
            if given is None:
                session.accept("0")
            elif not given.server:
                session.accept(given.version)
            else:
                session.transport.pause_reading()
                gateway.spawn(self._verify, session, given)

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
    if isinstance(error, Refused):
        return _HTTP_OF_REFUSAL.get(error.wire_code, 403), error.wire_code
    return 502, error.wire_code
