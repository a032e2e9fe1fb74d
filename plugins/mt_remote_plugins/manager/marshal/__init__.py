"""Records ↔ native bytes, derived from the records' own lines."""

from mt_remote_plugins.manager.marshal.codec import Codec, Marshal
from mt_remote_plugins.manager.marshal.text import CodePage

__all__ = ["CodePage", "Codec", "Marshal"]
