"""A service whose store is killed says so, and is well again once the store is, without being started anew."""

import os
import signal
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.model_id import in_route
from tests.integration.conftest import PASSWORD, SERVERS, Server, new_server
from tests.integration.test_held_answers import written

MODEL = "tests/comes-back"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_killed_store_is_a_503_until_it_is_back(kind: str, tmp_path: Path) -> None:
    with new_server(kind, tmp_path) as server:
        where = (
            {"data_dir": server.where["data_dir"]}
            if server.neo4j is None
            else {"neo4j_uri": server.where["uri"], "neo4j_password": PASSWORD}
        )
        settings = Settings(_env_file=None, connect_timeout=1, **where)
        with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as client:
            paths = [f"/v1/models/{in_route(MODEL)}/emergence", "/v1/models"]
            with server.open(prepare=False) as store:
                store.write_model(MODEL, source="made by a test")
                written(store, MODEL, 0, 8)
                before = [client.get(path).json() for path in paths]
                _kill(server, store._embedded.open().pid if store._embedded else 0)
            for path in paths:
                answer = client.get(path)
                if server.neo4j is None and answer.status_code == 200:
                    continue  # the embedded one was started again for this very request
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                assert answer.json()["type"] == "/problems/store-unavailable"
            assert client.get("/healthz").status_code == 200
            if server.neo4j is not None:
                server.neo4j.start()
            assert [_well(client, path) for path in paths] == before


def _kill(server: Server, pid: int) -> None:
    if server.neo4j is not None:
        server.neo4j.kill()
    else:
        os.kill(pid, signal.SIGKILL)


def _well(client: TestClient, path: str) -> object:
    until = time.monotonic() + 100
    while (answer := client.get(path)).status_code == 503 and time.monotonic() < until:
        time.sleep(0.2)
    assert answer.status_code == 200, answer.text
    return answer.json()
