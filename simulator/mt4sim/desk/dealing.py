"""Dealing: clients' requests on their way through execution modes, the queue and the dealers (Semantics 6.3, 8)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from mt4sim.desk.rights import need, sees_group
from mt4sim.events import Change
from mt4sim.market.spreads import widened
from mt4sim.market.symbols import Execution, symbol_named
from mt4sim.state import State
from mt4sim.state.requests import (
    AT_MARKET,
    CLOSES,
    DEALS,
    INSTANT,
    Answer,
    ClientRequest,
    Dealer,
    DealRequest,
)
from mt4sim.trading.clients import ClientRequests
from mt_remote.errors import InvalidData, NotFound, ReturnCode, ServerError
from mt_remote.records import (
    ConfirmMode,
    ConGroup,
    ConGroupSecurity,
    ExecutionMode,
    RequestStatus,
    TradeCommand,
    TradeRequest,
    TradeTransaction,
    TransactionType,
)


class Manager(Protocol):
    """Who can deal: a manager's session."""

    login: int


class Desk:
    """The dealing desk of one server: the queue, the dealers, and what is answered without them."""

    def __init__(self, state: State, clients: ClientRequests) -> None:
        self._state = state
        self._clients = clients
        self.requests = state.requests
        self.dealers = state.dealers

    def account_gone(self, login: int) -> None:
        """What an account asked for ends with it."""
        for deal in [each for each in self.requests.values() if each.request.login == login]:
            self._end(deal, Answer(ReturnCode.BAD_ACCOUNT_INFO), RequestStatus.CANCELED)

    def rights_changed(self) -> None:
        """A manager who lost the right to deal holds nothing any more."""
        managers = self._state.managers
        for dealer in list(self.dealers):
            if dealer.login not in managers or not managers[dealer.login].broker:
                self.leave(dealer)

    # Clients

    def submit(self, request: ClientRequest) -> DealRequest:
        """Takes a client's request. What fails the checks is answered at once with its code."""
        state = self._state
        symbol = symbol_named(state.symbols, request.symbol)
        account = state.accounts.get(request.login)
        state.last_request += 1
        deal = DealRequest(state.last_request, request, symbol, account.group, state.timeline.now)
        try:
            if request.type is not TransactionType.PRICES_GET:
                self._clients.check(request)
            self._refuse_locked(request)
        except ServerError as error:
            self._end(deal, Answer(ReturnCode(error.return_code)))
            return deal
        if self._goes_to_dealer(deal):
            self._queue(deal)
        else:
            self._answer_at_once(deal)
        return deal

    def _refuse_locked(self, request: ClientRequest) -> None:
        """139: an order is being processed by a dealer already (Semantics 6.2)."""
        busy = {r.request.order for r in self.requests.values()} | {r.request.order_by for r in self.requests.values()}
        if {request.order, request.order_by} & busy - {0}:
            raise ServerError(ReturnCode.TRADE_ORDER_LOCKED)

    def _security(self, deal: DealRequest) -> ConGroupSecurity:
        return self._group(deal).securities[deal.symbol.security]

    def _group(self, deal: DealRequest) -> ConGroup:
        return self._state.groups[deal.group]

    def _goes_to_dealer(self, deal: DealRequest) -> bool:
        security = self._security(deal)
        mode = security.execution_mode
        too_big = deal.request.type in INSTANT and 0 < deal.symbol.instant_max_volume < deal.request.volume
        if mode is ExecutionMode.MANUAL or (too_big and self._someone_takes(deal)):
            return True
        return mode is ExecutionMode.ACTIVITY and self._someone_takes(deal)

    def _someone_takes(self, deal: DealRequest) -> bool:
        return any(takes(self._state, dealer, deal) for dealer in self.dealers)

    def _queue(self, deal: DealRequest) -> None:
        deal.answers.append(Answer(ReturnCode.TRADE_ACCEPTED))
        self.requests[deal.id] = deal
        timeout = self._group(deal).timeout_seconds
        if timeout:
            timeline = self._state.timeline
            deal.timer = timeline.at(timeline.now + timeout, self._time_out, deal)
        self._state.events.emit("request", Change.ADD, deal)
        self._offer(deal)

    def withdraw(self, request_id: int) -> None:
        """The client takes a request back. Raises :class:`~mt_remote.errors.NotFound` when it is over."""
        deal = self.requests.get(request_id)
        if deal is None:
            raise NotFound(f"Cannot find request {request_id}")
        self._end(deal, Answer(ReturnCode.TRADE_USER_CANCEL), RequestStatus.CANCELED)

    def _time_out(self, deal: DealRequest) -> None:
        if not deal.ended:
            self._end(deal, Answer(ReturnCode.TRADE_TIMEOUT), RequestStatus.CANCELED)

    def _end(self, deal: DealRequest, answer: Answer, status: RequestStatus = RequestStatus.ANSWERED) -> None:
        deal.answers.append(answer)
        deal.status = status
        if deal.timer is not None:
            deal.timer.cancel()
        if deal.dealer is not None:
            deal.dealer.held.pop(deal.id, None)
            deal.dealer = None
        if self.requests.pop(deal.id, None) is not None:
            self._state.events.emit("request", Change.DELETE, deal)

    # Execution without a dealer

    def quote(self, deal: DealRequest) -> tuple[int, int] | None:
        """Bid and ask in points as the client's group sees them; ``None`` before the first tick."""
        quote = self._state.quotes.last(deal.symbol.name)
        return None if quote is None else widened(quote, self._security(deal).spread_diff)

    def _answer_at_once(self, deal: DealRequest) -> None:
        kind = deal.request.type
        prices = self.quote(deal)
        if prices is None:
            self._end(deal, Answer(ReturnCode.TRADE_OFFQUOTES))
        elif kind is TransactionType.PRICES_GET:
            self._end(deal, Answer(ReturnCode.OK, prices=prices))
        elif kind in INSTANT and not self._within_deviation(deal, prices):
            self._end(deal, Answer(ReturnCode.TRADE_REQUOTE, prices=prices))
        elif kind in DEALS:
            self._execute(deal, self._fill_price(deal, prices))
        else:
            self._execute(deal, deal.request.price)

    def _within_deviation(self, deal: DealRequest, prices: tuple[int, int]) -> bool:
        """Instant execution: the market may have moved by ``ie_deviation`` points (Semantics 6.3)."""
        market = execution_price(deal.request, *prices)
        return abs(market - deal.request.price) <= deal.request.ie_deviation

    def _fill_price(self, deal: DealRequest, prices: tuple[int, int]) -> int:
        """Instant and request execution fill at the client's price, ``ie_quick_mode`` and market execution at the
        market's."""
        if deal.request.type in AT_MARKET:
            return execution_price(deal.request, *prices)
        if deal.request.type in INSTANT and self._security(deal).ie_quick_mode:
            return execution_price(deal.request, *prices)
        return deal.request.price

    def _execute(self, deal: DealRequest, price: int) -> None:
        try:
            order = self._clients.execute(deal.request, price)
        except ServerError as error:
            self._end(deal, Answer(ReturnCode(error.return_code)))
        except (NotFound, InvalidData):
            self._end(deal, Answer(ReturnCode.INVALID_DATA))
        else:
            self._end(deal, Answer(ReturnCode.OK, order=order))

    # Dealers

    def join(self, manager: Manager, offer: Callable[[DealRequest], None]) -> Dealer:
        """A manager begins to deal; what waits is offered. Raises 7 without the right ``broker``."""
        need(self._state, manager.login, "broker")
        dealer = Dealer(manager.login, offer)
        self.dealers.append(dealer)
        for deal in list(self.requests.values()):
            if deal.dealer is None:
                self._offer(deal)
        return dealer

    def leave(self, dealer: Dealer) -> None:
        """A dealer stops: what he held goes to the next in line."""
        if dealer in self.dealers:
            self.dealers.remove(dealer)
        held, dealer.held = list(dealer.held.values()), {}
        for deal in held:
            self._give_back(deal)

    def _offer(self, deal: DealRequest) -> None:
        """Locks a request to the dealer who holds fewest, among equals to him who was served longest ago; those who
        gave it back come last."""
        takers = [dealer for dealer in self.dealers if takes(self._state, dealer, deal)]
        if not takers:
            return
        dealer = min(takers, key=lambda each: (each in deal.passed_by, len(each.held), each.served))
        deal.status = RequestStatus.LOCKED
        deal.manager = dealer.login
        deal.dealer = dealer
        dealer.held[deal.id] = deal
        dealer.served = self._state.events.number + 1
        if deal.answers[-1].code is not ReturnCode.TRADE_PROCESS:
            deal.answers.append(Answer(ReturnCode.TRADE_PROCESS))
        self._state.events.emit("request", Change.UPDATE, deal)
        dealer.offer(deal)

    def _give_back(self, deal: DealRequest) -> None:
        deal.dealer = None
        deal.manager = 0
        deal.status = RequestStatus.RESETED
        self._state.events.emit("request", Change.UPDATE, deal)
        self._offer(deal)

    def _held(self, dealer: Dealer, request_id: int) -> DealRequest:
        """A request that this dealer holds. Assumed: code 3 for any other (Semantics 8.4)."""
        deal = dealer.held.get(request_id)
        if deal is None:
            raise NotFound(f"Cannot find request {request_id} among those that dealer {dealer.login} holds")
        return deal

    def confirm(self, dealer: Dealer, request_id: int, bid: float, ask: float, mode: ConfirmMode) -> None:
        """Confirms at these prices: buy-open and sell-close take the ask, the others the bid (Semantics 6.3)."""
        deal = self._held(dealer, request_id)
        prices = deal.symbol.to_points(bid), deal.symbol.to_points(ask)
        if mode is ConfirmMode.ADD_PRICES:
            self._state.quotes.tick(deal.symbol.name, *prices)
            if deal.ended:  # the tick triggered what ended it
                return
        kind = deal.request.type
        if kind is TransactionType.PRICES_GET:
            self._end(deal, Answer(ReturnCode.OK, prices=prices))
        elif kind in DEALS:
            self._execute(deal, execution_price(deal.request, *prices))
        else:
            self._execute(deal, deal.request.price)

    def requote(self, dealer: Dealer, request_id: int, bid: float, ask: float) -> None:
        """Offers other prices; on a market-execution request it confirms at them (Semantics 6.3)."""
        deal = self._held(dealer, request_id)
        if deal.request.type in AT_MARKET or deal.symbol.execution is Execution.MARKET:
            self.confirm(dealer, request_id, bid, ask, ConfirmMode.NORMAL)
            return
        prices = deal.symbol.to_points(bid), deal.symbol.to_points(ask)
        self._end(deal, Answer(ReturnCode.TRADE_REQUOTE, prices=prices))

    def reject(self, dealer: Dealer, request_id: int) -> None:
        """Refuses it."""
        self._end(self._held(dealer, request_id), Answer(rejection_code()))

    def reset(self, dealer: Dealer, request_id: int) -> None:
        """Gives it back; the next dealer in line gets it, a sole dealer gets it again."""
        deal = self._held(dealer, request_id)
        del dealer.held[request_id]
        if dealer in deal.passed_by:
            deal.passed_by.remove(dealer)
        deal.passed_by.append(dealer)
        self._give_back(deal)

    # Records

    def record(self, deal: DealRequest) -> TradeRequest:
        """The request as a dealer sees it."""
        account = self._state.accounts.get(deal.request.login).record()
        prices = shown_prices(self.quote(deal))
        return TradeRequest(
            id=deal.id,
            status=deal.status,
            time=deal.time,
            manager=deal.manager,
            login=deal.request.login,
            group=deal.group,
            balance=account.balance,
            credit=account.credit,
            prices=(deal.symbol.to_price(prices[0]), deal.symbol.to_price(prices[1])),
            trade=transaction_record(deal),
        )


