"""The wire without I/O: bytes in, bytes and messages out. No clock, no task, no socket."""
