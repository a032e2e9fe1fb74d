"""One manager's connection to the simulated server, in the gateway's terms: thin, every rule is in the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from mt4sim.desk.managers import ManagerSession
from mt4sim.gateway.hub import Hub
from mt4sim.state.orders import NewOrder, OrderChange
from mt4sim.state.requests import DealRequest
from mt_remote.backend import (
    CommonConfig,
    Connection,
    Dealing,
    Event,
    External,
    Groups,
    Listener,
    Managers,
    Market,
    Orders,
    Trades,
    Users,
)
from mt_remote.errors import ConnectionLost
from mt_remote.records import (
    ConCommon,
    ConfirmMode,
    ConGroup,
    ConManager,
    Draft,
    Patch,
    Tick,
    TradeCommand,
    TradeRecord,
    UserRecord,
)


class SimulatorConnection(Connection):
    """A session of the server with a listener. Calls never suspend; after a loss each answers ``no_connection``. Events
    come from ``hub``, for as long as the server is there; ``forget`` is told when the connection is over."""

    def __init__(
        self,
        server: str,
        session: ManagerSession,
        listener: Listener,
        hub: Hub,
        forget: Callable[[SimulatorConnection], None],
    ) -> None:
        self.server = server
        self.login = session.login
        self.session = session
        self._listener = listener
        self.opened = session.rooms.state.events.number
        self.visible: dict[str, None] = {}
        self.hub = hub
        self._forget = forget
        self._open = True
        self.common = _Common(self)
        self.groups = _Groups(self)
        self.managers = _Managers(self)
        self.users = _Users(self)
        self.market = _Market(self)
        self.orders = _Orders(self)
        self.trades = _Trades(self)
        self.dealing = _Dealing(self)
        self.external = _External(self)

    @property
    def canonical_server(self) -> str:
        return self.hub.server_name

    @property
    def listener(self) -> Listener:
        """Who hears this connection."""
        return self._listener

    @listener.setter
    def listener(self, listener: Listener) -> None:
        self._listener = listener
        self.hub.listener_changed(self)

    @property
    def live(self) -> ManagerSession:
        """The session. Raises when the connection was lost."""
        if not self._open:
            raise ConnectionLost
        return self.session

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor lost."""
        return self._open

    async def watch(self, kind: str) -> None:
        session = self.live
        self.hub.watch(self, kind)
        if kind == "trade_request":
            session.start_dealing(self._offer)

    def _offer(self, deal: DealRequest) -> None:
        """A request was locked to this dealer."""
        self.listener.on_event(Event("trade_request", self.session.rooms.desk.record(deal)))

    async def unwatch(self, kind: str) -> None:
        self.hub.unwatch(self, kind)
        if kind == "trade_request":
            self.session.stop_dealing()

    async def server_time(self) -> int:
        return self.live.rooms.state.timeline.now

    async def aclose(self) -> None:
        self.end()

    def end(self) -> None:
        """Nothing reaches the listener any more."""
        if self._open:
            self._open = False
            for area in vars(self).values():
                if isinstance(area, _Area):
                    area.cut_off()
            self.session.stop_dealing()
            self._forget(self)


class _Area:
    """A part of the connection."""

    def __init__(self, connection: SimulatorConnection) -> None:
        self._connection = connection
        self._mt = connection.session

    def cut_off(self) -> None:
        """Every call answers ``no_connection`` from now on."""
        self._mt = cast(ManagerSession, _Lost())


class _Lost:
    """Stands in for the session of a connection that is over."""

    def __getattr__(self, name: str) -> object:
        raise ConnectionLost


class _Common(_Area, CommonConfig):
    async def get(self) -> ConCommon:
        return self._mt.common()

    async def set(self, patch: Patch[ConCommon]) -> None:
        self._mt.set_common(patch)


class _Groups(_Area, Groups):
    async def add(self, draft: Draft[ConGroup]) -> None:
        self._mt.add_group(draft)

    async def set(self, patch: Patch[ConGroup]) -> None:
        self._mt.set_group(patch)

    async def get(self, group: str) -> ConGroup:
        found = self._mt.group(group)
        self._connection.hub.refuse_hidden(self._connection, group)
        return found

    async def get_all(self) -> list[ConGroup]:
        return self._mt.groups()

    async def delete(self, group: str) -> None:
        self._mt.delete_group(group)