def takes(state: State, dealer: Dealer, deal: DealRequest) -> bool:
    """Whether a request may reach a dealer: security enabled, volume within his lots, group in his masks, right
    ``broker`` (Semantics 8.6)."""
    rights = state.managers.get(dealer.login)
    if rights is None or not rights.broker or not sees_group(state, dealer.login, deal.group):
        return False
    security = rights.securities.get(deal.symbol.security)
    if security is None or not security.enable:
        return False
    lots = deal.request.volume / 100
    return security.minimum_lots <= lots and (not security.maximum_lots or lots <= security.maximum_lots)


def execution_price(request: ClientRequest, bid: int, ask: int) -> int:
    """Buy-open and sell-close take the ask, sell-open and buy-close the bid (Semantics 6.3)."""
    buys = (request.cmd is TradeCommand.BUY) != (request.type in CLOSES)
    return ask if buys else bid


def rejection_code() -> ReturnCode:
    """What a rejected client hears. Assumed: 133; sources have 133 or 136 (Semantics 8.7)."""
    return ReturnCode.TRADE_DISABLE


def shown_prices(quote: tuple[int, int] | None) -> tuple[int, int]:
    """The order of a request's two prices. Assumed: ask first, as in the one sample seen (Semantics 8.3)."""
    return (0, 0) if quote is None else (quote[1], quote[0])


def transaction_record(deal: DealRequest) -> TradeTransaction:
    """What the client asks for, with its check sum."""
    request, to_price = deal.request, deal.symbol.to_price
    crc = zlib.crc32(repr((deal.id, request)).encode())
    return TradeTransaction(
        type=request.type,
        flags=request.flags,
        cmd=request.cmd,
        order=request.order,
        order_by=request.order_by,
        symbol=request.symbol,
        volume=request.volume / 100,
        price=to_price(request.price),
        sl=to_price(request.sl),
        tp=to_price(request.tp),
        ie_deviation=request.ie_deviation,
        comment=request.comment,
        expiration=request.expiration,
        crc=crc - (1 << 32) if crc >= 1 << 31 else crc,
    )
