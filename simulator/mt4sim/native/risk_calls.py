"""Margin levels, summaries and exposure."""

from __future__ import annotations

from typing import Any

from mt4abi import structure
from mt4sim.desk import risk
from mt4sim.native.calls import Calls, listing, pumped, request
from mt4sim.native.connection import OK
from mt4sim.native.native_values import put
from mt4sim.state.figures import MarginLevel
from mt_remote.errors import InvalidData, NotFound
from mt_remote.records import ConGroup


class RiskCalls(Calls):
    """``Margin*``, ``Summary*`` and ``Exposure*``."""

    @request
    def margin_level_request(self, login: int, level: int) -> int:
        put(level, self._margin_row(self.manager.margin_level(login)))
        return OK

    @pumped
    def margin_level_get(self, login: int, group: int, level: int) -> int:
        """The group must exist; the account is valued in its own, as with ``TradesGetByLogin``."""
        self.manager.group(self.text(group))
        put(level, self._margin_row(self.manager.margin_level(login)))
        return OK

    @listing(pumped=True)
    def margins_get(self, total: int) -> int | None:
        return self.rows(lambda: map(self._margin_row, self.manager.margin_levels()), total)

    def _margin_row(self, level: MarginLevel) -> bytes:
        return margin_row(level, self.server.groups[level.group], self.encoded_text(level.group, 16))

    # Summaries

    @listing(pumped=True)
    def summary_get_all(self, total: int) -> int | None:
        return self.rows(lambda: map(self._summary, risk.summaries(self.manager).values()), total)

    @pumped
    def summary_get(self, symbol: int, info: int) -> int:
        return self._put_summary(self.text(symbol), info)

    @pumped
    def summary_get_by_count(self, place: int, info: int) -> int:
        names = list(self.server.symbols)
        if not 0 <= place < len(names):
            raise InvalidData.of("symbol", f"there is no symbol {place}")
        return self._put_summary(names[place], info)

    @pumped
    def summary_get_by_type(self, kind: int, info: int) -> int:
        securities = self.server.securities
        if not 0 <= kind < len(securities):
            raise InvalidData.of("sectype", f"there is no security {kind}")
        summary = risk.security_summary(self.manager, securities[kind])
        put(info, bytes(self._sums(summary, symbol=self.encoded_text(summary.name[:11], 12), type=kind)))
        return OK

    def _put_summary(self, name: str, info: int) -> int:
        self.server.symbol(name)
        summary = risk.summaries(self.manager).get(name) or risk.Summary(name)
        put(info, self._summary(summary))
        return OK

    def _summary(self, summary: risk.Summary) -> bytes:
        server = self.server
        symbol = server.symbols[summary.name]
        scale = symbol.multiply
        return bytes(
            self._sums(
                summary,
                symbol=self.encoded_text(summary.name, 12),
                count=list(server.symbols).index(summary.name),
                digits=symbol.digits,
                type=server.securities.index(symbol.security),
                buyprice=summary.buys.price / scale,
                sellprice=summary.sells.price / scale,
            )
        )

    @staticmethod
    def _sums(summary: risk.Summary, **members: Any) -> Any:
        return structure("SymbolSummary")(
            orders=summary.orders,
            buylots=summary.buys.volume,
            selllots=summary.sells.volume,
            profit=summary.profit,
            **members,
        )

    @pumped
    def summary_currency(self, currency: int, most: int) -> int:
        text = risk.CURRENCY.encode("ascii") + b"\0"
        if most < len(text):
            raise InvalidData.of("maxchars", f"at least {len(text)}, got {most}")
        put(currency, text)
        return OK

    # Exposure

    @listing(pumped=True)
    def exposure_get(self, total: int) -> int | None:
        return self.rows(lambda: (self._exposure(*each) for each in risk.exposures(self.manager).items()), total)

    @pumped
    def exposure_value_get(self, currency: int, info: int) -> int:
        name = self.text(currency)
        amount = risk.exposures(self.manager).get(name)
        if amount is None:
            raise NotFound(f"No position is in {name!r}")
        put(info, self._exposure(name, amount))
        return OK

    def _exposure(self, currency: str, amount: float) -> bytes:
        return bytes(structure("ExposureValue")(currency=self.encoded_text(currency, 4), clients=amount))


def margin_row(level: MarginLevel, group: ConGroup, group_name: bytes) -> bytes:
    """The native struct: its balance is balance and credit together (Semantics 2.8), its volume 1/100 lots, its money
    the account's currency."""
    made: Any = structure("MarginLevel")(
        login=level.login,
        group=group_name,
        leverage=level.leverage,
        balance=(level.balance + level.credit) / 100,
        equity=level.equity / 100,
        volume=level.volume,
        margin=level.margin / 100,
        margin_free=level.free / 100,
        margin_level=level.level,
        margin_type=int(group.margin_type),
        level_type=int(level.level_type),
    )
    return bytes(made)
