"""`neuromfa query`: lists what can be asked, asks it, and says in one sentence what is wrong with a word."""

import dataclasses
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from neuromfa.app.cli.main import main
from neuromfa.graph import GraphStore
from neuromfa.graph.cypher_files import names
from neuromfa.questions import QUESTIONS, Ball, Explorer, ask
from neuromfa.questions.engine.request import example_of
from neuromfa.results import to_json

WHERE = ("model=stdlib-14m", "step=2000")


class Terminal:
    """The command as a person meets it."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("NEUROMFA_DATA_DIR", str(folder))

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["neuromfa", "query", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err


@pytest.fixture
def terminal(
    filled_dir: Path, store: GraphStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(filled_dir, monkeypatch, capsys)


def test_without_a_name_it_lists_every_name(terminal: Terminal) -> None:
    code, out, _ = terminal("--json")
    assert code == 0
    listed = {line["name"]: line for line in json.loads(out)}
    raw = {name.removeprefix("read/") for name in names("read")}
    assert set(listed) == set(QUESTIONS) | raw
    assert not set(QUESTIONS) & raw
    assert listed["path"]["words"][:4] == ["model", "step", "seed=0", "source"]
    assert listed["samples"]["words"] == ["checkpoint"]
    assert all(line["purpose"].endswith(".") for line in listed.values())


def test_the_list_is_a_table_for_people(terminal: Terminal) -> None:
    _, out, _ = terminal()
    assert "trajectory" in out
    assert "sample_edges" in out


def test_a_question_answers_in_json(terminal: Terminal, store: GraphStore) -> None:
    code, out, err = terminal("ball", *WHERE, "source=B00.input.00051", "radius=20.5", "--json")
    assert (code, err) == (0, "")
    expected = ask(Explorer(store).sample("stdlib-14m", 2000), Ball(source="B00.input.00051", radius=20.5))
    assert json.loads(out) == json.loads(to_json(expected))


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("path", (*WHERE, "source=B00.input.00051", "target=B01.mlp.00430"), "B00.value.00079"),
        ("boxes", (*WHERE, "radius=20", "first_layer=2", "last_layer=3", "engine=cypher"), "n_boxes"),
        ("radii", (*WHERE, "layer=0", "profile=paper"), "radii"),
        ("masses", (*WHERE, "layer=0"), "masses"),
        ("strongest", (*WHERE, "layer=none", "top=3"), "B02.key.00066"),
        ("neurons", (*WHERE, "order=dimension", "limit=3"), "nfd"),
        ("neuron", (*WHERE, "name=B06.output.00107", "engine=numpy"), "strength_in"),
        ("drawing", (*WHERE, "top=2"), "edges"),
        ("change", ("model=stdlib-14m", "before=0", "after=2000", "layer=5"), "edges_both"),
        ("trajectory", ("model=stdlib-14m", "neuron=B06.output.00107"), "2000"),
        ("provenance", (*WHERE, "number=width"), "mean over samples of the width"),
        ("provenance", ("model=stdlib-14m", "step=512"), "architecture_hash"),
        ("samples", ("checkpoint=stdlib-14m@2000",), "architecture_hash"),
        ("counts", (), "neurons"),
        ("neurons_of_keys", ("keys=[]",), "no rows"),
    ],
)
def test_questions_and_queries_can_be_asked(
    terminal: Terminal, name: str, words: tuple[str, ...], told: str
) -> None:
    code, out, err = terminal(name, *words)
    assert (code, err) == (0, "")
    assert told in out


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_can_be_asked(terminal: Terminal, name: str) -> None:
    words = (f"{word}={value}" for word, value in example_of(QUESTIONS[name]).items())
    code, out, err = terminal(name, *words, "--json")
    assert (code, err) == (0, "")
    answer = QUESTIONS[name].answer_type()
    assert list(json.loads(out)) == [field.name for field in dataclasses.fields(answer)]


def test_the_commands_of_the_page_work(terminal: Terminal) -> None:
    text = (Path(__file__).parents[2] / "docs/queries.md").read_text(encoding="utf-8")
    commands = re.findall(r"^neuromfa query(.*?)(?:#.*)?$", text, re.M)
    assert len(commands) == 3
    for words in commands:
        code, out, err = terminal(*shlex.split(words))
        assert (code, err) == (0, ""), words
        assert "no path" not in out


def test_a_checkpoint_without_a_step_is_a_hyphen(terminal: Terminal) -> None:
    code, out, _ = terminal("strongest", "model=org/alone", "step=-", "--json")
    assert code == 0
    assert len(json.loads(out)["edges"]) == 20


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nothing",), 2, "nothing called 'nothing' to ask"),
        (("path", "model"), 2, "words are key=value, not 'model'"),
        (
            ("path", "model=stdlib-14m", "step=2000"),
            2,
            "missing source, target, unknown none; an example is model=",
        ),
        (("ball", *WHERE, "source=x", "size=3"), 2, "unknown size"),
        (
            ("ball", *WHERE, "source=x", "radius=wide"),
            2,
            "radius is above 0 and at most 1e+06, not 'wide'",
        ),
        (("ball", *WHERE, "source=x", "engine=sql"), 2, "engine is auto, cypher or numpy, not 'sql'"),
        (("ball", *WHERE, "source=x", "radius=none"), 2, "not 'none'"),
        (("ball", *WHERE, "source=x"), 1, "has no neuron 'x'"),
        (("ball", "model=stdlib-14m", "step=7", "source=x"), 1, "there are: 0, 128, 512, 2000"),
        (("samples",), 2, "takes the parameters checkpoint"),
        (("models", "after=", "limit=1000", "more=1"), 2, "unknown ['more']"),
    ],
)
def test_one_sentence_says_what_is_wrong(
    terminal: Terminal, words: tuple[str, ...], code: int, told: str
) -> None:
    ended, out, err = terminal(*words)
    assert (ended, out) == (code, "")
    assert told in err
    assert err.startswith("neuromfa: ")
    assert err.count("\n") == 1
