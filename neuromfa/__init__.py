"""NeuroMFA: multifractal analysis of neuron interaction networks, usable from a notebook without any server.

>>> from neuromfa import AnalysisOptions, analyze, open_series
>>> result = analyze(open_series("series/stdlib-14m"), AnalysisOptions(samples=3), steps="0,2000")  # doctest: +SKIP
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["AnalysisOptions", "analyze", "connect", "open_series"]

_HOMES = {
    "AnalysisOptions": "neuromfa.options",
    "analyze": "neuromfa.analysis",
    "connect": "neuromfa.remote",
    "open_series": "neuromfa.checkpoints",
}


def __dir__() -> list[str]:
    """Name what is public, whether it was imported yet or not."""
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the rooms below must not import those above them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'neuromfa' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
