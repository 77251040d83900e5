"""Which engine answers which question faster, on both servers, on the bundled series.

``python -m benchmarks.bench_queries`` writes benchmarks/results/queries.csv and the table of docs/queries.md; with
names of questions behind it, those are measured and the others keep their figures. Every question is asked by Cypher,
by numpy with the sample yet to be read (cold) and by numpy with its arrays in memory (warm), in turn; of several rounds
the shortest time counts, because machines are shared. `engine=auto` follows the ratio cypher / numpy, the geometric
mean of both servers; a test compares what the questions declare with the file.
"""

import csv
import math
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.left_out import SENTENCE, has_neo4j
from benchmarks.pages import put_table
from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.questions import QUESTIONS, Ball, EngineChoice, Explorer, SampleCache, ask
from neuromfa.questions.engine.request import QuestionRequest, request_of, words_of
from neuromfa.servers.neo4j_assembly import home_folder
from neuromfa.servers.neo4j_server import Neo4jServer

ROOT = Path(__file__).parents[1]
TARGET, PAGE = ROOT / "benchmarks/results/queries.csv", ROOT / "docs/queries.md"
COLUMNS = ("server", "question", "cypher_ms", "numpy_cold_ms", "numpy_warm_ms")
MODEL, STEPS = "stdlib-14m", "0,512,1000,2000"
ROUNDS, LONG_ENOUGH_S = int(os.environ.get("NEUROMFA_BENCH_ROUNDS", "5")), 4.0
PASSWORD = "neuromfa-bench"

# what is asked where a question needs the word, and what single questions are asked beyond that
MIDDLE = {"model": MODEL, "step": 2000, "before": 512, "after": 2000, "layer": 5, "radius": 10.0}
MORE: dict[str, dict[str, object]] = {
    "boxes": {"first_layer": 4, "last_layer": 6},
    "neurons": {"order": "dimension"},
    "departures": {"level": 1.0},
    "drawing": {"layers": "5-10"},
}


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one question on one server."""

    server: str
    question: str
    cypher: float
    cold: float
    warm: float


def main(wanted: Sequence[str]) -> None:
    """Measure some questions, or all, and write both files; with one server alone the figures are only printed."""
    measured = {}
    for name, store in _servers():
        ingest(
            IngestRequest(
                source=str(ROOT / "series" / MODEL),
                steps=STEPS,
                options=AnalysisOptions(samples=1, nulls=False, neurons=1),
            ),
            store,
        )
        for question, request in _requests(store).items():
            if question in wanted or not wanted:
                measured[name, question] = _timing(name, question, store, request)
    print(*measured.values(), sep="\n")
    if not has_neo4j():
        return
    timings = _together(measured) if wanted else list(measured.values())
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in timings:
            writer.writerow(
                [one.server, one.question, *(f"{ms:.2f}" for ms in (one.cypher, one.cold, one.warm))]
            )
    _write_table(timings)


def _together(measured: dict[tuple[str, str], Timing]) -> list[Timing]:
    """Return the new figures and, of questions not measured now, those that stand in the file."""
    with TARGET.open(newline="") as file:
        rows = [(server, question, *map(float, ms)) for server, question, *ms in list(csv.reader(file))[1:]]
    found = {(row[0], row[1]): Timing(*row) for row in rows} | measured
    return [
        found[server, question] for server in dict.fromkeys(one for one, _ in found) for question in QUESTIONS
    ]


def _servers() -> Iterator[tuple[str, GraphStore]]:
    with tempfile.TemporaryDirectory() as folder:
        with open_store(data_dir=Path(folder) / "embedded") as store:
            yield "ArcadeDB", store
        if not has_neo4j():
            print(SENTENCE)
            return
        with _neo4j(Path(folder) / "neo4j") as store:
            yield "Neo4j", store


@contextmanager
def _neo4j(folder: Path) -> Iterator[GraphStore]:
    with (
        Neo4jServer(folder, home=home_folder(), password=PASSWORD) as server,
        open_store(uri=server.uri, user="neo4j", password=PASSWORD) as store,
    ):
        yield store


def _requests(store: GraphStore) -> dict[str, QuestionRequest]:
    """Return one asking of every question, on neurons in the middle of things."""
    source = store.read_sample(MODEL, 2000, 0).layers[5].names()[7]
    middle = MIDDLE | {"source": source, "name": source, "neuron": source, "target": _reached(store, source)}
    requests = {}
    for name, kind in QUESTIONS.items():
        needed = {word: middle[word] for word, field in words_of(kind).items() if field.is_required()}
        requests[name] = request_of(kind, needed | MORE.get(name, {}))
    return requests


def _reached(store: GraphStore, source: str) -> str:
    """Return a neuron with a path of many hops to it."""
    ball = ask(Explorer(store).sample(MODEL, 2000), Ball(source=source, limit=None), engine="numpy")
    return max(ball.members, key=lambda member: (member.layer, member.name)).name


def _timing(server: str, question: str, store: GraphStore, request: QuestionRequest) -> Timing:
    """Ask in turn, and keep the shortest time of each way."""
    explorer = Explorer(store, timeout_s=120.0)
    best: dict[str, float] = defaultdict(lambda: math.inf)
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        fresh = replace(explorer, cache=SampleCache())
        answers = {
            "cypher": _timed(best, "cypher", lambda: _answer(explorer, request, "cypher")),
            "cold": _timed(best, "cold", lambda fresh=fresh: _answer(fresh, request, "numpy")),  # type: ignore[misc]
            "warm": _timed(best, "warm", lambda fresh=fresh: _answer(fresh, request, "numpy")),  # type: ignore[misc]
        }
        assert equal(*(asdict(answers[way]) for way in ("cypher", "warm"))), question
        if time.perf_counter() - begun > LONG_ENOUGH_S * ROUNDS:
            break
    return Timing(server, question, *(1000 * best[way] for way in ("cypher", "cold", "warm")))


def _answer(explorer: Explorer, request: QuestionRequest, engine: EngineChoice) -> Any:
    return ask(request.where.find(explorer), request.question, engine=engine)


def equal(left: Any, right: Any) -> bool:
    """Return whether two answers are equal, numbers to 1e-9: the order of a sum is the server's."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


def _timed(best: dict[str, float], way: str, work: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    answer = work()
    best[way] = min(best[way], time.perf_counter() - start)
    return answer


def _write_table(timings: list[Timing]) -> None:
    """Write the table between its marks."""
    servers = list(dict.fromkeys(one.server for one in timings))
    by_question: dict[str, dict[str, Timing]] = defaultdict(dict)
    for one in timings:
        by_question[one.question][one.server] = one
    head = ["question"]
    for server in servers:
        head += [f"{server}: cypher", "numpy, cold", "numpy, warm", "cypher / cold"]
    lines = [
        "| " + " | ".join([*head, "auto, cold", "auto, warm"]) + " |",
        "|" + "---|" * (len(head) + 2),
    ]
    for question, found in by_question.items():
        cells = [f"`{question}`"]
        for server in servers:
            one = found[server]
            cells += [*map(_ms, (one.cypher, one.cold, one.warm)), f"{one.cypher / one.cold:.2g}"]
        cells += [faster(found.values(), "cold"), faster(found.values(), "warm")]
        lines.append("| " + " | ".join(cells) + " |")
    put_table(PAGE, lines)


def faster(timings: Iterable[Timing], way: str) -> str:
    """Return the engine with the smaller geometric mean over the servers."""
    ratios = [math.log(one.cypher / getattr(one, way)) for one in timings]
    return "cypher" if sum(ratios) < 0.0 else "numpy"


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])
