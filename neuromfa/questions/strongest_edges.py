"""The strongest edges of a sample or of some of its layers; wiring has no weight and is never among them."""

from dataclasses import dataclass

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.questions.engine.by_cypher import edge_of
from neuromfa.questions.engine.by_numpy import edges_of_link, strongest_of, weighted
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.records import Edge
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import LayerOrAll, Top


@dataclass(frozen=True)
class StrongestEdgesAnswer:
    """The edges of largest |w|."""

    __pydantic_config__ = DOCUMENTED

    edges: tuple[Edge, ...]
    """Strongest first; equally strong ones by the places of source and target."""


class StrongestEdges(SampleQuestion[StrongestEdgesAnswer]):
    """The edges of largest weight, or those that leave one layer; wiring has none and is never among them."""

    about = About("strongest", "strongest", Faster(cold="cypher", warm="numpy"))

    layer: LayerOrAll = None
    top: Top = 20

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where there is no such layer."""
        sample.require_layer(self.layer or 0)

    def by_cypher(self, sample: StoredSample) -> StrongestEdgesAnswer:
        """Sort on the server."""
        first, last = sample.layer_range(self.layer)
        rows = sample.own_rows("strongest_edges", first=first, last=last, top=self.top)
        return StrongestEdgesAnswer(tuple(edge_of(row) for row in rows))

    def by_numpy(self, sample: StoredSample) -> StrongestEdgesAnswer:
        """Sort the strongest of every link."""
        graph = sample.graph()
        first, last = sample.layer_range(self.layer)
        found: list[Edge] = []
        for link in range(first, last + 1):
            columns = strongest_of(weighted(graph, link, longest=np.inf), self.top)
            found += edges_of_link(graph, link, columns)
        # sorted() is stable, and links come in the order of places
        return StrongestEdgesAnswer(tuple(sorted(found, key=lambda edge: edge.distance)[: self.top]))
