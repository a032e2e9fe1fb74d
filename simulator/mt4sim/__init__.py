"""An MT4 server in memory: a library driven by calls and by time.

    from mt4sim import NewOrder, Server, World

    server = Server(World.demo(), seed=7)
    manager = server.login(1, "manager")
    ticket = manager.open(login, NewOrder("EURUSD", TradeCommand.BUY, 0.1, 1.0850))
    server.advance(3600)

It reads no clock, opens no socket, and is deterministic for a world, a seed and a script.
"""

from mt4sim.server import Server
from mt4sim.state.orders import NewOrder, OrderChange
from mt4sim.world import World, WorldError

__all__ = ["NewOrder", "OrderChange", "Server", "World", "WorldError"]
