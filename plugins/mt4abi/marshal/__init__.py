"""Records ↔ native bytes, derived from the records' own lines."""

from mt4abi.marshal.codec import Codec, Marshal
from mt4abi.marshal.text import CodePage

__all__ = ["CodePage", "Codec", "Marshal"]
