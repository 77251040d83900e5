"""What the texts of queries may not do."""

import re
from pathlib import Path

READ = Path(__file__).parents[2] / "cypher" / "read"


def test_no_query_collects_whole_results() -> None:
    """A result has up to half a megabyte: a thousand of them, collected, are more than a small server can hold."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in READ.glob("*.cypher")}
    held = {name: re.findall(r"\((\w+):Spectrum\b", text) for name, text in texts.items()}
    assert sum(map(bool, held.values())) > 5
    for name, nodes in held.items():
        assert not [node for node in nodes if f"collect({node})" in texts[name]], name
