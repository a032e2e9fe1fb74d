"""Log-ins at the backend, as many as the limits let through (:mod:`mt_remote.gateway.login_limiter`)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import anyio

from mt_remote.backend import Backend, Connection, Listener
from mt_remote.clock import Clock
from mt_remote.errors import CREDENTIALS_REFUSED, RequestError, ServerError
from mt_remote.gateway.login_limiter import Attempt, Ended, LoginLimiter, LoginLimits

if TYPE_CHECKING:
    from mt_remote.settings import Settings


class LogIns:
    """Those of one gateway, or of all workers where it is that of the backend's process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._names_servers = bool(settings.servers)
        self._clock = clock
        self.limiter = LoginLimiter(
            LoginLimits(
                failures_of_address=settings.login_failures,
                failures_of_login=settings.login_failures_per_login,
                failures_of_all=settings.login_failures_total,
                window=settings.login_window,
                concurrent=settings.max_concurrent_logins,
                waiting=settings.max_waiting_logins,
            )
        )

    async def open(
        self,
        backend: Backend,
        server: str,
        login: int,
        password: str,
        listener: Listener,
        *,
        address: str,
        is_retry: bool = False,
    ) -> Connection:
        """Logs in once its turn comes. Raises :class:`~mt_remote.errors.Refused` (``too_many_logins``),
        :class:`~mt_remote.errors.Busy`, and what the backend raises."""
        attempt = await self._admitted(address, self._key(server, login), is_retry=is_retry)
        how = Ended.UNDECIDED if is_retry else Ended.FAILED  # cut off: the MT4 server may have refused it already
        try:
            connection = await backend.open(server, login, password, listener, peer=address)
            how = Ended.SUCCEEDED
        except ServerError as error:
            how = Ended.FAILED if error.return_code in CREDENTIALS_REFUSED else Ended.UNDECIDED
            raise
        except Exception:
            how = Ended.UNDECIDED
            raise
        finally:
            self.limiter.end(attempt, how, self._clock.now())
        return connection

    def _key(self, server: str, login: int) -> Hashable:
        """What a login is counted as. Where a server may be called anything, its names would multiply the limit."""
        return (server if self._names_servers else "", login)

    async def _admitted(self, address: str, login: Hashable, *, is_retry: bool) -> Attempt:
        decided = anyio.Event()
        verdicts: list[RequestError | None] = []

        def decide(error: RequestError | None) -> None:
            verdicts.append(error)
            decided.set()

        attempt = Attempt(address, login, decide, is_retry=is_retry)
        self.limiter.ask(attempt, self._clock.now())
        if not verdicts:
            try:
                await decided.wait()
            except BaseException:
                if attempt.is_started:
                    self.limiter.end(attempt, Ended.UNDECIDED, self._clock.now())
                else:
                    self.limiter.withdraw(attempt)
                raise
        if verdicts[0] is not None:
            raise verdicts[0]
        return attempt
