"""Who counts: how often each law was examined, and the first case that broke it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mt_remote_conformance.laws import LAWS


class Broken(AssertionError):
    """A law does not hold."""

    def __init__(self, law: str, detail: str) -> None:
        self.law = LAWS[law]
        self.detail = detail
        super().__init__(f"{law}: {self.law.statement}\n  {detail}")


class Judge:
    """Examines laws. Those that are ``muted`` (known to be broken) break silently, so that what they would hide is
    found."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.called: Counter[str] = Counter()
        """How often each function was called and answered a success."""
        self.rare: Counter[str] = Counter()
        """How often was done what must not be done often."""
        self.muted: set[str] = set()

    @classmethod
    def silent(cls) -> Judge:
        """One who finds nothing."""
        judge = cls()
        judge.muted = set(LAWS)
        return judge

    def check(self, law: str, holds: object, detail: str | Callable[[], str]) -> None:
        """One case of a law. Raises :class:`Broken`."""
        self.cases[law] += 1
        if not holds and law not in self.muted:
            raise Broken(law, detail if isinstance(detail, str) else detail())

    def equal(self, law: str, got: object, expected: object, what: str) -> None:
        """A case of a law that two values agree."""
        self.check(law, got == expected, lambda: f"{what}: is {got!r}, expected {expected!r}")

    def held(self, law: str) -> None:
        """A case that needs no further look."""
        self.cases[law] += 1
