"""Start-up diagnosis: one step after the other, each with a message of its own."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mt4abi import table
from mt4abi.library import (
    LibraryError,
    create_interface,
    file_bits,
    open_library,
    python_bits,
)
from mt4abi.marshal import Marshal
from mt_remote.errors import ReturnCode, describe
from mt_remote.records import ConManager
from mt_remote_plugins.manager.engine.handle import Handle, Misbehaved

RIGHTS: Mapping[str, str] = {
    "admin": "config.*",
    "manager": "user.add, user.set, users.del",
    "money": "order.balance",
    "see_trades": "trades.get, trades.get.by_login, the event trade",
    "trades": "order.*",
    "reports": "trades.history",
    "market_watch": "tick.add",
    "broker": "request.*, the event trade_request",
    "user_details": "names, addresses, phones and emails of users (blank without it)",
}
"""Manager rights and the functions that need them (semantics, chapter 9)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One step's outcome. ``ok`` is ``None`` for a remark that stops nothing."""

    step: str
    ok: bool | None
    message: str


def diagnose(
    library: str, server: str = "", login: int = 0, password: str = "", *, code_page: str = "cp1252"
) -> Iterator[Finding]:
    """Goes as far as it can; the last finding tells what stopped it, if anything did."""
    yield Finding("python", True, f"Python {platform.python_version()}, {python_bits()} bits, {platform.system()}")
    path = Path(library)
    if path.is_file():
        bits, kind = file_bits(path)
        yield Finding("file", True, f"{path}: {kind}" + (f", {bits} bits" if bits else ""))
    try:
        opened = open_library(library)
        version = opened.version()
        yield Finding("library", True, f"version {version >> 16} build {version & 0xFFFF}, both exports are there")
        handle = Handle(create_interface(opened))
        yield Finding("interface", True, f"an object of {len(table().methods)} functions was made")
    except LibraryError as error:
        yield Finding(error.problem, False, error.message)
        return
    try:
        if server:
            yield from _session(handle, Marshal(code_page), server, login, password)
        else:
            yield Finding("connect", None, "no server given: not connected")
    except Misbehaved as error:
        yield Finding("misbehaved", False, str(error))
    finally:
        handle.plain("Disconnect")
        handle.plain("Release")


def _session(handle: Handle, marshal: Marshal, server: str, login: int, password: str) -> Iterator[Finding]:
    code = handle.call("Connect", marshal.text(server, 256, "server")).code
    if code:
        yield Finding("connect", False, f"{server} can't be reached: {describe(code)} ({code})")
        return
    yield Finding("connect", True, f"connected to {server}")
    code = handle.call("Login", login, marshal.text(password, 16, "password")).code
    if code:
        yield Finding("login", False, _refusal(login, code))
        return
    yield Finding("login", True, f"logged in as {login}")
    reply = handle.call("ManagerRights", b"")
    if reply.code:
        yield Finding("rights", False, f"the rights can't be read: {describe(reply.code)} ({reply.code})")
        return
    rights = marshal.codec(ConManager).decode(bytes(reply.outs[0]))  # type: ignore[arg-type]
    missing = [name for name in RIGHTS if not getattr(rights, name)]
    for name in missing:
        yield Finding("rights", None, f"the right '{name}' is missing: {RIGHTS[name]}")
    if not missing:
        yield Finding("rights", True, "the manager has every right that the functions need")


def _refusal(login: int, code: int) -> str:
    reasons = {
        ReturnCode.BAD_ACCOUNT_INFO: "wrong login or password, no manager's account, or a filtered address",
        ReturnCode.ACCOUNT_DISABLED: "the account is disabled",
        ReturnCode.OLD_VERSION: "the server wants a newer library",
        ReturnCode.SECURITY_SESSION: "the server wants the secured login, which needs a key file",
        ReturnCode.GENERATE_KEY: "the server wants a key to be generated first",
    }
    known = {int(key): text for key, text in reasons.items()}
    return f"{login} may not log in: {known.get(code, describe(code))} ({code})"
