"""A trader at his terminal: logs in, asks for prices, sends requests, withdraws them, answers requotes."""

from __future__ import annotations

from mt4sim.desk.dealing import Desk
from mt4sim.events import Change
from mt4sim.market.symbols import Execution, Symbol, symbol_named
from mt4sim.state import State
from mt4sim.state.orders import NewOrder, Order
from mt4sim.state.requests import CLOSES, Answer, ClientRequest, DealRequest
from mt4sim.trading.clients import ClientRequests
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import TradeCommand, TransactionFlag, TransactionType

_OPENS = {
    Execution.INSTANT: TransactionType.ORDER_IE_OPEN,
    Execution.REQUEST: TransactionType.ORDER_REQ_OPEN,
    Execution.MARKET: TransactionType.ORDER_MK_OPEN,
}
_CLOSES_BY_EXECUTION = {
    Execution.INSTANT: TransactionType.ORDER_IE_CLOSE,
    Execution.REQUEST: TransactionType.ORDER_REQ_CLOSE,
    Execution.MARKET: TransactionType.ORDER_MK_CLOSE,
}


class Trader:
    """One account's terminal. Every request gives a :class:`~mt4sim.state.requests.DealRequest`: its ``answer`` is the
    final one, at once or when a dealer gave it."""

    def __init__(self, state: State, clients: ClientRequests, desk: Desk, login: int, *, address: str) -> None:
        self._state = state
        self._clients = clients
        self._desk = desk
        self.login = login
        self.requests: list[DealRequest] = []
        account = state.accounts.get(login)
        if not account.enable:
            raise ServerError(ReturnCode.ACCOUNT_DISABLED)
        self.online = True
        account.last_date, account.last_ip = state.timeline.now, address
        state.online[login] = state.online.get(login, 0) + 1
        state.events.emit("online", Change.ADD, login)

    def log_out(self) -> None:
        """Ends the session; its requests in the queue are withdrawn."""
        if not self.online:
            return
        self.online = False
        for request in self.requests:
            if not request.ended:
                self._desk.withdraw(request.id)
        online = self._state.online
        online[self.login] -= 1
        if not online[self.login]:
            del online[self.login]
        self._state.events.emit("online", Change.DELETE, self.login)

    def send(self, request: ClientRequest) -> DealRequest:
        """Sends a request as it is."""
        if not self.online:
            raise ServerError(ReturnCode.NO_CONNECT)
        self._state.accounts.get(self.login)  # it may be gone
        deal = self._desk.submit(request)
        self.requests.append(deal)
        return deal

    def prices(self, symbol: str) -> DealRequest:
        """Asks for prices (request execution)."""
        kind = TransactionType.PRICES_GET
        return self.send(
            ClientRequest(login=self.login, type=kind, cmd=TradeCommand.BUY, symbol=symbol, volume=0, price=0)
        )

    def open(
        self, order: NewOrder, *, deviation: int = 0, flags: TransactionFlag = TransactionFlag.NONE
    ) -> DealRequest:
        """Opens at market by the symbol's execution mode, or places a pending order. In instant execution the market
        may have moved by ``deviation`` points."""
        symbol, cmd = self._symbol(order.symbol), order.command
        asked = symbol.to_points(order.price) if order.price else self._market_price(symbol, cmd, closing=False)
        return self.send(
            ClientRequest(
                login=self.login,
                type=_OPENS[symbol.execution] if cmd.is_market else TransactionType.ORDER_PENDING_OPEN,
                cmd=cmd,
                symbol=order.symbol,
                volume=round(order.volume * 100),
                price=asked,
                sl=symbol.to_points(order.sl),
                tp=symbol.to_points(order.tp),
                ie_deviation=deviation,
                comment=order.comment,
                expiration=order.expiration,
                flags=flags,
                off_grid=_off_grid(symbol, order.price),
            )
        )

    def close(self, ticket: int, volume: float = 0.0, price: float = 0.0, *, deviation: int = 0) -> DealRequest:
        """Closes a position, all of it unless ``volume`` (lots) says less, at the market unless ``price`` is stated."""
        order = self._own(ticket)
        symbol = self._symbol(order.symbol)
        asked = symbol.to_points(price) if price else self._market_price(symbol, order.cmd, closing=True)
        return self.send(
            ClientRequest(
                login=self.login,
                type=_CLOSES_BY_EXECUTION[symbol.execution],
                cmd=order.cmd,
                symbol=order.symbol,
                volume=round(volume * 100) if volume else order.volume,
                price=asked,
                order=ticket,
                ie_deviation=deviation,
                off_grid=_off_grid(symbol, price),
            )
        )

    def modify(
        self, ticket: int, *, price: float = 0.0, sl: float = 0.0, tp: float = 0.0, expiration: int = 0
    ) -> DealRequest:
        """Replaces a pending's price and expiration, and SL and TP."""
        order = self._own(ticket)
        symbol = self._symbol(order.symbol)
        return self.send(
            ClientRequest(
                login=self.login,
                type=TransactionType.ORDER_MODIFY,
                cmd=order.cmd,
                symbol=order.symbol,
                volume=order.volume,
                price=symbol.to_points(price),
                order=ticket,
                sl=symbol.to_points(sl),
                tp=symbol.to_points(tp),
                expiration=expiration,
                off_grid=_off_grid(symbol, price),
            )
        )

    def delete(self, ticket: int) -> DealRequest:
        """Deletes a pending order."""
        return self.send(self._about(TransactionType.ORDER_DELETE, self._own(ticket)))

    def close_by(self, ticket: int, other: int) -> DealRequest:
        """Closes two opposite positions against each other."""
        return self.send(self._about(TransactionType.ORDER_CLOSE_BY, self._own(ticket), other))

    def accept(self, requoted: DealRequest) -> DealRequest:
        """Answers a requote, or a quote, with yes: the same request at the offered prices."""
        answer = requoted.answer
        if answer is None or answer.prices is None:
            raise ServerError(ReturnCode.INVALID_DATA, "There is no offer to accept")
        request = requoted.request
        bid, ask = answer.prices
        buys = (request.cmd is TradeCommand.BUY) != (request.type in CLOSES)
        return self.send(request.at_price(ask if buys else bid))

    def withdraw(self, deal: DealRequest) -> None:
        """Takes a request back that a dealer has not answered yet."""
        self._desk.withdraw(deal.id)

    def answers(self, deal: DealRequest) -> list[Answer]:
        """All that the terminal heard of a request."""
        return list(deal.answers)

    def _own(self, ticket: int) -> Order:
        order = self._state.orders.find(ticket)
        if order.login != self.login or order.close_time:
            raise NotFound(f"Cannot find order {ticket} among the open ones of {self.login}")
        return order

    def _about(self, kind: TransactionType, order: Order, other: int = 0) -> ClientRequest:
        """A request that says nothing but which order it is about."""
        return ClientRequest(
            login=self.login,
            type=kind,
            cmd=order.cmd,
            symbol=order.symbol,
            volume=order.volume,
            price=0,
            order=order.ticket,
            order_by=other,
        )

    def _symbol(self, name: str) -> Symbol:
        return symbol_named(self._state.symbols, name)

    def _market_price(self, symbol: Symbol, cmd: TradeCommand, *, closing: bool) -> int:
        bid, ask = self._clients.quote(self.login, symbol.name)
        return ask if (cmd is TradeCommand.BUY) != closing else bid


def _off_grid(symbol: Symbol, price: float) -> bool:
    """Whether a trader named a price that the symbol does not have."""
    return bool(price) and not symbol.on_grid(price)
