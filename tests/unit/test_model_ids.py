"""Ids of models and the names of files made of them: one rule, told with an id that keeps it."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromfa.app.file_responses import disposition
from neuromfa.errors import OptionError
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import LARGEST_BYTES, check_model_id, from_route, in_route, repaired


@pytest.mark.parametrize(
    "text",
    ["a", "org/model", "EleutherAI/pythia-70m-deduped", "ein Modell (3)", "модель/шаг", "a-b/c-d", "x" * 200],
)
def test_ids_that_keep_the_rule(text):
    assert check_model_id(text) == text
    assert from_route(in_route(text)) == text


@pytest.mark.parametrize(
    ("text", "fault", "offered"),
    [
        ("", "printable text and not empty", "model"),
        ("a--b", "has no --", "a-b"),
        ("a---b", "has no --", "a-b"),
        ("a-/b", "no - beside a /", "a/b"),
        ("a/-b", "no - beside a /", "a/b"),
        ("a/../b", "no part . or ..", "a/_/b"),
        ("./a", "no part . or ..", "_/a"),
        ("a\nb", "printable", "a_b"),
        ("a\u202eb", "printable", "a_b"),
        ("\ud800", "printable", "_"),
        ("é" * 101, "at most 200 bytes", "é" * 100),
    ],
)
def test_ids_that_do_not_are_offered_one_that_does(text, fault, offered):
    assert repaired(text) == offered
    with pytest.raises(OptionError, match=fault.replace(".", r"\.")) as told:
        check_model_id(text)
    assert repr(offered) in str(told.value)


@given(st.text(max_size=300))
def test_a_repaired_id_keeps_the_rule_and_survives_a_route(text):
    kept = check_model_id(repaired(text))
    assert len(kept.encode()) <= LARGEST_BYTES
    assert from_route(in_route(kept)) == kept


@pytest.mark.parametrize("text", ["a--b", "a/-b", "..", "a\tb"])
def test_a_request_is_held_to_it(text):
    with pytest.raises(OptionError, match="a model id"):
        IngestRequest(source="x", model_id=text)


@pytest.mark.parametrize("name", ["a--b.csv", "Modell ü.csv", 'x"y\\z.csv', "模型.csv", "a;b='c'.csv"])
def test_files_are_named_after_rfc_6266(name):
    header = disposition(name)
    kind, plain, whole = header.split("; filename")
    assert kind == "attachment"
    assert plain[0] == "="
    assert plain[1:].isascii()
    assert plain.count('"') == 2
    assert whole.startswith("*=UTF-8''")
    assert unquote(whole.removeprefix("*=UTF-8''")) == name
