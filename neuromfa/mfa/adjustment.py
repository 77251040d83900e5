"""Algorithm 1, multiple rounds of weight adjustment (reading): the illustrative networks of the paper.

A few neurons grow ever stronger at the cost of all others, as a network under training is thought to do:
over the rounds alpha0 falls and the spectrum changes its width, though not steadily.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.measure import measure
from neuromfa.network import SNIN, FloatArray, IntArray, Layer, Link, Part, Provenance
from neuromfa.options import AnalysisOptions


@dataclass(frozen=True, eq=False)
class AdjustmentRound:
    """The network after a round.

    Attributes
    ----------
    number : 0 for the network as it was drawn
    network : layers fully joined to the next by positive weights
    raised : int64 array, numbers of the neurons raised in this round, counted over all layers but the last
    """

    number: int
    network: SNIN
    raised: IntArray


@dataclass(frozen=True)
class RoundMeasure:
    """alpha0 and width after a round: the story of the paper's figure."""

    number: int
    alpha0: float
    width: float
    nodes_kept: int


def adjustment_rounds(
    *,
    rounds: int = 8,
    n_layers: int = 5,
    size: int = 64,
    mean_weight: float = 0.01,
    factor: float = 1.5,
    share: float = 0.1,
    seed: int = 0,
) -> Iterator[AdjustmentRound]:
    """Yield a random network and then the network after each round of Algorithm 1 (reading).

    A round draws different neurons with a probability proportional to their strength, the sum of their
    outgoing weights (preferential attachment), multiplies their outgoing weights by a factor, and divides
    all weights so that their total stays what it was.

    Parameters
    ----------
    rounds : number of rounds after the start
    n_layers, size : layers and neurons in each
    mean_weight : mean of the exponential distribution the first weights are drawn from
    factor : by which the weights of drawn neurons are multiplied, above 1
    share : of the neurons, drawn in each round, above 0 and at most 1
    seed : seed of all draws

    Raises
    ------
    OptionError : an option outside these bounds
    """
    _require(rounds=rounds, n_layers=n_layers, size=size, mean_weight=mean_weight, factor=factor, share=share)
    draw = np.random.default_rng(seed)
    weights = draw.exponential(mean_weight, (n_layers - 1, size, size))
    total = weights.sum()
    yield AdjustmentRound(0, _network(weights, seed, 0), np.empty(0, dtype=np.int64))
    for number in range(1, rounds + 1):
        strength = weights.sum(axis=1).ravel()
        n_drawn = max(1, round(share * strength.size))
        raised = draw.choice(strength.size, n_drawn, replace=False, p=strength / strength.sum())
        factors = np.ones(strength.size)
        factors[raised] = factor
        weights = weights * factors.reshape(n_layers - 1, 1, size)
        weights = weights * (total / weights.sum())
        yield AdjustmentRound(number, _network(weights, seed, number), np.sort(raised))


def adjustment_story(
    rounds: Iterable[AdjustmentRound], *, options: AnalysisOptions | None = None
) -> list[RoundMeasure]:
    """Return alpha0 and width of every round, measured with `options` (defaults without)."""
    chosen = AnalysisOptions() if options is None else options
    story = []
    for each in rounds:
        measured = measure(each.network, chosen)
        story.append(RoundMeasure(each.number, measured.alpha0, measured.width, measured.nodes_kept))
    return story


def _network(weights: FloatArray, seed: int, number: int) -> SNIN:
    """Return the network of weights of shape (n_layers - 1, n_target, n_source)."""
    n_links, size = weights.shape[:2]
    layers = tuple(Layer(k, "layer", (Part("layer", np.arange(size)),)) for k in range(n_links + 1))
    links = tuple(Link(f"round {number}, layer {k}", matrix) for k, matrix in enumerate(weights))
    provenance = Provenance(
        series="algorithm-1",
        step=number,
        revision="generated",
        architecture="layers",
        architecture_hash="",
        dtype="float64",
        seed=seed,
        nodes=None,
        row_rule="exact",
    )
    return SNIN(layers, links, (False,) * n_links, provenance)


def _require(
    *, rounds: int, n_layers: int, size: int, mean_weight: float, factor: float, share: float
) -> None:
    checks = [
        (rounds >= 0, f"rounds is 0 or more, not {rounds}"),
        (n_layers >= 2, f"n_layers is 2 or more, not {n_layers}"),
        (size >= 1, f"size is 1 or more, not {size}"),
        (0.0 < mean_weight < np.inf, f"mean_weight is above 0, not {mean_weight}"),
        (1.0 < factor < np.inf, f"factor is above 1, not {factor}"),
        (0.0 < share <= 1.0, f"share is above 0 and at most 1, not {share}"),
    ]
    for holds, fault in checks:
        if not holds:
            raise OptionError(fault)
