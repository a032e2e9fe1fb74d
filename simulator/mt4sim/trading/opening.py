"""The open test: who can afford what (Semantics 2.9)."""

from __future__ import annotations

from mt4sim.state.orders import Order
from mt4sim.trading.engine import Engine


def may_open(engine: Engine, order: Order) -> bool:
    """The open test: whether the account can bear one more position (Semantics 2.9)."""
    account = engine.account(order)
    group = engine.state.groups[account.group]
    before, after = engine.margin_of(order.login), engine.margin_with(account, order)
    lent = round(group.credit * 100)

    def falls_short(floating: int) -> bool:
        return engine.free_margin(account, floating, after) + lent < 0

    least, most = engine.floating_about(order.login)
    short = falls_short(least)
    if short is not falls_short(most):  # a matter of cents: every position counts
        short = falls_short(engine.floating_of(order.login))
    return not (short and (engine.terms_of(order).symbol.margin_hedged_strong or after >= before))
