"""The folder in which clients name files: what they name stays inside, and is a file."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

import platformdirs

from mt_remote.errors import InvalidData

SETTING = "simulator.folder"


class ClientFolder:
    """``path`` is the folder; without one it is this user's own for data of programs, which is made when it is needed,
    for him alone. Errors name ``field``, the request's."""

    def __init__(self, path: Path | None = None, *, field: str = "file") -> None:
        self._path = path
        self._field = field

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path or platformdirs.user_data_path("mt-remote", appauthor=False) / "simulator"

    def existing(self, name: str) -> Path:
        """A regular file that is there. Raises :class:`~mt_remote.errors.InvalidData`."""
        path = self._inside(name)
        if not path.exists():
            raise self._wrong("there is no such file")
        return path

    def writable(self, name: str) -> Path:
        """Where a file may be written; one that is there is a regular one. Raises
        :class:`~mt_remote.errors.InvalidData`."""
        path = self._inside(name)
        if self._path is None:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise self._wrong(f"the folder can't be made: {error.strerror}") from error
        return path

    def _inside(self, name: str) -> Path:
        if not name or "\0" in name:
            raise self._wrong("is no file's name")
        windows = PureWindowsPath(name)  # also elsewhere: a name means the same on every system
        if PurePosixPath(name).is_absolute() or windows.drive or windows.root or windows.is_reserved():
            raise self._wrong(f"must be a relative path; files are in the folder of the setting {SETTING!r}")
        try:
            root = self.path.resolve()
            path = (root / name).resolve()
            inside = path.is_relative_to(root) and path != root
            regular = not path.exists() or stat.S_ISREG(path.stat().st_mode)
        except (OSError, RuntimeError) as error:  # a name too long, links in a circle
            raise self._wrong("can't be used as a path") from error
        if not inside:
            raise self._wrong(f"leads out of the folder of the setting {SETTING!r}")
        if not regular:
            raise self._wrong("is no regular file")
        return path

    def _wrong(self, problem: str) -> InvalidData:
        return InvalidData.of(self._field, problem)
