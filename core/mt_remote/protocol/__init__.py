"""The wire without I/O: bytes in, bytes and calls out. No clock, no task, no socket."""
