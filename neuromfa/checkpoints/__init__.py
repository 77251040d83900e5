"""Checkpoints: where they are, how they are read, and which neurons are drawn; a series becomes SNINs."""

from neuromfa.checkpoints.architecture.files import list_architectures
from neuromfa.checkpoints.architecture.schema import Architecture
from neuromfa.checkpoints.sampling.networks import SampledCheckpoint
from neuromfa.checkpoints.series import Checkpoint, CheckpointSeries, open_series

__all__ = [
    "Architecture",
    "Checkpoint",
    "CheckpointSeries",
    "SampledCheckpoint",
    "list_architectures",
    "open_series",
]
