"""The tutorial runs as it stands, and prints what it says it prints."""

import json
import re
from pathlib import Path

import pytest

from examples.run import NOTEBOOK, code_cells, kept_outputs, outputs
from tests.serving import served

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"[-+]?\d+\.\d+")


@pytest.mark.slow
def test_the_tutorial_prints_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("NEUROMFA_URL", raising=False)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert [cell["execution_count"] for cell in code_cells(notebook)] == [1, 2, 3, 4, 5, 6]
    for kept, told in zip(kept_outputs(notebook), outputs(notebook), strict=True):
        assert NUMBER.sub("#", "".join(told)) == NUMBER.sub("#", "".join(kept))
        for one, other in zip(NUMBER.findall("".join(told)), NUMBER.findall("".join(kept)), strict=True):
            assert float(one) == pytest.approx(float(other), abs=2e-4)


def test_its_last_cell_reads_a_running_service(
    monkeypatch: pytest.MonkeyPatch, filled_dir: Path, tmp_path: Path
) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][-1:]
    with served(filled_dir, tmp_path) as (_, address):
        monkeypatch.setenv("NEUROMFA_URL", address)
        [[told]] = outputs(notebook)
    assert re.fullmatch(r"4 steps, (yes|no|undecided)\n", told)
