"""The known word that a wrong one is nearest to, for sentences that help."""

from collections.abc import Collection
from difflib import SequenceMatcher

LONGEST = 80


def nearest(word: str, known: Collection[str]) -> str:
    """Return which of some words is most like a given one; how it is capitalised does not matter."""
    return max(known, key=lambda one: SequenceMatcher(None, word[:LONGEST].lower(), one.lower()).ratio())
