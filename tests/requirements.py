"""System parts that some tests need: what happens where one is missing is decided here alone."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

HOW_TO_GET = {
    "neo4j": "a JDK 17 or 21 and Maven (Debian: openjdk-17-jre-headless maven), then `make neo4j-home`; "
    "or NEUROMFA_TEST_NEO4J_URI and NEUROMFA_TEST_NEO4J_PASSWORD of an empty server",
    "classes": "`make neo4j-home`, which keeps what a start of Neo4j loads",
    "browser": "Chromium (Debian: chromium), or NEUROMFA_TEST_CHROMIUM with its path",
    "axe": "`npm install --prefix .cache/npm axe-core`, or NEUROMFA_TEST_AXE with the path of its axe.min.js",
    "engine": "root, and Debian's docker.io docker-compose debootstrap slirp4netns; no running engine is used",
    "torch": "`.venv/bin/pip install -r requirements/torch.txt` (about 5 GB)",
    "published": "a package registry that serves the wheels named in the test",
    "mount": "the right to mount a small tmpfs, which root has",
    "dask": "`.venv/bin/pip install '.[dask]'`",
}


def missing(part: str, why: str) -> NoReturn:
    """Leave the test out and say how to get the part; where `NEUROMFA_TEST_REQUIRE` names it, fail instead."""
    sentence = f"{part} is missing ({why}). It takes {HOW_TO_GET[part]}."
    if part in os.environ.get("NEUROMFA_TEST_REQUIRE", "").split(","):
        pytest.fail(sentence)
    pytest.skip(sentence)


def chromium() -> Path:
    """Return the browser of this machine, or leave the test out."""
    named = os.environ.get("NEUROMFA_TEST_CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None or not Path(found).exists():
        missing("browser", f"{named} does not exist" if named else "no chromium on the path")
    return Path(found)
