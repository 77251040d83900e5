"""The style sheet of the Neo4j Browser, ``cypher/explore/style.grass``, in the form the Browser keeps it in."""

import re

from neuromfa.app.neo4j_browser.queries import explore_file

_RULE = re.compile(r"([\w.*]+)\s*\{((?:\"[^\"]*\"|[^}\"])*)\}")
_PROPERTY = re.compile(r"([\w-]+):\s*(\"[^\"]*\"|[^;]+);")


def style_rules() -> dict[str, dict[str, str]]:
    """Return the properties of every selector, such as ``node.Mlp``."""
    return {
        selector: {name: value.strip('"') for name, value in _PROPERTY.findall(body)}
        for selector, body in _RULE.findall(explore_file("style.grass"))
    }
