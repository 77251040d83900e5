"""The guide of the Neo4j Browser: its words from ``cypher/explore/guide.html``, its queries from the saved ones."""

import ast
import html
import re

from neuromfa.app.neo4j_browser.queries import Value, explore_file, saved_queries

_PLACE = re.compile(r"\{\{(\w+)((?: \w+=\S+)*)\}\}")


def guide_html() -> str:
    """Return the guide with every ``{{query}}`` or ``{{query parameter=value}}`` replaced by the text to run."""
    return _PLACE.sub(_runnable, explore_file("guide.html"))


def guide_queries() -> list[str]:
    """Return the queries of the guide as they run, in order."""
    return [_filled(place) for place in _PLACE.finditer(explore_file("guide.html"))]


def _runnable(place: re.Match[str]) -> str:
    return f'<pre class="code runnable">{html.escape(_filled(place))}</pre>'


def _filled(place: re.Match[str]) -> str:
    pairs = (pair.split("=", 1) for pair in place[2].split())
    values: dict[str, Value] = {name: ast.literal_eval(value) for name, value in pairs}
    return saved_queries()[place[1]].filled(**values)
