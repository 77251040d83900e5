"""A shortest path through a stored graph: every term of its length, and what of it a drawn block holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from neuromfa.app.drawing.network import Thread
from neuromfa.questions import Edge, ShortestPathAnswer
from neuromfa.questions.engine.subjects import StoredSample


@dataclass(frozen=True)
class PathTerm:
    """One term of the length of a path, in the order they are added.

    Attributes
    ----------
    number : of the edge, from 1; None for gamma, as are edge and block
    total : the sum so far
    is_drawn : the edge is marked in the drawing
    """

    length: float
    total: float
    number: int | None = None
    edge: Edge | None = None
    block: int | None = None
    is_drawn: bool = False


@dataclass(frozen=True, eq=False)
class PathView:
    """A path as the page shows it.

    Attributes
    ----------
    terms : none where there is no path
    threads : its edges in the drawn block
    """

    answer: ShortestPathAnswer
    terms: list[PathTerm]
    threads: list[Thread]
    name = "path"
    """Under which its terms are asked for as a table."""

    @property
    def names(self) -> set[str]:
        """Names of its neurons in the drawn block."""
        return {end for one in self.threads for end in (one.source, one.target)}

    @property
    def other_blocks(self) -> list[int]:
        """Numbers of the blocks in which the rest of it lies."""
        rest = (one.block for one in self.terms if one.block is not None and not one.is_drawn)
        return list(dict.fromkeys(rest))

    @property
    def spoken(self) -> str:
        """What is drawn of it, in words."""
        if not self.terms:
            return ""
        return (
            f"; marked: {len(self.threads)} of {len(self.answer.edges)} edges of the shortest path from "
            f"{self.answer.source} to {self.answer.target}"
        )


def path_view(
    path: ShortestPathAnswer, sample: StoredSample, *, start: int, first: int, last: int
) -> PathView:
    """Return a path with its terms.

    Parameters
    ----------
    start : layer of its source
    first, last : layers of the drawn block
    """
    blocks = [sample.manifest.layout[start + place].block for place in range(len(path.edges))]
    drawn = [first <= start + place < last for place in range(len(path.edges))]
    threads = [
        Thread(edge.source, edge.target, edge.weight, 1.0, place + 1)
        for place, edge in enumerate(path.edges)
        if drawn[place]
    ]
    return PathView(path, terms_of(path, blocks=blocks, drawn=drawn), threads)


def terms_of(path: ShortestPathAnswer, *, blocks: Sequence[int], drawn: Sequence[bool]) -> list[PathTerm]:
    """Return every term of a path's length with the sum so far; gamma is one of them.

    Parameters
    ----------
    blocks, drawn : of every edge its block, and whether it is marked
    """
    terms, total = [], 0.0
    for place, edge in enumerate(path.edges):
        if place:
            total += path.gamma
            terms.append(PathTerm(path.gamma, total))
        total += edge.distance
        terms.append(PathTerm(edge.distance, total, place + 1, edge, blocks[place], drawn[place]))
    return terms
