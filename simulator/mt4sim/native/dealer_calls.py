"""The dealer's side: a connection that deals is given clients' requests, and answers them."""

from __future__ import annotations

from collections import deque
from typing import Any

from mt4abi import Deal, structure
from mt4sim.native.calls import Calls, request
from mt4sim.native.connection import OK, Connection
from mt4sim.native.native_values import put, struct_at
from mt4sim.native.notifier import Notifier, plain_delivery
from mt4sim.state.requests import Dealer, DealRequest
from mt_remote.errors import ReturnCode, ServerError
from mt_remote.records import ConfirmMode
from mt_remote.records.enums import CONFIRM_MODE_NUMBERS

_MODES = {number: mode for mode, number in CONFIRM_MODE_NUMBERS.items()}


class DealerCalls(Calls):
    """``Dealer*``: a connection that deals."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._dealer: Dealer | None = None
        self._offered: deque[DealRequest] = deque()

    @request
    def dealer_switch(self, function: int | None, window: int | None, message: int) -> int:
        if self._dealer is not None:
            raise ServerError(ReturnCode.ERROR, "the connection deals already")
        notifier = Notifier(plain_delivery(function, window, message))
        try:
            self._dealer = self.server.desk.join(self.manager, lambda deal: self._offer(deal, notifier))
        except ServerError:
            notifier.close()
            raise
        self.connection.notifier = notifier
        notifier.put(Deal.START_DEALING)
        for _ in self._offered:
            notifier.put(Deal.REQUEST_NEW)
        return OK

    def _offer(self, deal: DealRequest, notifier: Notifier) -> None:
        with self.shared.lock:
            self._offered.append(deal)
            if self.connection.notifier is notifier:
                notifier.put(Deal.REQUEST_NEW)

    def ended(self) -> None:
        """The dealer goes; what he held goes to the next in line."""
        dealer, self._dealer = self._dealer, None
        self._offered.clear()
        if dealer is not None:
            self.server.desk.leave(dealer)

    @request
    def dealer_request_get(self, info: int) -> int:
        dealer = self._dealing()
        while self._offered:
            deal = self._offered.popleft()
            if deal.id in dealer.held:
                put(info, self.encoded(self.server.desk.record(deal)))
                return OK
        return int(ReturnCode.OK_NONE)

    def _dealing(self) -> Dealer:
        if self._dealer is None:
            raise ServerError(ReturnCode.ERROR, "the connection does not deal")
        return self._dealer

    @request
    def dealer_send(self, address: int, requote: int, mode: int) -> int:
        info: Any = structure("RequestInfo").from_buffer_copy(struct_at("RequestInfo", address))
        bid, ask = info.prices
        desk, dealer = self.server.desk, self._dealing()
        if requote:
            desk.requote(dealer, info.id, bid, ask)
        else:
            desk.confirm(dealer, info.id, bid, ask, _MODES.get(mode, ConfirmMode.NORMAL))
        return OK

    @request
    def dealer_reject(self, number: int) -> int:
        self.server.desk.reject(self._dealing(), number)
        return OK

    @request
    def dealer_reset(self, number: int) -> int:
        self.server.desk.reset(self._dealing(), number)
        return OK
