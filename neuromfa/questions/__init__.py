"""Questions to a stored graph, each answered by Cypher or by numpy with equal answers; one question a file."""

from neuromfa.questions.ball import BallAnswer, Member, ball
from neuromfa.questions.box_cover import Box, BoxAnswer, boxes
from neuromfa.questions.engine.choice import FASTER, Engine, EngineChoice
from neuromfa.questions.engine.records import Edge, Neuron
from neuromfa.questions.engine.sample_cache import SampleCache
from neuromfa.questions.engine.stored_sample import Explorer, StoredSample
from neuromfa.questions.layer_change import EdgeChange, LayerChange, layer_change
from neuromfa.questions.layer_masses import MassTable, RadiusHistogram, mass_table, radius_histogram
from neuromfa.questions.lineage import Provenance, provenance
from neuromfa.questions.neuron_detail import NeuronDetail, neuron
from neuromfa.questions.neuron_list import NeuronList, neurons
from neuromfa.questions.neuron_trajectory import Trajectory, TrajectoryPoint, trajectory
from neuromfa.questions.path import PathAnswer, shortest_path
from neuromfa.questions.strongest_edges import StrongestEdges, strongest_edges
from neuromfa.questions.subgraph import Drawing, drawing

__all__ = [
    "FASTER",
    "BallAnswer",
    "Box",
    "BoxAnswer",
    "Drawing",
    "Edge",
    "EdgeChange",
    "Engine",
    "EngineChoice",
    "Explorer",
    "LayerChange",
    "MassTable",
    "Member",
    "Neuron",
    "NeuronDetail",
    "NeuronList",
    "PathAnswer",
    "Provenance",
    "RadiusHistogram",
    "SampleCache",
    "StoredSample",
    "StrongestEdges",
    "Trajectory",
    "TrajectoryPoint",
    "ball",
    "boxes",
    "drawing",
    "layer_change",
    "mass_table",
    "neuron",
    "neurons",
    "provenance",
    "radius_histogram",
    "shortest_path",
    "strongest_edges",
    "trajectory",
]
