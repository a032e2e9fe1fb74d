"""Finding, checking and loading a Manager library."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mt4abi import table
from mt_remote.errors import ConfigurationError

_IN_PYTHON = re.compile(r"[A-Za-z_][\w.]+:[A-Za-z_]\w*")
_MACHINES = {0x14C: "32-bit x86", 0x8664: "64-bit x86", 0xAA64: "64-bit ARM"}
_PROGRAM_VERSION = 400


class LibraryError(ConfigurationError):
    """A library that can't be used. ``problem`` is stable: ``not_found``, ``not_a_library``, ``bitness``,
    ``cannot_load``, ``missing_export``, ``version``, ``winsock``, ``no_interface``."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(problem, message)
        self.problem = problem
        self.message = message

    def __str__(self) -> str:
        return self.message


@runtime_checkable
class Library(Protocol):
    """What can make interface objects."""

    def version(self) -> int:
        """Program version in the high word, build in the low one."""

    def create(self, version: int) -> int:
        """Address of a new interface object; 0 when there is none."""


class NativeLibrary:
    """A loaded ``mtmanapi`` library. It is never unloaded: its threads may outlive every connection."""

    def __init__(self, path: Path) -> None:
        check_file(path)
        start_winsock()
        self.path = path
        self._module = _loaded(path)
        self._version: Any = self._export("MtManVersion", [])
        self._create: Any = self._export("MtManCreate", [ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)])

    def _export(self, name: str, arguments: list[Any]) -> Any:
        try:
            function = getattr(self._module, name)
        except AttributeError:
            message = f"{self.path} has no export {name}: it is not an MT4 Manager library"
            raise LibraryError("missing_export", message) from None
        function.argtypes, function.restype = arguments, ctypes.c_int
        return function

    def version(self) -> int:
        return int(self._version())

    def create(self, version: int) -> int:
        pointer = ctypes.c_void_p()
        self._create(version, ctypes.byref(pointer))
        return pointer.value or 0


def _loaded(path: Path) -> Any:
    loader: Callable[[str], Any] = ctypes.CDLL
    if sys.platform == "win32":
        loader = ctypes.WinDLL
    try:  # by its whole path: loaders look for a bare name elsewhere than in the current directory
        return loader(os.fspath(path.absolute()))
    except OSError as error:
        raise LibraryError("cannot_load", f"{path} can't be loaded: {error}") from None


def python_bits() -> int:
    """Width of this Python's pointers: a library of another width can't be loaded."""
    return struct.calcsize("P") * 8


def file_bits(path: Path) -> tuple[int, str]:
    """Bitness of a Windows or Linux library file and what it is; 0 for a file that is neither."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:4] == b"\x7fELF":
        return (64 if head[4] == 2 else 32), "Linux library"
    if head[:2] != b"MZ" or len(head) < 0x40:
        return 0, "neither a Windows nor a Linux library"
    at = struct.unpack_from("<I", head, 0x3C)[0]
    if head[at : at + 4] != b"PE\0\0":
        return 0, "a DOS program, no Windows library"
    machine = struct.unpack_from("<H", head, at + 4)[0]
    name = _MACHINES.get(machine, f"machine {machine:#x}")
    return (32 if machine == 0x14C else 64), f"Windows library for {name}"


def check_file(path: Path) -> None:
    """Raises :class:`LibraryError` for what the operating system's own message would leave unsaid."""
    if not path.is_file():
        raise LibraryError(
            "not_found", f"there is no library at {path}; give the path of mtmanapi64.dll or mtmanapi.dll"
        )
    bits, kind = file_bits(path)
    if not bits:
        raise LibraryError("not_a_library", f"{path} is {kind}")
    own = python_bits()
    windows = kind.startswith("Windows")
    if bits != own:
        needed = f"{bits}-bit Windows Python" if windows and sys.platform != "win32" else f"{bits}-bit Python"
        raise LibraryError(
            "bitness", f"{path} is a {bits}-bit {kind}, this Python has {own} bits: run it with a {needed}"
        )
    if windows != (sys.platform == "win32"):
        where = "Windows, or a Windows Python under Wine" if windows else "Linux"
        raise LibraryError("cannot_load", f"{path} is a {kind}: it needs {where}")


def start_winsock() -> None:
    """The library expects its program to have started Winsock."""
    if sys.platform == "win32":
        answer = ctypes.WinDLL("ws2_32").WSAStartup(0x0202, ctypes.create_string_buffer(512))
        if answer:
            raise LibraryError(
                "winsock", f"Winsock 2.2 can't be started (error {answer}): Windows' network is not usable"
            )


def check_version(version: int) -> None:
    """Structs changed between builds: an older one than the table's would be misread."""
    program, build = version >> 16, version & 0xFFFF
    known = table()
    if program != _PROGRAM_VERSION:
        raise LibraryError("version", f"the library has version {program}, MetaTrader 4's is {_PROGRAM_VERSION}")
    if build < known.program_build:
        message = f"the library has build {build}, at least {known.program_build} is needed: its structs were smaller"
        raise LibraryError("version", message)


def open_library(source: str) -> Library:
    """A library by its path, or one made in Python by ``module:name`` (an object, or a callable that makes one)."""
    if _IN_PYTHON.fullmatch(source):
        module, _, name = source.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise LibraryError("not_found", f"there is no library {source}: {error}") from None
        made = found if isinstance(found, Library) and not isinstance(found, type) else found()
        library: Library = made
    else:
        library = NativeLibrary(Path(source))
    check_version(library.version())
    return library


def create_interface(library: Library) -> int:
    """Address of a new interface object."""
    address = library.create(table().version_argument)
    if not address:
        raise LibraryError("no_interface", "the library refused to make an interface of this version")
    return address
