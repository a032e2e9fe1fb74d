"""Recordings: what a client and a gateway said to each other, as a file, and that file played against another gateway.

- :mod:`~mt_remote_tools.recording.format`: the file, and scripts in the same format;
- :mod:`~mt_remote_tools.recording.redact`: secrets leave it before it is written;
- :mod:`~mt_remote_tools.recording.proxy`: records, between a client and a gateway;
- :mod:`~mt_remote_tools.recording.player`: plays a file against a gateway;
- :mod:`~mt_remote_tools.recording.compare`: what was different.
"""

from mt_remote_tools.recording.format import FormatError, Header, Recording, read, write

__all__ = ["FormatError", "Header", "Recording", "read", "write"]
