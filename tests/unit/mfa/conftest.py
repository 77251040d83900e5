"""Fixtures of path distances: the ways in which they are computed, so that every test runs on each."""

import importlib.util
import sys
from types import ModuleType

import numba
import pytest

import neuromfa.mfa
from neuromfa.mfa import _kernels
from neuromfa.mfa.products import Engine


def interpreted_kernels() -> ModuleType:
    """Load the kernels as plain Python, so that a debugger and a coverage tool can follow them."""
    spec = importlib.util.spec_from_file_location("interpreted_kernels", _kernels.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, 1
    try:
        spec.loader.exec_module(module)
    finally:
        numba.config.DISABLE_JIT = before
    return module


@pytest.fixture(params=["numba", "interpreted", "numpy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Compiled kernels, the same kernels as plain Python, and numpy."""
    if request.param != "interpreted":
        return request.param
    monkeypatch.setattr(neuromfa.mfa, "_kernels", interpreted_kernels())
    return "numba"


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make numba look as if it were not installed."""
    monkeypatch.setattr("neuromfa.mfa.products.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "numba", None)
