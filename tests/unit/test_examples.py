"""The tutorial runs as it stands, and prints what it says it prints."""

import json
import re
from pathlib import Path

import pytest

from examples.run import NOTEBOOK, code_cells, kept_outputs, outputs

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"[-+]?\d+\.\d+")


def test_the_tutorial_prints_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert [cell["execution_count"] for cell in code_cells(notebook)] == [1, 2, 3, 4, 5]
    for kept, told in zip(kept_outputs(notebook), outputs(notebook), strict=True):
        assert NUMBER.sub("#", "".join(told)) == NUMBER.sub("#", "".join(kept))
        for one, other in zip(NUMBER.findall("".join(told)), NUMBER.findall("".join(kept)), strict=True):
            assert float(one) == pytest.approx(float(other), abs=2e-4)
