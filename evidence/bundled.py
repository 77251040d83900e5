"""Excess and effect of the bundled series, in every way docs/structure.md gives them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuromfa import mfa
from neuromfa.analysis import sample
from neuromfa.checkpoints import open_series
from neuromfa.mfa.excess import PairedExcess, is_whole, shared_weights
from neuromfa.mfa.nulls import part_by_part
from neuromfa.mfa.shape import DEVIATION
from neuromfa.network import SNIN, DerivedLinks, Link, WeightArray
from neuromfa.options import AnalysisOptions

SERIES = Path(__file__).parents[1] / "series"
PLACES = (
    ("stdlib-14m", 0),
    ("stdlib-14m", 256),
    ("stdlib-14m", 512),
    ("stdlib-14m", 2000),
    ("stdlib-14m-decay1", 2000),
    ("stdlib-14m-shuffled", 2000),
)
EXACT = AnalysisOptions()
WAYS = {
    "exact, union grid": EXACT,
    "exact, fixed grid": replace(EXACT, grid="fixed"),
    "each part by its rms, fixed grid": replace(EXACT, grid="fixed"),
    "shape": EXACT.in_shape,
}
BY_RMS = "each part by its rms, fixed grid"


def rows(places: tuple[tuple[str, int], ...] = PLACES) -> Iterator[dict[str, Any]]:
    """Yield one row a checkpoint and way of measuring: excess of alpha0 and width with t, and g."""
    for series, step in places:
        networks = sample(open_series(str(SERIES / series)).at(step), EXACT).networks
        for way, options in WAYS.items():
            chosen = [by_rms(network) for network in networks] if way == BY_RMS else networks
            yield {"series": series, "step": step, "way": way, **figures(chosen, options)}


def figures(networks: list[SNIN] | tuple[SNIN, ...], options: AnalysisOptions) -> dict[str, float]:
    """Return the excess of some networks over the null `shuffled`."""
    samples = [mfa.paired_samples(network, [options])[0] for network in networks]
    rho = shared_weights(networks[0], draws=options.null_draws)
    paired = PairedExcess(samples, "shuffled", rho=rho, whole=is_whole(networks[0]))
    found: dict[str, float] = {}
    for name, excess in (
        ("alpha0", paired.of(lambda one: one.alpha0)),
        ("width", paired.of(lambda one: one.width)),
        ("g2", paired.nfd_variance()),
    ):
        assert excess.value is not None and excess.se is not None and excess.t is not None
        found |= {name: excess.value, f"{name}_se": excess.se, f"{name}_t": excess.t}
    return found | {"g": float(np.sign(found["g2"]) * np.sqrt(abs(found["g2"])))}


def by_rms(network: SNIN) -> SNIN:
    """Return a network whose every stored part has root mean square 1/40: profile shape uses the median instead."""

    def scaled(_: int, link: Link) -> Link:
        if link.weights is None:
            return link
        return replace(
            link, weights=part_by_part(link.parts, link.weights, lambda part, _: _unit(part) * DEVIATION)
        )

    return replace(network, links=DerivedLinks(network.links, scaled))


def _unit(part: WeightArray) -> WeightArray:
    values = part.astype(np.float64)
    return values / np.sqrt(np.mean(np.square(values)))
