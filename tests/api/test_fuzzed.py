"""What schemathesis finds by the published contract against a real service: nothing, and no write gets through."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from neuromfa.graph import GraphStore
from tests.serving import served

pytestmark = pytest.mark.slow

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
# what fits the contract may still be beyond what was stored of a sample: a 422 that says so
positive_data_acceptance.enabled = false
"""
# queueing a job opens its source, which may be a repository of the hub
# and what the others ask for must stay
LEFT_OUT = [
    word
    for name in ("queue_job", "delete_model", "delete_checkpoint", "delete_sample")
    for word in ("--exclude-operation-id", name)
]
EXAMPLES = 4


def test_no_request_breaks_the_contract(filled_dir: Path, store: GraphStore, tmp_path: Path) -> None:
    before = store.counts()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with served(filled_dir, tmp_path) as (_, address):
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", *LEFT_OUT),
                *("--max-examples", str(EXAMPLES), "--seed", "1", "--request-timeout", "60", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
            env=os.environ | {"SCHEMATHESIS_HOOKS": ""},
        )
        assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
        assert httpx.get(f"{address}/readyz").status_code == 200
    assert store.counts() == before
