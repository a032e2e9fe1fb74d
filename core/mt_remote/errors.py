"""Everything that can go wrong, in one tree.

    MtRemoteError
    ├── PluginError              a plugin is wrong; refused at registration, by name
    ├── ConfigurationError       a setting or a flag is wrong; one line and exit code 2
    └── RequestError             answers one request; the session lives on
        ├── InvalidRequest       the message is not a request at all
        ├── UnknownFunction      no plugin registered that name
        ├── InvalidData          ``data`` breaks the function's signature; names each field
        ├── NotFound             the group, login, symbol, ticket … does not exist
        ├── NotOffered           the backend in use has no such function
        ├── SessionStateError    right call, wrong moment (not connected, subscribed already …)
        ├── Refused              a plugin vetoed the call
        ├── Busy                 a bound on what may be waiting was reached
        ├── CallTimeout          a deadline passed; says what is known of the outcome
        ├── InProgress           the first call under this key is late, and still under way
        ├── KeyReused            the key was used for a different request
        ├── TooManyKeys          the login has used as many keys as it may in a day
        ├── InternalError        a bug of ours or of a plugin; details stay in the log
        └── ServerError          the MT4 server refused, with a code of its result table
            └── ConnectionLost   the way to the MT4 server is gone (code ``no_connection``); may say what is known of
                                 the outcome

Every error has a stable ``code`` for machines and a message for people. Foreign errors (pydantic's, the OS's,
ctypes') are translated once, where they enter. Source of the codes: the result table of the Manager library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ReturnCode(IntEnum):
    """Result codes of an MT4 server. ``code`` is the stable name on the wire, ``text`` the library's own wording."""

    OK = 0
    OK_NONE = 1
    ERROR = 2
    INVALID_DATA = 3
    TECH_PROBLEM = 4
    OLD_VERSION = 5
    NO_CONNECT = 6
    NOT_ENOUGH_RIGHTS = 7
    TOO_FREQUENT = 8
    MALFUNCTION = 9
    GENERATE_KEY = 10
    SECURITY_SESSION = 11
    ACCOUNT_DISABLED = 64
    BAD_ACCOUNT_INFO = 65
    PUBLIC_KEY_MISSING = 66
    TRADE_TIMEOUT = 128
    TRADE_BAD_PRICES = 129
    TRADE_BAD_STOPS = 130
    TRADE_BAD_VOLUME = 131
    TRADE_MARKET_CLOSED = 132
    TRADE_DISABLE = 133
    TRADE_NO_MONEY = 134
    TRADE_PRICE_CHANGED = 135
    TRADE_OFFQUOTES = 136
    TRADE_BROKER_BUSY = 137
    TRADE_REQUOTE = 138
    TRADE_ORDER_LOCKED = 139
    TRADE_LONG_ONLY = 140
    TRADE_TOO_MANY_REQ = 141
    TRADE_ACCEPTED = 142
    TRADE_PROCESS = 143
    TRADE_USER_CANCEL = 144
    TRADE_MODIFY_DENIED = 145
    TRADE_CONTEXT_BUSY = 146
    TRADE_EXPIRATION_DENIED = 147
    TRADE_TOO_MANY_ORDERS = 148
    TRADE_HEDGE_PROHIBITED = 149
    TRADE_PROHIBITED_BY_FIFO = 150
    NETWORK_PROBLEM = 255

    @property
    def code(self) -> str:
        """The name a dialect-2 client sees, e.g. ``trade_no_money``."""
        return _WIRE_NAMES.get(self, self.name.lower())

    @property
    def text(self) -> str:
        """The text that the library's ``ErrorDescription`` gives."""
        return _TEXTS[self]


CREDENTIALS_REFUSED = (ReturnCode.BAD_ACCOUNT_INFO, ReturnCode.ACCOUNT_DISABLED)
"""What a log-in is refused with that will be refused again."""

_WIRE_NAMES = {ReturnCode.NO_CONNECT: "no_connection", ReturnCode.ERROR: "common_error"}

_TEXTS = dict(
    zip(
        ReturnCode,
        (
            "OK", "OK/None", "Common error", "Invalid parameters", "Server is busy", "Old version", "No connection",
            "Not enough rights", "Too frequent requests", "Disabled or failed", "Generated key required",
            "Secured login required", "Account disabled", "Invalid account", "Public key not found", "Trade timeout",
            "Invalid prices", "Invalid S/L or T/P", "Invalid volume", "Market is closed", "Trade is disabled",
            "Not enough money", "Price is changed", "Off quotes", "Broker is busy", "Requote", "Order is locked",
            "Long positions only", "Too many requests", "Order is accepted", "Order is in process",
            "Order is canceled by user", "Modification denied", "Trade context is busy",
            "Expiration for pending orders is disabled", "Too many orders", "Hedge is prohibited",
            "Prohibited by FIFO rule", "Network problem",
        ),
        strict=True,
    )
)  # fmt: skip

_BY_NUMBER = {int(code): code for code in ReturnCode}


def describe(code: int) -> str:
    """The library's text for any result code; ``Unknown error`` for one that is not in its table."""
    known = _BY_NUMBER.get(code)
    return known.text if known is not None else "Unknown error"  # OK is 0


def sendable(text: str) -> str:
    """The text without what UTF-8 can't carry: names of files may have lone surrogates in them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request's data: where (``securities.Forex.lot_min``) and what."""

    path: str
    problem: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", sendable(self.problem))

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


class MtRemoteError(Exception):
    """Base of all errors of this project."""

    code: ClassVar[str] = "error"


