"""MT Remote: MetaTrader 4 servers over a WebSocket with JSON.

This package is the framework: it knows no function and no backend by name.
"""