class _Managers(_Area, Managers):
    async def set(self, patch: Patch[ConManager]) -> None:
        self._mt.set_manager(patch)

    async def get(self, login: int) -> ConManager:
        return self._mt.manager(login)

    async def delete(self, login: int) -> None:
        self._mt.delete_manager(login)


class _Users(_Area, Users):
    async def add(self, draft: Draft[UserRecord]) -> int:
        return self._mt.add_user(draft)

    async def set(self, patch: Patch[UserRecord]) -> None:
        self._mt.set_user(patch)

    async def get(self, logins: Sequence[int]) -> list[UserRecord]:
        return self._mt.users_by(logins)

    async def get_all(self) -> list[UserRecord]:
        return self._mt.users()

    async def delete(self, logins: Sequence[int]) -> None:
        self._mt.delete_users(logins)


class _Market(_Area, Market):
    async def show(self, symbol: str) -> None:
        self._mt.symbol(symbol)
        self._connection.visible[symbol] = None
        self._connection.hub.show(self._connection, symbol)

    async def hide(self, symbol: str) -> None:
        self._mt.symbol(symbol)
        self._connection.visible.pop(symbol, None)
        self._connection.hub.hide(self._connection, symbol)

    def shown(self) -> Sequence[str]:
        return list(self._connection.visible)

    async def add_tick(self, symbol: str, bid: float, ask: float) -> None:
        self._mt.add_tick(symbol, bid, ask)

    async def last_ticks(self, symbol: str) -> list[Tick]:
        return self._mt.last_ticks(symbol)


class _Orders(_Area, Orders):
    async def open(
        self,
        login: int,
        symbol: str,
        command: TradeCommand,
        volume: float,
        price: float,
        *,
        sl: float = 0.0,
        tp: float = 0.0,
        expiration: int = 0,
        comment: str = "",
    ) -> int:
        order = NewOrder(symbol, command, volume, price, sl=sl, tp=tp, expiration=expiration, comment=comment)
        return self._mt.open(login, order)

    async def modify(
        self,
        order: int,
        *,
        price: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        expiration: int | None = None,
        comment: str | None = None,
    ) -> None:
        self._mt.modify(order, OrderChange(price=price, sl=sl, tp=tp, expiration=expiration, comment=comment))

    async def close(self, order: int, volume: float, price: float) -> None:
        self._mt.close(order, volume, price)

    async def close_by(self, order: int, order_by: int) -> None:
        self._mt.close_by(order, order_by)

    async def close_all(self, login: int, symbol: str) -> None:
        self._mt.close_all(login, symbol)

    async def cancel(self, order: int, command: TradeCommand) -> None:
        self._mt.cancel(order, command)

    async def activate(self, order: int, price: float) -> None:
        self._mt.activate(order, price)

    async def balance(
        self, login: int, command: TradeCommand, amount: float, *, expiration: int = 0, comment: str = ""
    ) -> int:
        return self._mt.balance(login, command, amount, expiration=expiration, comment=comment)


class _Trades(_Area, Trades):
    async def get(self, order: int) -> TradeRecord:
        return self._mt.trade(order)

    async def get_all(self) -> Sequence[TradeRecord]:
        return self._mt.trades()

    async def get_by_login(self, login: int, group: str) -> list[TradeRecord]:
        return self._mt.trades_of(login, group)

    async def history(self, login: int, start: int, end: int) -> list[TradeRecord]:
        return self._mt.history(login, start, end)


class _Dealing(_Area, Dealing):
    async def confirm(self, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        self._mt.confirm_request(request_id, bid, ask, mode)

    async def requote(self, request_id: int, bid: float, ask: float) -> None:
        self._mt.requote_request(request_id, bid, ask)

    async def reject(self, request_id: int) -> None:
        self._mt.reject_request(request_id)

    async def reset(self, request_id: int) -> None:
        self._mt.reset_request(request_id)


class _External(_Area, External):
    async def command(self, data: bytes) -> bytes:
        return self._mt.external(data)
