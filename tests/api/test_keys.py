"""Keys with names and scopes: who may do what, a file that changes, and the name in the log."""

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from neuromfa.app.keys import KeyRing, read_keys
from neuromfa.app.main import create_app
from neuromfa.app.server import run
from neuromfa.app.settings import Settings, refuse_public_without_key
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK

KEYS = {"reading": "read", "writing": "write", "ruling": "admin", "all": "read,write,admin"}
OWN = "the-key-of-the-settings"
JOB = f"/v1/jobs/{'0' * 32}"


def line(name: str, scopes: str) -> str:
    return f"{name}:{scopes}:{hashlib.sha256(f'key of {name}'.encode()).hexdigest()}\n"


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key of {name}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("# who may\n\n" + "".join(line(*one) for one in KEYS.items()))
    return path


@pytest.fixture
def client(store: GraphStore, file: Path) -> Iterator[TestClient]:
    public = Settings(host="0.0.0.0", keys_file=file, api_key=OWN)  # type: ignore[arg-type]
    with TestClient(create_app(public, store=store), base_url=LOOPBACK) as ready:
        yield ready


@pytest.mark.parametrize(
    ("name", "read", "write", "admin"),
    [
        ("reading", 200, 403, 403),
        ("writing", 200, 404, 403),
        ("ruling", 200, 404, 404),
        ("all", 200, 404, 404),
        ("nobody", 401, 401, 401),
    ],
)
def test_a_scope_opens_what_it_names(
    client: TestClient, name: str, read: int, write: int, admin: int
) -> None:
    headers = bearer(name)
    assert client.get("/v1/models", headers=headers).status_code == read
    assert client.delete(JOB, headers=headers).status_code == write
    assert client.delete("/v1/models/nope", headers=headers).status_code == admin


def test_the_key_of_the_settings_may_do_everything(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {OWN}"}
    assert client.get("/v1/models", headers=headers).status_code == 200
    assert client.delete("/v1/models/nope", headers=headers).status_code == 404


def test_a_refusal_says_what_the_key_may(client: TestClient) -> None:
    problem = client.delete("/v1/models/nope", headers=bearer("writing")).json()
    assert problem["type"] == "/problems/key-not-enough"
    assert problem["detail"] == "the key writing has the scopes write, not admin"


def test_a_changed_file_counts_at_once_and_a_broken_one_opens_nothing(
    client: TestClient, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def status(name: str) -> int:
        return client.get("/v1/models", headers=bearer(name)).status_code

    assert (status("reading"), status("late")) == (200, 401)
    file.write_text(line("late", "read"))
    assert (status("reading"), status("late")) == (401, 200)
    file.write_text(line("late", "read") + "reading:read:short\n")
    assert (status("late"), status("late")) == (401, 401)
    assert sum("line 2 of" in record.getMessage() for record in caplog.records) == 1
    file.unlink()
    assert status("late") == 401
    file.write_text(line("late", "read"))
    assert status("late") == 200


def test_the_log_names_the_key_and_never_shows_it(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="neuromfa.app"):
        client.get("/v1/models", headers=bearer("reading"))
        client.get("/v1/models", headers=bearer("nobody"))
        client.get("/v1/models/a%0Akey%20ruling:", headers=bearer("writing"))
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("key ")]
    assert lines == ["key reading: GET /v1/models", "key writing: GET /v1/models/a%0Akey%20ruling%3A"]


@pytest.mark.parametrize(
    "text", ["lab", "lab:read", "lab:all:" + "0" * 64, "a b:read:" + "0" * 64, "lab:read:" + "g" * 64]
)
def test_a_line_that_is_no_key_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# one\n{text}\n")
    with pytest.raises(OptionError, match="line 2 of .* is no key; a line is name:scopes:sha256"):
        KeyRing(Settings(keys_file=path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    os.symlink(loop, loop)
    for path in (tmp_path / "none", tmp_path, loop):
        with pytest.raises(OptionError, match="NEUROMFA_KEYS_FILE: cannot read"):
            read_keys(path)


def test_keys_of_a_file_are_keys_enough_to_listen_elsewhere(file: Path) -> None:
    refuse_public_without_key(Settings(host="0.0.0.0", keys_file=file))
    with pytest.raises(OptionError, match="NEUROMFA_KEYS_FILE"):
        run(Settings(host="0.0.0.0"))


def test_the_cookie_of_a_page_may_do_what_its_key_may(client: TestClient, file: Path) -> None:
    def cookie(name: str) -> str:
        given = client.post("/key", data={"key": f"key of {name}", "then": "/"}, follow_redirects=False)
        assert given.status_code == 303
        return client.cookies["neuromfa"]

    small = cookie("reading")
    assert (client.get("/").status_code, client.get("/v1/models").status_code) == (200, 200)
    assert (client.post(f"{JOB}/retry").status_code, client.delete("/v1/models/x").status_code) == (403, 403)
    large = cookie("ruling")
    assert (client.post(f"{JOB}/retry").status_code, client.delete("/v1/models/x").status_code) == (404, 404)
    client.cookies.clear()
    client.cookies.set("neuromfa", small.replace("reading", "ruling"))
    assert client.get("/v1/models").status_code == 401
    client.cookies.clear()
    client.cookies.set("neuromfa", large)
    assert client.get("/v1/models").status_code == 200
    file.write_text(line("reading", "read"))
    assert client.get("/v1/models").status_code == 401
