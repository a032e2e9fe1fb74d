"""Masks: texts in which ``*`` stands for anything, also for nothing. Case counts.

Masks come from clients, and there may be a thousand of them: so they are compiled once, together, to an automaton that
reads a text from left to right and never goes back. It is Shift-And (Baeza-Yates and Gonnet): one bit of an integer for
each place in each mask at which reading may be; a character moves all of them at once. The time grows with the text's
length times the masks' length in machine words, whatever stands in either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_REMEMBERED = 512
"""Texts of which a matcher knows the answer: symbols, groups and comments come again and again."""


_SHORT = 64
"""Characters of most texts that there are. Masks that need longer ones are an automaton of their own."""


def matcher(masks: Iterable[str]) -> Callable[[str], bool]:
    """Says whether a text fits one of the masks."""
    chosen = dict.fromkeys(masks)
    plain = frozenset(mask for mask in chosen if "*" not in mask)
    if len(plain) == len(chosen):
        return plain.__contains__
    fits = _fitting([mask for mask in chosen if "*" in mask])
    known = dict.fromkeys(plain, True)

    def matches(text: str) -> bool:
        answer = known.get(text)
        if answer is None:
            if len(known) >= len(plain) + _REMEMBERED:
                known.clear()
                known.update(dict.fromkeys(plain, True))
            answer = known[text] = fits(text)
        return answer

    return matches


def _fitting(masks: list[str]) -> Callable[[str], bool]:
    """The same for masks with stars, remembering nothing."""
    short = _Automaton(mask for mask in masks if _least(mask) <= _SHORT)
    long: _Automaton | None = None

    def fits(text: str) -> bool:
        nonlocal long
        if short.fits(text):
            return True
        if len(text) <= _SHORT:
            return False
        if long is None:
            long = _Automaton(mask for mask in masks if _least(mask) > _SHORT)
        return long.fits(text)

    return fits


def _least(mask: str) -> int:
    """Characters of the shortest text that fits."""
    return len(mask) - mask.count("*")


class _Automaton:
    """All places in the masks, one bit each: a mask's places are those before each of its characters, and its end."""

    def __init__(self, masks: Iterable[str]) -> None:
        starts: list[int] = []
        ends: list[int] = []
        stars: list[int] = []
        self._read: dict[str, list[int]] = {}  # the places at which a character is read
        place = 0
        for mask in masks:
            starts.append(place)
            for character in mask:
                if character == "*":
                    stars.append(place)
                else:
                    self._read.setdefault(character, []).append(place)
                    place += 1
            ends.append(place)
            place += 1
        self._size = place // 8 + 1
        self._moves: dict[str, int] = {}  # the same as integers, once a text has that character
        self._start = self._bits(starts)
        self._ends = self._bits(ends)  # a text that ends here fits
        self._stays = self._bits(stars)  # any character may be read without moving
        self._sure = self._ends & self._stays  # whatever follows, the text fits

    def _bits(self, places: Iterable[int]) -> int:
        # One by one in an integer they would take the square of the time: an integer is made anew for each.
        made = bytearray(self._size)
        for place in places:
            made[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(made, "little")

    def fits(self, text: str) -> bool:
        """Whether the text fits one of the masks."""
        places, moves, stays, sure = self._start, self._moves, self._stays, self._sure
        for character in text:
            if places & sure:
                return True
            move = moves.get(character)
            if move is None:
                move = moves[character] = self._bits(self._read.get(character, ()))
            places = (places & move) << 1 | places & stays
            if not places:
                return False
        return places & self._ends != 0
