"""Initialisation: the network before training, drawn by the formulas of its architecture (ours)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuromfa.checkpoints.architecture.fitted import FittedMatrix
from neuromfa.checkpoints.architecture.match import fit
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.checkpoints.sampling.draws import Pick
from neuromfa.checkpoints.sampling.links import kernel_norm
from neuromfa.checkpoints.sampling.networks import Origin, ReadsDone, SampledCheckpoint, build_networks
from neuromfa.checkpoints.series import Checkpoint
from neuromfa.network import WeightArray

REINIT_REVISION = "reinit"
# Third word of every seed, so that no stream is shared with the null models, which use [seed, row, null].
STREAM = 0x7265696E


def reinitialise_checkpoint(
    checkpoint: Checkpoint, *, nodes: int | None, seeds: Sequence[int], row_rule: str
) -> SampledCheckpoint:
    """Open a checkpoint for its shapes and give its networks before training, see `reinit_networks`."""
    tensors = checkpoint.open()
    try:
        return reinit_networks(
            tensors,
            tensors.config,
            nodes=nodes,
            seeds=seeds,
            row_rule=row_rule,
            series=checkpoint.series,
            step=checkpoint.step,
            architecture=checkpoint.architecture,
        )
    finally:
        tensors.close()


def reinit_networks(
    tensors: TensorStore,
    config: Mapping[str, Any],
    *,
    nodes: int | None,
    seeds: Sequence[int],
    row_rule: str,
    series: str,
    step: int | None,
    architecture: Path | None = None,
) -> SampledCheckpoint:
    """Give networks of the same neurons with weights as the architecture's own code draws them.

    Only shapes are read. Each matrix comes from ``default_rng([seed, link, STREAM, part])``, so the same seed
    gives the same baseline for every step. Parameters and errors are those of `sampling.sample_networks`.
    """
    fitted = fit(tensors, config, architecture=architecture)
    networks = build_networks(
        fitted,
        InitialWeights(),
        nodes=nodes,
        seeds=seeds,
        row_rule=row_rule,
        origin=Origin(series, step, REINIT_REVISION),
    )
    reads = ReadsDone(tensors.bytes_read, tensors.requests)
    return SampledCheckpoint(networks, fitted.link_names, fitted.coverage, reads)


class InitialWeights:
    """Weights drawn by the initialisation formulas; a `WeightSource`."""

    def take(self, matrix: FittedMatrix, *, link: int, picks: Sequence[Pick]) -> list[WeightArray]:
        """Draw one matrix for each pick."""
        return [_draw(matrix, pick, link=link) for pick in picks]


def _draw(matrix: FittedMatrix, pick: Pick, *, link: int) -> WeightArray:
    """Return float32 weights of shape (n_targets, n_sources), for kernels their float64 norms."""
    generator = np.random.default_rng([pick.seed, link, STREAM, matrix.place])
    shape = (pick.targets.size, pick.sources.size, matrix.kernel or 1)
    distribution, spread = matrix.init
    if distribution == "normal":
        drawn = generator.standard_normal(shape, dtype=np.float32) * np.float32(spread)
    else:
        drawn = (2 * generator.random(shape, dtype=np.float32) - 1) * np.float32(spread)
    return drawn[..., 0] if matrix.kernel is None else kernel_norm(drawn)
