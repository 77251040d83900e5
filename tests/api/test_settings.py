"""Settings: where they come from, what they refuse, and that each stands in the documentation."""

from pathlib import Path

import pytest

from neuromfa.app.memory import answering
from neuromfa.app.memory.curve_memory import POINTS_BYTES
from neuromfa.app.memory.record_memory import RECORDS_BYTES
from neuromfa.app.memory.series_memory import INDEX_BYTES
from neuromfa.app.pages.overview import LINES_BYTES
from neuromfa.app.settings import PREFIX, Settings, is_loopback, load_settings, refuse_public_without_key
from neuromfa.errors import OptionError

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def test_every_setting_stands_in_the_documentation_with_its_words() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        row = next(
            (line for line in text.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")), None
        )
        assert row is not None, f"docs/settings.md has no row for {PREFIX}{name.upper()}"
        assert field.description and field.description in row, f"{name}: the words differ from settings.py"


def test_the_documentation_names_no_setting_that_is_gone() -> None:
    rows = [
        line.split("`")[1] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert {row.removeprefix(PREFIX).lower() for row in rows} == set(Settings.model_fields)


def test_without_a_word_it_is_local_and_embedded(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.neo4j_uri, settings.api_key) == (
        "127.0.0.1",
        8000,
        None,
        None,
    )
    assert settings.data_dir == tmp_path / "share" / "neuromfa"
    assert settings.binds_loopback


def test_environment_beats_file_and_options_beat_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("NEUROMFA_PORT=1111\nNEUROMFA_HOST=localhost\nUNRELATED=1\n")
    assert load_settings().port == 1111
    monkeypatch.setenv("NEUROMFA_PORT", "2222")
    assert load_settings().port == 2222
    assert load_settings(port=3333, host=None).port == 3333
    assert load_settings().host == "localhost"


def test_secrets_come_from_their_files_and_are_not_shown(tmp_path: Path) -> None:
    password, key = tmp_path / "password", tmp_path / "key"
    password.write_text("from-file\n")
    key.write_text("a-key-of-some-length\n")
    settings = load_settings(
        neo4j_password="plain-secret",
        neo4j_password_file=password,
        api_key_file=key,
        api_key="another-key-of-length",
    )
    assert settings.password == "from-file"
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "a-key-of-some-length"
    for secret in ("plain-secret", "from-file", "a-key-of-some-length"):
        assert secret not in repr(settings)


def test_a_missing_secret_names_its_file(tmp_path: Path) -> None:
    settings = load_settings(neo4j_password_file=tmp_path / "away")
    with pytest.raises(OptionError, match="cannot read the secret in .*away"):
        _ = settings.password


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "many"),
        ("neo4j_uri", "http://localhost:7474"),
        ("query_timeout", "0"),
        ("connect_timeout", "-1"),
        ("page_limit", "0"),
        ("log_level", "loud"),
        ("api_key", "short"),
    ],
)
def test_a_bad_value_names_the_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(OptionError, match=f"^{PREFIX}{name.upper()}: "):
        load_settings()


def test_a_secret_never_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROMFA_API_KEY", "tiny-secret")
    with pytest.raises(OptionError) as caught:
        load_settings()
    assert "tiny-secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "example.org", "127.1", ""]
)
def test_other_names(host: str) -> None:
    assert not is_loopback(host)


def test_a_public_address_needs_a_key() -> None:
    with pytest.raises(OptionError, match="refusing to listen on 0.0.0.0"):
        refuse_public_without_key(load_settings(host="0.0.0.0"))
    refuse_public_without_key(load_settings(host="0.0.0.0", api_key="a-key-of-some-length"))
    refuse_public_without_key(load_settings())


def test_the_memory_that_is_told_is_the_sum_of_its_bounds() -> None:
    answers = answering.KNOWN_BYTES, answering.CURVES_BYTES
    bounds = *answers, POINTS_BYTES, INDEX_BYTES, RECORDS_BYTES, LINES_BYTES
    told = Settings.model_fields["answers_mb"].description
    assert told is not None
    assert f"at most {sum(bounds) // 2**20} more" in told
