"""Builds the simulated library for native programs: ``libmtmanapi.so``, ``mtmanapi64.dll`` or ``mtmanapi.dll``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources, util
from pathlib import Path, PureWindowsPath

from mt4abi import table
from mt4abi.library import python_bits
from mt_remote.errors import ConfigurationError

_WINDOWS = {
    64: ("mtmanapi64.dll", ("x86_64-w64-mingw32-gcc-posix", "x86_64-w64-mingw32-gcc")),
    32: ("mtmanapi.dll", ("i686-w64-mingw32-gcc-posix", "i686-w64-mingw32-gcc")),
}
"""By width: the file that programs look for, and its compilers."""

_LINUX = ("gcc", "cc", "clang")


@dataclass(frozen=True, slots=True)
class Target:
    """What to build for: the library's file name, compilers to try, the Python that it loads at run time."""

    file: str
    compilers: Sequence[str]
    python_library: str
    python_home: str
    python_path: str
    flags: Sequence[str]


def this_python() -> Target:
    """For programs on this machine, with this Python."""
    if sys.platform == "win32":
        dll = Path(sys.base_prefix, f"python{sys.version_info.major}{sys.version_info.minor}.dll")
        return windows(str(dll), ";".join(search_path()), bits=python_bits())
    name = sysconfig.get_config_var("INSTSONAME") or sysconfig.get_config_var("LDLIBRARY") or ""
    library = Path(sysconfig.get_config_var("LIBDIR") or "", name)
    return Target(
        "libmtmanapi.so",
        _LINUX,
        str(library),
        "",
        ":".join(search_path()),
        ("-shared", "-fPIC", "-fvisibility=hidden", "-pthread", "-ldl"),
    )


def windows(python_library: str, python_path: str, *, bits: int = 64) -> Target:
    """For Windows programs of 64 or 32 bits, with a Windows Python of that width whose DLL is at ``python_library`` (a
    Windows path); its standard library is found from there. Raises :class:`ConfigurationError` for another width."""
    if bits not in _WINDOWS:
        raise ConfigurationError(f"a library has 64 or 32 bits, not {bits}")
    file, compilers = _WINDOWS[bits]
    home = str(PureWindowsPath(python_library).parent)
    return Target(file, compilers, python_library, home, python_path, ("-shared", "-static-libgcc", "-Wl,--kill-at"))


def search_path() -> list[str]:
    """Where this Python finds the packages that the library needs, its own standard library left out."""
    found = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    for package in ("mt_remote", "mt4abi", "mt_remote_plugins", "mt4sim", "pydantic", "structlog"):
        spec = util.find_spec(package)
        for place in (spec.submodule_search_locations if spec else None) or ():
            found[str(Path(place).parent)] = None
    return [place for place in found if place]


def build(target: Target, directory: Path, *, compiler: str = "") -> Path:
    """Compiles the shim into ``directory``; the library's path. Raises :class:`ConfigurationError` without a compiler
    or when it fails."""
    names = (compiler,) if compiler else target.compilers
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigurationError(f"no C compiler here of {', '.join(names)}")
    directory.mkdir(parents=True, exist_ok=True)
    out = directory / target.file
    source = resources.files(__package__).joinpath("shim.c").read_text("utf-8")
    with tempfile.TemporaryDirectory() as place:
        Path(place, "shim.c").write_text(source, "utf-8")
        Path(place, "shim_paths.h").write_text(_paths(target), "utf-8")
        command = [found, "-O2", "-Wall", "-Wextra", "-o", str(out), str(Path(place, "shim.c")), *target.flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"{found} failed: {done.stderr.strip()}")
    return out


def _paths(target: Target) -> str:
    values = {
        "PYTHON_LIBRARY": target.python_library,
        "PYTHON_HOME": target.python_home,
        "PYTHON_PATH": target.python_path,
    }
    lines = [f"#define VERSION_ARGUMENT {table().version_argument}"]
    for name, value in values.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'#define {name} "{escaped}"')
    return "\n".join(lines) + "\n"
