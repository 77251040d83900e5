"""Questions to a stored graph, each answered by Cypher or by numpy with equal answers; one question a file."""

from neuromfa.explore.balls import BallAnswer, Member, ball
from neuromfa.explore.cache import SampleCache
from neuromfa.explore.changes import EdgeChange, LayerChange, layer_change
from neuromfa.explore.coverings import Box, BoxAnswer, boxes
from neuromfa.explore.details import NeuronDetail, neuron
from neuromfa.explore.drawings import Drawing, drawing
from neuromfa.explore.engines import FASTER, Engine, EngineChoice
from neuromfa.explore.lists import NeuronList, neurons
from neuromfa.explore.origins import Provenance, provenance
from neuromfa.explore.paths import PathAnswer, shortest_path
from neuromfa.explore.radii import MassTable, RadiusHistogram, mass_table, radius_histogram
from neuromfa.explore.records import Edge, Neuron
from neuromfa.explore.stored import Explorer, StoredSample
from neuromfa.explore.strongest import StrongestEdges, strongest_edges
from neuromfa.explore.trajectories import Trajectory, TrajectoryPoint, trajectory

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
