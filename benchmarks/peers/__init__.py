"""Servers of the same protocol and the same handler, one for each way of serving WebSockets in Python."""
