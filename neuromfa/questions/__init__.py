"""Questions to a stored graph, each answered by Cypher or by numpy with equal answers; one question a file.

A question is a record of what is asked: ``ask(explorer.sample("stdlib-14m", 2000), Ball(source="B00.input.00051"))``.
Command line, REST and docs are made of `QUESTIONS`; whoever adds a question adds it there.
"""

from collections.abc import Mapping
from typing import Any

from neuromfa.questions.ball import Ball, BallAnswer
from neuromfa.questions.box_cover import BoxCover, BoxCoverAnswer
from neuromfa.questions.departures import Departures, DeparturesAnswer
from neuromfa.questions.engine.explorer import Explorer
from neuromfa.questions.engine.question import EngineChoice, Question, ask
from neuromfa.questions.engine.records import Edge, Neuron
from neuromfa.questions.engine.sample_cache import SampleCache
from neuromfa.questions.engine.subjects import SamplePair, SampleSeries, StoredResult, StoredSample
from neuromfa.questions.layer_change import LayerChange, LayerChangeAnswer
from neuromfa.questions.layer_link import LayerLink, LayerLinkAnswer
from neuromfa.questions.layer_masses import LayerMasses, LayerMassesAnswer
from neuromfa.questions.layer_radii import LayerRadii, LayerRadiiAnswer
from neuromfa.questions.lineage import Lineage, LineageAnswer
from neuromfa.questions.neuron_detail import NeuronDetail, NeuronDetailAnswer
from neuromfa.questions.neuron_list import NeuronList, NeuronListAnswer
from neuromfa.questions.neuron_trajectory import NeuronTrajectory, NeuronTrajectoryAnswer
from neuromfa.questions.path import ShortestPath, ShortestPathAnswer
from neuromfa.questions.strongest_edges import StrongestEdges, StrongestEdgesAnswer
from neuromfa.questions.subgraph import Subgraph, SubgraphAnswer

QUESTIONS: Mapping[str, type[Question[Any, Any]]] = {
    kind.about.name: kind
    for kind in (
        ShortestPath,
        Ball,
        BoxCover,
        LayerRadii,
        LayerMasses,
        LayerLink,
        StrongestEdges,
        NeuronList,
        NeuronDetail,
        Departures,
        Subgraph,
        LayerChange,
        NeuronTrajectory,
        Lineage,
    )
}

__all__ = [
    "QUESTIONS",
    "Ball",
    "BallAnswer",
    "BoxCover",
    "BoxCoverAnswer",
    "Departures",
    "DeparturesAnswer",
    "Edge",
    "EngineChoice",
    "Explorer",
    "LayerChange",
    "LayerChangeAnswer",
    "LayerLink",
    "LayerLinkAnswer",
    "LayerMasses",
    "LayerMassesAnswer",
    "LayerRadii",
    "LayerRadiiAnswer",
    "Lineage",
    "LineageAnswer",
    "Neuron",
    "NeuronDetail",
    "NeuronDetailAnswer",
    "NeuronList",
    "NeuronListAnswer",
    "NeuronTrajectory",
    "NeuronTrajectoryAnswer",
    "Question",
    "SampleCache",
    "SamplePair",
    "SampleSeries",
    "ShortestPath",
    "ShortestPathAnswer",
    "StoredResult",
    "StoredSample",
    "StrongestEdges",
    "StrongestEdgesAnswer",
    "Subgraph",
    "SubgraphAnswer",
    "ask",
]
