"""A trader at his terminal: logs in, asks for prices, sends requests, withdraws them, answers requotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mt4sim.dealing import CLOSES, Answer, DealRequest
from mt4sim.events import Change
from mt4sim.symbols import Execution
from mt4sim.trading.requests import ClientRequest
from mt_remote.errors import NotFound, ReturnCode, ServerError
from mt_remote.records import TradeCommand, TransactionFlag, TransactionType

if TYPE_CHECKING:
    from mt4sim.server import Server
    from mt4sim.trading.orders import Order

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
    """One account's terminal. Every request gives a :class:`~mt4sim.dealing.DealRequest`: its ``answer`` is the final
    one, at once or when a dealer gave it."""

    def __init__(self, server: Server, login: int, *, address: str = "127.0.0.1") -> None:
        self._server = server
        self.login = login
        self.requests: list[DealRequest] = []
        account = server.accounts.get(login)
        if not account.enable:
            raise ServerError(ReturnCode.ACCOUNT_DISABLED)
        self.online = True
        server.accounts.logged_in(account, address)
        server.online[login] = server.online.get(login, 0) + 1
        server.events.emit("online", Change.ADD, login)

    def log_out(self) -> None:
        """Ends the session; its requests in the queue are withdrawn."""
        if not self.online:
            return
        self.online = False
        for request in self.requests:
            if not request.ended:
                self._server.desk.withdraw(request.id)
        left = self._server.online[self.login] - 1
        if left:
            self._server.online[self.login] = left
        else:
            del self._server.online[self.login]
        self._server.events.emit("online", Change.DELETE, self.login)

    def send(self, request: ClientRequest) -> DealRequest:
        """Sends a request as it is."""
        if not self.online:
            raise ServerError(ReturnCode.NO_CONNECT)
        self._server.accounts.get(self.login)
        deal = self._server.desk.submit(request)
        self.requests.append(deal)
        return deal

    def prices(self, symbol: str) -> DealRequest:
        """Asks for prices (request execution)."""
        return self._send(TransactionType.PRICES_GET, symbol, TradeCommand.BUY, 0, 0.0)

    def open(
        self,
        symbol: str,
        cmd: TradeCommand,
        volume: float,
        price: float = 0.0,
        *,
        sl: float = 0.0,
        tp: float = 0.0,
        deviation: int = 0,
        comment: str = "",
        expiration: int = 0,
        flags: TransactionFlag = TransactionFlag.NONE,
    ) -> DealRequest:
        """Opens at market by the symbol's execution mode, or places a pending order."""
        found = self._server.symbol(symbol)
        kind = _OPENS[found.execution] if cmd.is_market else TransactionType.ORDER_PENDING_OPEN
        if not price:
            price = self._market_price(symbol, cmd, closing=False)
        return self._send(kind, symbol, cmd, volume, price, sl=sl, tp=tp, deviation=deviation, comment=comment,
                          expiration=expiration, flags=flags)  # fmt: skip

    def close(self, order: int, volume: float = 0.0, price: float = 0.0, *, deviation: int = 0) -> DealRequest:
        """Closes a position, all of it unless ``volume`` says less, at the market unless ``price`` is stated."""
        found = self._own(order)
        symbol = self._server.symbol(found.symbol)
        if not price:
            price = self._market_price(symbol.name, found.cmd, closing=True)
        return self._send(_CLOSES_BY_EXECUTION[symbol.execution], symbol.name, found.cmd, volume or found.volume / 100,
                          price, order=order, deviation=deviation)  # fmt: skip

    def modify(
        self, order: int, *, price: float = 0.0, sl: float = 0.0, tp: float = 0.0, expiration: int = 0
    ) -> DealRequest:
        """Replaces a pending's price and expiration, and SL and TP."""
        found = self._own(order)
        return self._send(TransactionType.ORDER_MODIFY, found.symbol, found.cmd, found.volume / 100, price,
                          order=order, sl=sl, tp=tp, expiration=expiration)  # fmt: skip

    def delete(self, order: int) -> DealRequest:
        """Deletes a pending order."""
        found = self._own(order)
        return self._send(TransactionType.ORDER_DELETE, found.symbol, found.cmd, found.volume / 100, 0.0, order=order)

    def close_by(self, order: int, order_by: int) -> DealRequest:
        """Closes two opposite positions against each other."""
        found = self._own(order)
        return self._send(TransactionType.ORDER_CLOSE_BY, found.symbol, found.cmd, found.volume / 100, 0.0,
                          order=order, order_by=order_by)  # fmt: skip

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
        self._server.desk.withdraw(deal.id)

    def answers(self, deal: DealRequest) -> list[Answer]:
        """All that the terminal heard of a request."""
        return list(deal.answers)

    def _own(self, ticket: int) -> Order:
        order = self._server.trading.get(ticket)
        if order.login != self.login or order.close_time:
            raise NotFound(f"Cannot find order {ticket} among the open ones of {self.login}")
        return order

    def _market_price(self, symbol: str, cmd: TradeCommand, *, closing: bool) -> float:
        bid, ask = self._server.trading.client_quote(self.login, symbol)
        buys = (cmd is TradeCommand.BUY) != closing
        return self._server.symbol(symbol).to_price(ask if buys else bid)

    def _send(
        self,
        kind: TransactionType,
        symbol: str,
        cmd: TradeCommand,
        volume: float,
        price: float,
        *,
        order: int = 0,
        order_by: int = 0,
        sl: float = 0.0,
        tp: float = 0.0,
        deviation: int = 0,
        comment: str = "",
        expiration: int = 0,
        flags: TransactionFlag = TransactionFlag.NONE,
    ) -> DealRequest:
        found = self._server.symbol(symbol)
        to_points = found.to_points
        return self.send(ClientRequest(
            login=self.login, type=kind, cmd=cmd, order=order, order_by=order_by, symbol=symbol,
            volume=round(volume * 100), price=to_points(price), sl=to_points(sl), tp=to_points(tp),
            ie_deviation=deviation, comment=comment, expiration=expiration, flags=flags,
            off_grid=bool(price) and not found.on_grid(price),
        ))  # fmt: skip
