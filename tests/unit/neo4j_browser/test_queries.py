"""Headers, example values, style and guide of the saved queries, without any server."""

import re

import pytest

from neuromfa.app.neo4j_browser.guide import guide_html, guide_queries
from neuromfa.app.neo4j_browser.queries import SavedQuery, explore_file, literal, parse, saved_queries
from neuromfa.app.neo4j_browser.style import style_rules
from neuromfa.graph.cypher_files import KINDS

QUERIES = pytest.mark.parametrize("query", saved_queries().values(), ids=saved_queries())


@QUERIES
def test_header_says_what_it_is_for_and_gives_a_value_for_every_parameter(query: SavedQuery) -> None:
    assert query.purpose.endswith(".") and query.look_for.endswith(".")
    assert set(query.examples) == set(re.findall(r"\$(\w+)", query.text))
    assert not query.text.startswith("//")


@QUERIES
def test_limits_what_it_draws(query: SavedQuery) -> None:
    last = query.text.splitlines()[-1]
    assert re.fullmatch(r"LIMIT (\d+|\$count)", last), last


@QUERIES
def test_no_query_counts_the_rows_of_a_block(query: SavedQuery) -> None:
    assert not re.search(r"\$block\s*[-+*/]|[-+*/]\s*\$block", query.text)


@QUERIES
def test_lines_are_short(query: SavedQuery) -> None:
    assert max(map(len, explore_file(f"{query.name}.cypher").splitlines())) <= 120


@QUERIES
def test_filled_query_has_no_parameters_left(query: SavedQuery) -> None:
    assert "$" not in query.filled()
    assert query.favourite.startswith(f"// {query.title}\n")


def test_no_query_of_strongest_edges_takes_wiring() -> None:
    for name in ("strongest_edges", "neighbourhood", "layer_pair_change", "distances", "weakest_kept"):
        assert "weight IS NOT NULL" in saved_queries()[name].text


def test_values_are_written_as_cypher() -> None:
    assert literal("it's a \\ path") == r"'it\'s a \\ path'"
    assert (literal(2000), literal(150.0), literal(-1)) == ("2000", "150.0", "-1")


def test_a_header_may_run_over_several_lines() -> None:
    found = parse(
        "two_lines",
        "// Purpose: first,\n//   second.\n// Parameters: $a = 'x', $b = -1.5\n// Look for: it.\nRETURN $a, $b",
    )
    assert found.purpose == "first, second."
    assert found.examples == {"a": "x", "b": -1.5}
    assert found.filled(a="it's") == r"RETURN 'it\'s', -1.5"
    with pytest.raises(ValueError, match="no parameter c"):
        found.filled(c=1)


def test_guide_has_every_query_it_names_and_nothing_written_twice() -> None:
    page = guide_html()
    assert "{{" not in page
    assert page.count('<pre class="code runnable">') == len(guide_queries())
    assert "MATCH" not in explore_file("guide.html")
    assert "weight IS NOT NULL AND r.distance &lt;= 150.0" in page


def test_guide_uses_values_of_its_own_where_it_names_them() -> None:
    template, texts = explore_file("guide.html"), guide_queries()
    assert "{{distances step=0}}" in template
    assert sum("{step: 0}" in text for text in texts) == 1


def test_style_has_a_colour_of_its_own_for_every_kind() -> None:
    rules = style_rules()
    colours = [rules[f"node.{kind.capitalize()}"]["color"] for kind in KINDS if kind != "qkv"]
    assert len(set(colours)) == len(colours)
    for kind in KINDS:
        assert rules[f"node.{kind.capitalize()}"]["caption"] == "{name}"
    assert rules["node.Checkpoint"]["caption"] == "step {step}"
