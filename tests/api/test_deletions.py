"""DELETE takes models, checkpoints and graphs out of the store: with the key, and from no page of another site."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from tests.api.conftest import LOOPBACK
from tests.conftest import SERIES

KEY = "a-key-of-sixteen-letters"
BEARER = {"Authorization": f"Bearer {KEY}"}
MODEL = "/v1/models/org--gone"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A store with one model of two steps, two graphs each."""
    options = AnalysisOptions(samples=2, nodes=8, nulls=False)
    with open_store(data_dir=tmp_path_factory.mktemp("deleting")) as store:
        ingest(
            IngestRequest(
                source=str(SERIES), steps="0,2000", model_id="org/gone", options=options, graph_samples=2
            ),
            store,
        )
        yield store


@pytest.fixture
def keyed(own: GraphStore) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(api_key=KEY), store=own), base_url=LOOPBACK) as client:
        yield client


def test_without_the_key_nothing_goes(keyed: TestClient, own: GraphStore) -> None:
    before = own.counts()
    for path in (MODEL, f"{MODEL}/checkpoints/0", f"{MODEL}/checkpoints/0/samples/0"):
        assert keyed.delete(path).status_code == 401
        assert keyed.delete(path, headers=BEARER | {"Origin": "http://evil.example"}).status_code == 403
        assert keyed.delete(path + "?force=1", headers=BEARER).status_code == 422
    assert own.counts() == before


def test_what_is_deleted_is_told_and_gone(keyed: TestClient, own: GraphStore) -> None:
    manifest = keyed.get(f"{MODEL}/checkpoints/0/samples/1").json()
    assert keyed.delete(f"{MODEL}/checkpoints/0/samples/1", headers=BEARER).json() == manifest
    assert keyed.get(f"{MODEL}/checkpoints/0/samples/1").status_code == 404
    assert keyed.get(f"{MODEL}/checkpoints/0/samples/0").status_code == 200

    gone = keyed.delete(f"{MODEL}/checkpoints/0", headers=BEARER).json()
    assert (gone["step"], gone["samples"], gone["spectra"]) == (0, 1, 1)
    assert [item["step"] for item in keyed.get(f"{MODEL}/checkpoints").json()["items"]] == [2000]

    assert keyed.delete(MODEL, headers=BEARER).json()["checkpoints"] == 1
    for path in (MODEL, f"{MODEL}/checkpoints/2000", f"{MODEL}/checkpoints/2000/samples/0"):
        assert keyed.delete(path, headers=BEARER).status_code == 404
    assert {own.counts()[name] for name in ("models", "checkpoints", "samples", "spectra")} == {0}
