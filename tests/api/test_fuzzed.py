"""What schemathesis finds by the published contract against a real service: nothing, and no write gets through."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from tests.conftest import SERIES
from tests.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Two series of names that exist, so that questions reach the graph; everything else is made up.
CONFIG = """
[parameters]
"path.model" = "stdlib-14m"
"path.step" = "512"
"path.seed" = 0
"path.layer" = 3
"path.name" = "B00.input.00051"

[phases.stateful]
enabled = true

[checks]
# no contract says which media types `Accept` may name
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "406", "409", "429", "5xx"]

# what fits the contract may still be beyond what was stored of a sample, or no name of a model, field or flag:
# a 422 that says so
[[operations]]
include-tag = "graph"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "/v1/compare|emergence"
checks.positive_data_acceptance.enabled = false

# a job that was cancelled can still be read
[[operations]]
include-path-regex = "^/v1/jobs"
checks.use_after_free.enabled = false
"""
# queueing a job opens its source, which may be a repository of the hub
# and what the others ask for must stay
LEFT_OUT = [
    word
    for name in ("queue_job", "delete_model", "delete_checkpoint", "delete_sample")
    for word in ("--exclude-operation-id", name)
]
EXAMPLES = 4
# of the odd ids, which stand in place of what the contract says, some are refused
ODD_CONFIG = CONFIG.replace('"path.model" = "stdlib-14m"\n', "").replace(
    "[checks]\n", "[checks]\npositive_data_acceptance.enabled = false\n"
)


def fuzz(address: str, folder: Path, *words: str, examples: int = EXAMPLES, **environment: str) -> None:
    """Run schemathesis by the contract at an address; nothing it tries may break it."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", *words),
            *("--max-examples", str(examples), "--seed", "1", "--request-timeout", "60", "--no-color"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=800,
        env=os.environ | {"SCHEMATHESIS_HOOKS": ""} | environment,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert httpx.get(f"{address}/readyz").status_code == 200


def test_no_request_breaks_the_contract(filled_dir: Path, store: GraphStore, tmp_path: Path) -> None:
    before = store.counts()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with served(filled_dir, tmp_path) as (_, address):
        fuzz(address, tmp_path, *LEFT_OUT)
    assert store.counts() == before


@pytest.mark.long
def test_odd_ids_and_sources_break_nothing(tmp_path: Path) -> None:
    """Also what queues jobs and deletes, in a store of its own; the hub is not asked."""
    few = AnalysisOptions(samples=2, nodes=16, baseline="none", nulls=False)
    with open_store(data_dir=tmp_path / "own") as store:
        ingest(IngestRequest(source=str(SERIES / "step2000"), model_id="org/alone", options=few), store)
    (tmp_path / "schemathesis.toml").write_text(ODD_CONFIG)
    for name, target in (("loop", "loop"), ("there", "back"), ("back", "there")):
        os.symlink(tmp_path / target, tmp_path / name)
    (tmp_path / "file").write_text("x")
    (tmp_path / "closed").mkdir(mode=0)
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_sources",
        "FUZZED_FOLDER": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with served(tmp_path / "own", tmp_path, NEUROMFA_SOURCES=str(tmp_path), HF_HUB_OFFLINE="1") as (
        _,
        address,
    ):
        fuzz(address, tmp_path, examples=4, **hooks)
