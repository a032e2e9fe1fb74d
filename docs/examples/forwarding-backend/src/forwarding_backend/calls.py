"""A call on its way to the other gateway: whether it was sent decides what may be said of its outcome."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import anyio

from forwarding_backend.errors import ForwardedError, error_of
from forwarding_backend.wire import Reader, Unreadable
from mt_remote.errors import RequestError

T = TypeVar("T")


class Call(Generic[T]):
    """One request and what becomes of it.

    The writing thread sends it, the reading thread reads its answer, the event loop waits for it. Either it is sent or
    it is withdrawn, never both.
    """

    def __init__(self, name: str, text: str, read: Reader[T]) -> None:
        self.name = name
        self.text = text
        self.answered = anyio.Event()
        self._read = read
        self._lock = threading.Lock()
        self._sent = False
        self._withdrawn = False
        self._error: RequestError | None = None
        self._result: list[T] = []

    def begin(self) -> bool:
        """Takes the call up for sending. False when it was withdrawn: it must not be sent then."""
        with self._lock:
            self._sent = not self._withdrawn
            return self._sent

    def withdraw(self) -> bool:
        """Takes the call back. False when it may have reached the other gateway already."""
        with self._lock:
            self._withdrawn = not self._sent
            return self._withdrawn

    def read(self, answer: Mapping[str, Any]) -> None:
        """Makes the answer the call's outcome. On the reading thread: a long list takes its time."""
        if answer.get("status") != "OK":
            self._error = error_of(answer)
            return
        try:
            self._result = [self._read(answer.get("result"))]
        except Unreadable as problem:
            text = f"{self.name} was carried out, but its answer can't be read: {problem}"
            self._error = ForwardedError("unreadable_answer", text)

    def fail(self, error: RequestError) -> None:
        """Ends the call without an answer, unless that came already."""
        if not self.answered.is_set():
            self._error = error
            self.answered.set()

    def outcome(self) -> T:
        """The result of a call that was answered. Raises its error."""
        if self._error is not None:
            raise self._error
        return self._result[0]
