"""The rivals of the benchmark answer the same question, or its ratios would say nothing."""

import numpy as np
import pytest

from benchmarks.bench_mfa import (
    PAPER,
    WHOLE,
    LazyNetwork,
    require_equal,
    synthetic,
    tau_by_loops,
    tau_by_powers,
)
from neuromfa import mfa


def test_rivals_give_the_same_exponents() -> None:
    network = synthetic(blocks=1, nodes=32)
    taus = mfa.measure(network, PAPER).tau, tau_by_loops(network), tau_by_powers(network)
    require_equal(*taus)
    with pytest.raises(AssertionError):
        require_equal(taus[0], taus[1] + 1e-6)


def test_the_lazy_network_is_whole() -> None:
    network = LazyNetwork(2, 64).network
    assert len(list(network.links)) == len(network.artificial) == 10
    for k, link in enumerate(network.links):
        matrix = link.weights if link.weights is not None else link.wiring
        assert matrix.shape == (network.layers[k + 1].size, network.layers[k].size)
    found = mfa.measure(network, WHOLE)
    assert found.nodes_total == 2 * (64 + 64 + 64 + 256)
    assert np.isfinite(found.tau).all()
