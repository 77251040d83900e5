"""Which engine answers which question faster, on both servers, on the bundled series.

``python -m benchmarks.bench_queries`` writes benchmarks/results/queries.csv and the table of docs/queries.md. Every
question is asked by Cypher, by numpy with the sample yet to be read (cold) and by numpy with its arrays in memory
(warm), in turn; of several rounds the shortest time counts, because machines are shared. `engine=auto` follows the
ratio cypher / numpy, the geometric mean of both servers; a test compares
`neuromfa.questions.engine.choice` with the file.
"""

import csv
import math
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.left_out import SENTENCE, has_neo4j
from benchmarks.pages import put_table
from neuromfa import questions
from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.questions import EngineChoice, Explorer, SampleCache
from neuromfa.servers.neo4j_assembly import home_folder
from neuromfa.servers.neo4j_server import Neo4jServer

ROOT = Path(__file__).parents[1]
TARGET, PAGE = ROOT / "benchmarks/results/queries.csv", ROOT / "docs/queries.md"
COLUMNS = ("server", "question", "cypher_ms", "numpy_cold_ms", "numpy_warm_ms")
MODEL, STEPS = "stdlib-14m", "0,512,1000,2000"
ROUNDS, LONG_ENOUGH_S = int(os.environ.get("NEUROMFA_BENCH_ROUNDS", "5")), 4.0
PASSWORD = "neuromfa-bench"

Ask = Callable[[Explorer, EngineChoice], object]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one question on one server."""

    server: str
    question: str
    cypher: float
    cold: float
    warm: float


def main() -> None:
    """Measure both servers and write both files; with one of them alone the figures are only printed."""
    timings = []
    for name, store in _servers():
        ingest(
            IngestRequest(
                source=str(ROOT / "series" / MODEL),
                steps=STEPS,
                options=AnalysisOptions(samples=1, nulls=False),
            ),
            store,
        )
        timings += [_timing(name, question, store, ask) for question, ask in _questions(store).items()]
    print(*timings, sep="\n")
    if not has_neo4j():
        return
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in timings:
            writer.writerow(
                [one.server, one.question, *(f"{ms:.2f}" for ms in (one.cypher, one.cold, one.warm))]
            )
    _write_table(timings)


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


def _questions(store: GraphStore) -> dict[str, Ask]:
    """Return one asking of every question, on neurons in the middle of things."""
    graph = store.read_sample(MODEL, 2000, 0)
    source, target = graph.layers[5].names()[7], _reached(store, graph.layers[5].names()[7])
    at = 2000

    def of_sample(ask: Callable[..., object], *words: object, **more: object) -> Ask:
        return lambda explorer, engine: ask(explorer.sample(MODEL, at), *words, engine=engine, **more)

    return {
        "path": of_sample(questions.shortest_path, source, target),
        "ball": of_sample(questions.ball, source),
        "boxes": of_sample(questions.boxes, radius=10.0, first_layer=4, last_layer=6),
        "radii": of_sample(questions.radius_histogram, 5),
        "masses": of_sample(questions.mass_table, 5),
        "strongest": of_sample(questions.strongest_edges),
        "neurons": of_sample(questions.neurons, order="dimension"),
        "neuron": of_sample(questions.neuron, source),
        "drawing": of_sample(questions.drawing, first_layer=5, last_layer=10),
        "change": lambda explorer, engine: questions.layer_change(
            explorer.sample(MODEL, 512), explorer.sample(MODEL, at), 5, engine=engine
        ),
        "trajectory": lambda explorer, engine: questions.trajectory(
            explorer.samples(MODEL), source, engine=engine
        ),
        "provenance": lambda explorer, engine: questions.provenance(explorer, MODEL, at, engine=engine),
    }


def _reached(store: GraphStore, source: str) -> str:
    """Return a neuron with a path of many hops to it."""
    ball = questions.ball(Explorer(store).sample(MODEL, 2000), source, engine="numpy")
    return max(ball.members, key=lambda member: (member.layer, member.name)).name


def _timing(server: str, question: str, store: GraphStore, ask: Ask) -> Timing:
    """Ask in turn, and keep the shortest time of each way."""
    explorer = Explorer(store, timeout_s=120.0)
    best: dict[str, float] = defaultdict(lambda: math.inf)
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        fresh = replace(explorer, cache=SampleCache())
        answers = {
            "cypher": _timed(best, "cypher", lambda: ask(explorer, "cypher")),
            "cold": _timed(best, "cold", lambda fresh=fresh: ask(fresh, "numpy")),  # type: ignore[misc]
            "warm": _timed(best, "warm", lambda fresh=fresh: ask(fresh, "numpy")),  # type: ignore[misc]
        }
        assert question in ("neuron", "trajectory") or answers["cypher"] == answers["warm"], question
        if time.perf_counter() - begun > LONG_ENOUGH_S * ROUNDS:
            break
    return Timing(server, question, *(1000 * best[way] for way in ("cypher", "cold", "warm")))


def _timed(best: dict[str, float], way: str, work: Callable[[], object]) -> object:
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
    main()
