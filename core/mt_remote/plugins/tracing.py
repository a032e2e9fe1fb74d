"""A line for each call of a hook: which plugin, how long, and what came of it.

Nothing of this is in the way until :func:`trace` is called; from then on each implementation that plugins registered is
wrapped, those that come later too.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any

import pluggy

Write = Callable[["Traced"], object]


class Traced:
    """One call of one plugin's implementation. ``outcome`` is ``ok``, or the class and message of what it raised;
    ``seconds`` is how long it took, awaiting included."""

    __slots__ = ("hook", "outcome", "plugin", "seconds")

    def __init__(self, hook: str, plugin: str, seconds: float, outcome: str) -> None:
        self.hook = hook
        self.plugin = plugin
        self.seconds = seconds
        self.outcome = outcome

    def __str__(self) -> str:
        return f"{self.hook} {self.plugin} {self.seconds * 1000:.3f} ms {self.outcome}"


def trace(
    manager: pluggy.PluginManager, write: Write, *, clock: Callable[[], float] = time.perf_counter
) -> Callable[[], None]:
    """Tells ``write`` of each call of each hook of these plugins; gives a function that ends it."""
    wrapped: dict[pluggy.HookImpl, Callable[..., Any]] = {}

    def wrap(implementations: list[pluggy.HookImpl], hook: str) -> None:
        for each in implementations:
            if each not in wrapped:
                wrapped[each] = each.function
                _replace(each, _timed(each, hook, write, clock))

    def before(hook: str, implementations: Any, _arguments: Any) -> None:
        wrap(implementations, hook)  # those of plugins that came after trace() was called

    def after(_outcome: Any, _hook: str, _implementations: Any, _arguments: Any) -> None:
        """pluggy wants both."""

    for hook in _hooks(manager):
        wrap(hook.get_hookimpls(), hook.name)
    unmonitor = manager.add_hookcall_monitoring(before, after)

    def end() -> None:
        unmonitor()
        for implementation, function in wrapped.items():
            _replace(implementation, function)

    return end


def _hooks(manager: pluggy.PluginManager) -> list[pluggy.HookCaller]:
    return [each for each in vars(manager.hook).values() if isinstance(each, pluggy.HookCaller)]


def _replace(implementation: pluggy.HookImpl, function: Callable[..., Any]) -> None:
    """pluggy calls what is there, by position, with the arguments it found when the plugin registered."""
    setattr(implementation, "function", function)  # noqa: B010  declared final, for whoever reads it


def _timed(implementation: pluggy.HookImpl, hook: str, write: Write, clock: Callable[[], float]) -> Callable[..., Any]:
    function, plugin = implementation.function, implementation.plugin_name

    def tell(began: float, outcome: str) -> None:
        write(Traced(hook, plugin, clock() - began, outcome))

    if implementation.wrapper or implementation.hookwrapper:
        return _timed_wrapper(function, tell, clock)
    if inspect.iscoroutinefunction(function):
        return _timed_coroutine(function, tell, clock)

    @wraps(function)
    def traced(*arguments: Any) -> Any:
        began = clock()
        try:
            result = function(*arguments)
        except BaseException as error:
            tell(began, _failure(error))
            raise
        tell(began, "ok")
        return result

    return traced


def _timed_coroutine(
    function: Callable[..., Any], tell: Callable[[float, str], None], clock: Callable[[], float]
) -> Callable[..., Any]:
    @wraps(function)
    async def traced(*arguments: Any) -> Any:
        began = clock()
        try:
            result = await function(*arguments)
        except BaseException as error:
            tell(began, _failure(error))
            raise
        tell(began, "ok")
        return result

    return traced


def _timed_wrapper(
    function: Callable[..., Any], tell: Callable[[float, str], None], clock: Callable[[], float]
) -> Callable[..., Any]:
    """Round the others: its time is theirs too."""

    @wraps(function)
    def traced(*arguments: Any) -> Generator[Any, Any, Any]:
        began = clock()
        try:
            result = yield from function(*arguments)
        except BaseException as error:
            tell(began, _failure(error))
            raise
        tell(began, "ok")
        return result

    return traced


def _failure(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
