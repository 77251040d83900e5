"""Sources of jobs that no system follows are refused with a sentence, never a failure of the service."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a link to itself, two that lead to each other, a file, and a model whose files are such."""
    for name, target in (("loop", "loop"), ("there", "back"), ("back", "there")):
        os.symlink(tmp_path / target, tmp_path / name)
    (tmp_path / "file").write_text("x")
    (tmp_path / "model").mkdir()
    os.symlink("model.safetensors", tmp_path / "model" / "model.safetensors")
    (tmp_path / "folders" / "config.json").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.fixture
def client(store: GraphStore, folder: Path) -> Iterator[TestClient]:
    app = create_app(Settings(sources=str(folder)), store=store)
    with TestClient(app, base_url=LOOPBACK, raise_server_exceptions=False) as ready:
        yield ready


def refused(client: TestClient, **body: object) -> str:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/jobs", content=json.dumps({"steps": "0", **body}), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), (
        answer.text
    )
    detail: str = answer.json()["detail"]
    return detail


@pytest.mark.parametrize("name", ["loop", "loop/below", "there", "back/x", "loop/step_{n}"])
def test_links_in_a_circle(client: TestClient, folder: Path, name: str) -> None:
    assert "cannot be followed: its links lead in a circle" in refused(client, source=f"{folder}/{name}")


def test_a_circle_as_a_baseline(client: TestClient, folder: Path) -> None:
    found = refused(client, source=f"{folder}/model", options={"baseline": f"{folder}/loop@1"})
    assert "cannot be followed" in found


@pytest.mark.parametrize(
    "name",
    ["file", "file/x", "model", "folders", "pipe", "x" * 300, "ü☃", "\ud800", "a\0b", "..", "step_{n}"],
)
def test_other_things_that_are_no_checkpoints(client: TestClient, folder: Path, name: str) -> None:
    assert len(refused(client, source=f"{folder}/{name}")) > 10


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is closed to the superuser")
def test_a_folder_that_may_not_be_looked_into(client: TestClient, folder: Path) -> None:
    (folder / "model").chmod(0)
    assert "cannot be" in refused(client, source=f"{folder}/model")
