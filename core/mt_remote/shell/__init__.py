"""Sockets, tasks and time: the thin layer that drives the sans-IO parts."""