class PluginError(MtRemoteError):
    """A plugin can't be registered: what is wrong, in which plugin, and what was expected."""

    code = "plugin"


class DeprecatedHook(FutureWarning):
    """A plugin implements a hook that is to go; the message names the one that replaces it."""


class ConfigurationError(MtRemoteError):
    """A setting, flag or file that the gateway can't work with."""

    code = "configuration"


class RequestError(MtRemoteError):
    """Answers one request with ``status: ERROR``. ``message`` is for a person; dialect 2 sends ``wire_code`` as
    ``code``, and ``details``, what is wrong where."""

    code = "error"
    message: str
    details: tuple[Problem, ...]
    outcome: str = ""
    """What is known of the call where that has to be said: ``not_done``, ``unknown``. Dialect 2 sends it."""

    def __init__(self, message: str, *, details: Sequence[Problem] = ()) -> None:
        message = sendable(message)
        super().__init__(message)
        self.message = message
        self.details = tuple(details)

    @property
    def wire_code(self) -> str:
        """The stable name that dialect 2 sends: the class's ``code``, or what an error of many codes was made with."""
        return self.code


class InvalidRequest(RequestError):
    """The message is not a request: not JSON, not an object, no name, an unusable id."""

    code = "invalid_request"


class UnknownFunction(RequestError):
    """No plugin registered a function of that name."""

    code = "unknown_function"


class InvalidData(RequestError):
    """The request's ``data`` does not fit the function; ``details`` names every field."""

    code = "invalid_data"

    @classmethod
    def of(cls, path: str, problem: str) -> InvalidData:
        """One problem with one field."""
        detail = Problem(path, problem)
        return cls(str(detail), details=(detail,))


class NotFound(RequestError):
    """What the request names does not exist."""

    code = "not_found"


class NotOffered(RequestError):
    """The backend in use, or the library that it drives, has no such function; nothing was done."""

    code = "not_offered"

    def __init__(self, function: str = "", *, why: str = "") -> None:
        """``function`` is its name on the wire."""
        super().__init__(f"{function or 'This'} is not offered here" + (f": {why}" if why else ""))


class Conflict(RequestError):
    """Another row is where the request means one by its place: the table changed since the client read it. Nothing was
    written; the client reads the table again."""

    code = "conflict"


class SessionStateError(RequestError):
    """The right call at the wrong moment. ``wire_code`` tells which: ``not_connected``, ``already_connected``,
    ``already_subscribed``, ``not_subscribed``."""

    code = "session_state"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self._wire_code = code

    @property
    def wire_code(self) -> str:
        return self._wire_code


class Refused(RequestError):
    """A plugin vetoed the call. Raise it from ``call_started`` with a message for the client."""

    code = "refused"

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message)
        self._wire_code = code

    @property
    def wire_code(self) -> str:
        return self._wire_code


class Busy(RequestError):
    """A bound on what may be waiting was reached; nothing was started. Try again."""

    code = "busy"


class CallTimeout(RequestError):
    """A call's deadline passed. ``outcome`` is ``not_done`` (known not to have happened) or ``unknown``."""

    code = "timeout"

    def __init__(self, message: str, *, outcome: str = "unknown") -> None:
        super().__init__(message)
        self.outcome = outcome


class InProgress(RequestError):
    """A repetition under a key whose first call has missed its deadline and has not ended: ask again later."""

    code = "in_progress"
    outcome = "unknown"

    def __init__(self, message: str = "The first call under this key is still under way; repeat it later") -> None:
        super().__init__(message)


class KeyReused(RequestError):
    """A different request under a key that is taken."""

    code = "key_reused"


class TooManyKeys(RequestError):
    """An owner of keys has as many as it may; nothing was done. ``most`` is that bound."""

    code = "too_many_keys"

    def __init__(self, most: int) -> None:
        super().__init__(f"This login has {most} keys of the last 24 hours, which is the most; nothing was done")


class InternalError(RequestError):
    """A bug. The log has the traceback, the client only this."""

    code = "internal_error"


class ServerError(RequestError):
    """The MT4 server said no. ``return_code`` is its number, ``wire_code`` the stable name."""

    code = "server_error"
    return_code: int

    def __init__(self, return_code: int, message: str = "", *, path: str = "") -> None:
        self.return_code = return_code
        text = message or describe(return_code)
        super().__init__(text, details=(Problem(path, text),) if path else ())

    @property
    def wire_code(self) -> str:
        known = _BY_NUMBER.get(self.return_code)
        return known.code if known else f"mt4_{self.return_code}"


class ConnectionLost(ServerError):
    """The connection to the MT4 server is gone or was never there. ``outcome`` is what is known of a call that meets
    this: ``not_done`` (known not to have happened), ``unknown`` (it was under way), ``""`` where nothing is said. The
    same call under the same key is carried out again, unless the outcome is ``unknown``."""

    def __init__(self, message: str = "No connection to the MT4 server", *, outcome: str = "") -> None:
        super().__init__(ReturnCode.NO_CONNECT, message)
        self.outcome = outcome


__all__ = [
    "Busy", "CallTimeout", "ConfigurationError", "ConnectionLost", "DeprecatedHook", "InProgress", "InternalError",
    "InvalidData", "InvalidRequest", "KeyReused", "MtRemoteError", "NotFound", "NotOffered", "PluginError", "Problem",
    "Refused", "RequestError", "ReturnCode", "ServerError", "SessionStateError", "TooManyKeys", "UnknownFunction",
    "describe",
]  # fmt: skip
