"""What holds for every test: a store with real series in it, and at the end what was left out."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes depends on what else the machine does
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
# the command line fixes its width when it is first loaded, which must not be under one test's COLUMNS
os.environ.pop("COLUMNS", None)
# an embedded server of a test lives for seconds: compiling its code twice would be half of what it does
os.environ.setdefault("ARCADEDB_JVM_ARGS", "-XX:TieredStopAtLevel=1")
from neuromfa.app.cli import output  # noqa: E402, F401

SERIES = Path(__file__).parents[1] / "series" / "stdlib-14m"
STARTING_SERVERS = {
    "filled_dir",
    "swept_dir",
    "data_dir",
    "server",
    "empty",
    "empty_server",
    "embedded_server",
    "neo4j_server",
    "cluster",
    "own",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts a database server, which `make test-fast` leaves out."""
    for item in items:
        chosen = getattr(getattr(item, "callspec", None), "params", {}).values()  # the server by its name
        fixtures = getattr(item, "fixturenames", ())
        if STARTING_SERVERS & set(fixtures) or {"embedded", "neo4j"} & {
            each for each in chosen if isinstance(each, str)
        }:
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def filled_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an embedded store: steps of a series in two profiles, with scores, and a checkpoint without one.

    The processes of one run measure it once, and each has a copy of its own.
    """
    from neuromfa.servers.file_lock import FileLock

    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "filled-once"
    with FileLock(shared.with_suffix(".lock")) as lock:
        assert lock.wait(seconds=250)
        if not shared.exists():
            fill(draft := shared.with_suffix(".draft"))
            draft.rename(shared)
    return Path(shutil.copytree(shared, own / "filled"))


def fill(folder: Path) -> None:
    """Measure into a new store; its server has ended when this returns."""
    from neuromfa.graph import open_store
    from neuromfa.ingest.ingest import ingest
    from neuromfa.ingest.request import IngestRequest
    from neuromfa.options import AnalysisOptions
    from neuromfa.score_files import read_scores

    exact = AnalysisOptions(samples=3, nodes=16, neurons=1)
    paper = AnalysisOptions(samples=3, nodes=16, profile="paper")
    alone = AnalysisOptions(samples=2, nodes=16, baseline="none", nulls=False)
    with open_store(data_dir=folder) as store:
        for request in (
            IngestRequest(source=str(SERIES), options=exact, steps="0,128,512,2000"),
            IngestRequest(source=str(SERIES), options=paper, steps="0,2000", graph_samples=0),
            IngestRequest(source=str(SERIES / "step2000"), model_id="org/alone", options=alone),
        ):
            ingest(request, store)
        store.write_scores(SERIES.name, read_scores(SERIES / "scores.csv", model=SERIES.name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the reasons of skipped tests once each, in plain sight at the end."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("left out")
        for reason, count in reasons.items():
            terminalreporter.line(f"{count} test{'s' if count > 1 else ''}: {reason}")
