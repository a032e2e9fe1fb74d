"""Finds a plugin's mistakes before it serves anybody: ``mt-remote check-plugin MODULE``.

Three looks at it: at what it registers (:mod:`.registered`), at its source (:mod:`.source`), and at how its functions
behave when they are called with data that no decent client would send (:mod:`.laws`).
"""

from mt_remote_tools.checking.check import check
from mt_remote_tools.checking.findings import CODES, Finding

__all__ = ["CODES", "Finding", "check"]
