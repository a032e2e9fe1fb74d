"""A client's session: its calls, its MT4 connection, what leaves for it."""
