"""`neuromfa.connect` against a service that runs: the same records as from the store, frames, charts, errors."""

import doctest
import http.server
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuromfa
from neuromfa import errors
from neuromfa.app.errors import KINDS, TABLE
from neuromfa.comparison import Comparison
from neuromfa.correlations import correlate
from neuromfa.curves import compact
from neuromfa.frames import flat, to_frame
from neuromfa.graph import GraphStore
from neuromfa.pictures import MIME, table_html
from neuromfa.remote import Service
from neuromfa.remote.problems import ERRORS
from neuromfa.results import CheckpointMetrics, CheckpointSpectrum, CurvePoint, SeriesResult
from tests.serving import served

PAGE = Path(__file__).parents[2] / "docs" / "remote.md"
MODEL, STEPS = "stdlib-14m", [0, 128, 512, 2000]
KEY = "a-key-of-sixteen-letters"


@pytest.fixture(scope="module")
def address(filled_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(filled_dir, tmp_path_factory.mktemp("serving")) as (_, found):
        yield found


@pytest.fixture(scope="module")
def service(address: str) -> Iterator[Service]:
    with neuromfa.connect(address) as connected:
        yield connected


def test_the_page_is_true(address: str, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", address)
    page = tmp_path / "remote.md"
    page.write_text(text, encoding="utf-8")
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=flags)
    assert (failed, tried > 15) == (0, True)


def test_records_are_those_of_the_store(service: Service, store: GraphStore) -> None:
    series = service.series(MODEL)
    results = store.results(MODEL, profile="exact")
    assert list(service.models()) == store.models().items
    assert list(series.analyses()) == store.analyses(MODEL)
    assert list(series.checkpoints()) == store.checkpoints(MODEL).items
    curve = series.curve(profile="exact")
    assert list(curve) == [CurvePoint.of(result) for result in results]
    assert curve.options_hash == store.choose(MODEL, profile="exact").analysis.options_hash
    assert list(series.spectra(profile="exact")) == [CheckpointSpectrum.of(result) for result in results]
    scores = [score for score in store.scores(MODEL) if score.step == 512]
    assert series.metrics(512, profile="exact") == CheckpointMetrics.of(results[2], scores)
    assert list(series.scores()) == store.scores(MODEL)
    assert list(series.correlations(profile="exact")) == correlate(results, store.scores(MODEL))
    assert service.series("org/alone").spectrum(None).step is None
    [_, short] = service.curves(profile="exact")
    assert short.points == [compact(point) for point in curve]
    assert isinstance(service.compare(MODEL, "org/alone"), Comparison)
    assert series.table(profile="exact").num_rows == len(STEPS)


def test_long_lists_are_read_whole(service: Service) -> None:
    series = service.series(MODEL)
    whole = series.curve(profile="exact")
    assert list(series.curve(profile="exact", limit=1)) == list(whole)
    assert len(service.curves(limit=1)) == 2


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_of_either_library(service: Service, library: Any) -> None:
    curve = service.series(MODEL).curve(profile="exact")
    frame = curve.to_frame(library=library)
    assert type(frame).__module__.startswith(library)
    assert frame["step"].to_list() if library == "polars" else frame["step"].tolist() == STEPS
    np.testing.assert_array_equal(np.array(frame["alpha0"]), curve.array("alpha0"))
    assert service.curves().to_frame(library=library).shape[0] == len(STEPS) + 1
    assert curve.to_frame().shape == frame.shape


def test_without_a_library_the_sentence_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(errors.MissingExtra, match="a data frame needs pandas or polars: pip install pandas"):
        to_frame([{"a": 1}])
    with pytest.raises(errors.MissingExtra, match="needs polars"):
        to_frame([{"a": 1}], library="polars")
    with pytest.raises(errors.OptionError, match="pandas or polars, not 'dask'"):
        to_frame([{"a": 1}], library="dask")  # type: ignore[arg-type]


def test_rows_are_plain(service: Service) -> None:
    point = service.series(MODEL).curve(profile="exact")[2]
    row = flat(point)
    assert (row["alpha0"], row["alpha0_low"]) == (point.alpha0.value, point.alpha0.low)
    assert row["nulls_shuffled_width"] == point.nulls["shuffled"].width.value  # type: ignore[index]
    assert not any(isinstance(value, dict) for value in row.values())


def test_what_a_notebook_shows(service: Service, tmp_path: Path) -> None:
    curve = service.series(MODEL).curve(profile="exact")
    html = curve._repr_html_()
    assert curve.verdict is not None and curve.verdict.sentence[:40] in html
    assert html.count("<tr>") == len(STEPS) + 1
    chart = curve.plot("width")
    shown = chart._repr_mimebundle_()
    assert shown[MIME]["datasets"]["rows"][0]["value"] == curve[0].width.value
    assert chart.save(tmp_path / "width.svg").read_text().startswith("<svg")
    for name in ("spectrum", "pie"):
        with pytest.raises(errors.OptionError):
            curve.plot(name)
    with pytest.raises(errors.OptionError, match="is no figure"):
        curve.array("flags")
    assert "<script" not in table_html([{"a": "<script>"}], title="<b>")


def test_results_show_themselves(store: GraphStore) -> None:
    results = store.results(MODEL, profile="exact")
    options = store.analyses(MODEL)[0].options
    series = SeriesResult(MODEL, "exact", options, {}, results, found=4, measured=4)
    assert series.plot("spectrum").rows[0]["q"] == results[0].spectrum.q[0]
    assert series.plot("nfd").title == f"{MODEL} (profile exact)"
    frame = series.to_frame()
    assert frame["alpha0"].tolist() == [result.alpha0.value for result in results]
    assert "4 of 4 checkpoints" in series._repr_html_()


# what goes wrong


def test_every_kind_of_problem_has_its_error() -> None:
    served_kinds = {kind.name: error for error, kind in TABLE.items() if kind.name in ERRORS}
    assert {name: ERRORS[name] for name in served_kinds} == served_kinds
    assert set(ERRORS) <= set(KINDS)


def test_refusals_are_the_errors_of_the_library(service: Service) -> None:
    series = service.series(MODEL)
    for error, words, ask in (
        (errors.NotStored, "model 'nope' is not in the store", lambda: service.series("nope").curve()),
        (errors.NotStored, "no checkpoint at step 7", lambda: series.spectrum(7)),
        (errors.OptionError, "the nearest is baseline", lambda: series.curve(baselin="reinit")),
        (errors.ServiceError, "no route answers GET /nothing", lambda: service.get("nothing")),
        (errors.OptionError, "two series or more", lambda: service.compare(MODEL)),
    ):
        with pytest.raises(error, match=re.escape(words)):
            ask()


def test_a_key_is_sent_and_its_want_is_told(filled_dir: Path, tmp_path: Path) -> None:
    with served(filled_dir, tmp_path, NEUROMFA_API_KEY=KEY, NEUROMFA_HOST="0.0.0.0") as (_, at):
        with neuromfa.connect(at, key=KEY) as keyed:
            assert len(keyed.models()) == 2
        with neuromfa.connect(at) as bare, pytest.raises(errors.KeyRefused, match="Authorization"):
            bare.models()


def test_nobody_there_and_somebody_else(tmp_path: Path) -> None:
    with pytest.raises(errors.ServiceUnavailable, match="`neuromfa serve` starts one"):
        neuromfa.connect("http://127.0.0.1:9")
    for nonsense in ("127.0.0.1", "ftp://127.0.0.1/", "http://[", ""):
        with pytest.raises(errors.NeuroMFAError):
            neuromfa.connect(nonsense)
    with answering(200, "<html>") as at, pytest.raises(errors.ServiceError):
        neuromfa.connect(at)
    with answering(502, "bad gateway") as at, pytest.raises(errors.ServiceError, match="502"):
        neuromfa.connect(at)
    with answering(200, '{"status": "alive"}') as at, neuromfa.connect(at) as other:
        with pytest.raises(errors.ServiceError, match="both of one version"):
            other.series(MODEL).metrics(0)


@contextmanager
def answering(status: int, text: str) -> Iterator[str]:
    """Run a server that answers everything alike."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Same) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_unchanged_answer_is_not_sent_again(service: Service) -> None:
    series = service.series(MODEL)
    first = series.metrics(512)
    sent: list[int] = []
    service._http._client.event_hooks["response"] = [lambda answer: sent.append(answer.status_code)]
    try:
        assert asdict(series.metrics(512)) == asdict(first)
    finally:
        service._http._client.event_hooks["response"] = []
    assert sent == [304]
