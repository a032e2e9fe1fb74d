"""Unmasking of a frame's payload (RFC 6455, 5.3), in C where the installed ``websockets`` ships it."""

from __future__ import annotations

from collections.abc import Callable

_BIG_INTEGER_UP_TO = 1024
_XOR = [bytes(byte ^ key for byte in range(256)) for key in range(256)]


def unmask_in_python(data: bytes, mask: bytes) -> bytes:
    """One big-integer XOR for short payloads, a table a mask byte for long ones."""
    length = len(data)
    if length <= _BIG_INTEGER_UP_TO:
        repeated = (mask * (length // 4 + 1))[:length]
        return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
    result = bytearray(length)
    for offset, key in enumerate(mask):
        result[offset::4] = data[offset::4].translate(_XOR[key])
    return bytes(result)


unmask: Callable[[bytes, bytes], bytes]
try:
    from websockets.speedups import apply_mask as unmask
except ImportError:  # a websockets without its C extension
    unmask = unmask_in_python
