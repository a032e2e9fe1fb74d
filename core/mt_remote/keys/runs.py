"""Which runs of a gateway live: each holds a lock on a file for as long as its process does, however that ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Run:
    """This run, under a name of its own; files of runs that ended go away."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in folder.iterdir():
            if not self.lives(path.name):
                with suppress(OSError):
                    path.unlink()
        self._file = _locked(folder / name)

    def lives(self, name: str) -> bool:
        """Whether the run of that name is this one or another that has not ended."""
        if name == self.name:
            return True
        try:
            file = os.open(self._folder / name, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            _lock(file)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def end(self) -> None:
        """The run is over."""
        with suppress(OSError):
            (self._folder / self.name).unlink()
        os.close(self._file)


def _locked(path: Path) -> int:
    """A new file that is locked. Until it is, others take it for one that was left behind, and may remove it."""
    while True:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(file)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file)):
                return file
        except OSError:  # somebody looks at it, or has just removed it
            os.close(file)
        else:
            os.close(file)
