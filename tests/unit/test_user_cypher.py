"""Texts of users before they reach a server: what passes, what is refused with which word, and what values become."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neo4j.spatial import CartesianPoint
from neo4j.time import Date, DateTime, Duration

from neuromfa.errors import OptionError, QueryRefused
from neuromfa.graph.cypher_files import names, query
from neuromfa.graph.user_cypher import Bounds
from neuromfa.graph.user_cypher.check_text import DEEPEST, MOST_CHARACTERS, WRITING_WORDS, check_text
from neuromfa.graph.user_cypher.to_json import Plain, check_parameters

READS = [
    "RETURN 1",
    "return 1;",
    "MATCH (n:Neuron {sample: $s}) RETURN n.name AS name ORDER BY n.nfd DESC LIMIT 10",
    "MATCH (n) WHERE n.name = 'CREATE (x)' OR n.name = \"a ' DELETE\" RETURN n",
    "MATCH (n) RETURN n.`set`, n.`load csv`",
    "// CREATE in a comment\nMATCH (n) /* and SET ; here */ RETURN count(n)",
    "MATCH (n) CALL { WITH n MATCH (n)-->(m) RETURN count(m) AS c } RETURN c",
    "MATCH (n) CALL (n) { MATCH (n)-->(m) RETURN count(m) AS c } RETURN c",
    "CALL { RETURN 1 AS x } RETURN x",
    "UNWIND [1, 2] AS x RETURN x UNION ALL RETURN 3 AS x",
    "OPTIONAL MATCH p = shortestPath((a)-[:FEEDS*1..4]->(b)) RETURN p",
    "WITH date.truncate('day', datetime()) AS d RETURN d, point.distance($a, $b), duration.between(d, d)",
    "MATCH (n) WHERE EXISTS { (n)-[:FEEDS]->() } AND COUNT { (n)-->() } > 3 RETURN reduce(s = 0, x IN [1] | s + x)",
    "RETURN 'größe  💥', 1.5e3, -2 ^ 3 % 4, [x IN [1] WHERE x > 0 | x / 2]",
    "MATCH (created) RETURN created.offset, created.settings, created.loaded, created.shown",
]

REFUSED = {
    "": "empty",
    " \n\t // nothing\n": "empty",
    ";": "empty",
    "CREATE (n)": "begins with one of",
    "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l": "begins with one of",
    "SHOW USERS": "begins with one of",
    "TERMINATE TRANSACTIONS 'x'": "begins with one of",
    "USE neo4j RETURN 1": "begins with one of",
    "EXPLAIN RETURN 1": "begins with one of",
    "PROFILE MATCH (n) RETURN n": "begins with one of",
    "CYPHER runtime=slotted RETURN 1": "begins with one of",
    "'MATCH' RETURN 1": "begins with one of",
    "`MATCH` (n) RETURN n": "begins with one of",
    "MATCH (n) SET n.x = 1": "SET is refused",
    "MATCH (n) sEt n.x = 1": "SET is refused",
    "MATCH (n)SET n.x=1": "SET is refused",
    "MATCH (n) RETURN 1SET": "SET is refused",
    "MATCH (n) DETACH DELETE n": "DETACH is refused",
    "MATCH (n) /**/DELETE/**/ n": "DELETE is refused",
    "MATCH (n) REMOVE n.x": "REMOVE is refused",
    "MATCH (n) FOREACH (x IN [1] | CREATE (:A))": "FOREACH is refused",
    "MATCH (n) RETURN n.set": "goes into backticks",
    "MATCH (n) // x\rDELETE n": "DELETE is refused",
    "MATCH (n) /* /* */ DELETE n /* */": "DELETE is refused",
    "MATCH (n) WHERE n.a = '/*' DELETE n //*/": "DELETE is refused",
    "MATCH (n) WHERE n.a = '//' DELETE n": "DELETE is refused",
    "MATCH (n) WHERE n.a = `'` DELETE n //'": "DELETE is refused",
    "MATCH (n) LOAD CSV FROM 'file:///x' AS l RETURN l": "LOAD is refused",
    "CALL { LOAD CSV FROM 'file:///x' AS l RETURN l } RETURN l": "LOAD is refused",
    "CALL { USE system RETURN 1 AS x } RETURN x": "USE is refused",
    "UNWIND [1] AS i CALL (i) { RETURN i AS j } IN TRANSACTIONS RETURN j": "TRANSACTIONS is refused",
    "CALL db.labels()": "procedures are refused",
    "CALL db.labels() YIELD label RETURN label": "procedures are refused",
    "CALL dbms.components": "procedures are refused",
    "CALL `db.labels`()": "procedures are refused",
    "CALL /* ( */ db.labels()": "procedures are refused",
    "MATCH (n) CALL": "procedures are refused",
    "RETURN apoc.text.join(['a'], 'b')": "functions of libraries",
    "RETURN apoc . text . join(['a'], 'b')": "functions of libraries",
    "RETURN date.x.y()": "functions of libraries",
    "RETURN apoc.date.f()": "are refused .apoc.date.f.",
    "RETURN apoc./**/date . currentTimestamp()": "functions of libraries",
    "RETURN `apoc`.point.x(1)": "functions of libraries",
    "MATCH (n) RETURN n.date.truncate('day', 1)": "functions of libraries",
    "RETURN `apoc`.text()": "functions of libraries",
    "RETURN `apoc.text.join`(['a'], 'b')": "in backticks",
    "RETURN apoc.`x`(1)": "in backticks",
    "RETURN 1; RETURN 2": "more than one statement",
    "RETURN 1; CREATE (n)": "more than one statement",
    "RETURN 1;;": "more than one statement",
    "CR\\u0045ATE (n)": "backslash",
    "MATCH (n) WHERE n.a = '\\u0027 DELETE n //' RETURN n": "backslash",
    "RETURN 'it\\'s'": "backslash",
    "RETURN 'a": "does not end",
    'RETURN "a': "does not end",
    "RETURN `a": "does not end",
    "RETURN 1 /* a": "does not end",
    "MATCH (n) // \u2028' \n DELETE n //'": "invisible character U\\+2028",
    "MATCH (n) \u202eRETURN n": "invisible character U\\+202E",
    "RETURN 1\x00": "invisible character U\\+0000",
    "RETURN 'a\x0b'": "invisible character U\\+000B",
    "MATCH (n) \uff33\uff25\uff34 n.x = 1": "outside of quotes",
    "MATCH (n) \u017fET n.x = 1": "outside of quotes",
    "MATCH\u00a0(n) RETURN n": "outside of quotes",
    "RETURN " + "(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1): "nested",
    "RETURN " + "1" * MOST_CHARACTERS: "at most 10000",
}


@pytest.mark.parametrize("text", READS)
def test_reads_pass(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_what_is_refused_says_why(text: str, words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        check_text(text)


@pytest.mark.parametrize("folder", ["read", "write", "schema"])
def test_our_own_queries_pass_where_they_read(folder: str) -> None:
    for name in names(folder):
        if folder == "read":
            check_text(query(name).text)
        else:
            with pytest.raises(QueryRefused):
                check_text(query(name).text)


@given(st.sampled_from(sorted(WRITING_WORDS)), st.text(max_size=40), st.text(max_size=40))
def test_a_writing_word_passes_only_inside_quotes_and_comments(word: str, before: str, after: str) -> None:
    text = f"MATCH (n) {before} {word} {after}"
    try:
        check_text(text)
    except QueryRefused:
        return
    assert any(sign in before for sign in ("'", '"', "`", "//", "/*"))


@given(st.text(max_size=200))
def test_any_text_passes_or_is_refused(text: str) -> None:
    try:
        check_text(text)
    except QueryRefused as refusal:
        assert str(refusal)


def test_numbers_that_json_cannot_hold_become_null_and_are_counted() -> None:
    plain = Plain()
    assert plain.of([math.nan, {"a": math.inf}, -math.inf, 1.5, 2**60, True, None]) == [
        None,
        {"a": None},
        None,
        1.5,
        2**60,
        True,
        None,
    ]
    assert plain.not_finite == 3


def test_times_points_and_bytes_have_a_text() -> None:
    plain = Plain()
    assert plain.of(Date(2024, 2, 29)) == "2024-02-29"
    assert plain.of(DateTime(2024, 2, 29, 1, 2, 3)) == "2024-02-29T01:02:03.000000000"
    assert plain.of(Duration(months=1, seconds=3)) == "P1MT3S"
    assert plain.of(CartesianPoint((1.0, 2.0))) == {"kind": "point", "srid": 7203, "coordinates": [1.0, 2.0]}
    assert plain.of(b"\x00\xff") == "AP8="


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": 2**63}, r"parameters\.a is an integer beyond 64 bits"),
        ({"a": [[-(2**64)]]}, "beyond 64 bits"),
        ({"a": "\ud800"}, "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({"a": eval("[" * 30 + "]" * 30)}, "nested"),
    ],
)
def test_parameters_a_server_cannot_take_are_named(value: dict[str, object], words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        check_parameters(value)
    check_parameters({"a": [1, 2.5, None, True, {"b": "é💥"}]})


def test_bounds_are_bounds() -> None:
    for wrong in (
        {"rows": 0},
        {"rows": 10_001},
        {"seconds": 0},
        {"seconds": 601.0},
        {"bytes": 0},
        {"memory": 0},
    ):
        with pytest.raises(OptionError):
            Bounds(**wrong)  # type: ignore[arg-type]
