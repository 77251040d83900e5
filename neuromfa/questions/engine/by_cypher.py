"""Looking neurons up by Cypher, and the words for one that is not there."""

from neuromfa.errors import NotStored
from neuromfa.questions.engine.records import Edge, Neuron, Place
from neuromfa.questions.engine.run import Asked, Row
from neuromfa.questions.engine.stored_sample import StoredSample


def unknown(sample: StoredSample, name: str) -> NotStored:
    """Return the error for a name that no neuron has."""
    return NotStored(
        f"{sample.name} has no neuron {name[:60]!r}; names look like B03.mlp.00127, and the list of neurons has all"
    )


def neuron_row(asked: Asked, name: str) -> Row:
    """Find a neuron by its name, of several copies (shared keys and values) the first; else `NotStored`."""
    rows = asked.of_sample("neuron_by_name", name=name)
    if not rows:
        raise unknown(asked.sample, name)
    return rows[0]


def place_of(asked: Asked, name: str) -> Place:
    """Return where the neuron of that name stands."""
    row = neuron_row(asked, name)
    return Place(name, row["key"] - asked.manifest.first_key, row["layer"])


def names_of_layers(asked: Asked, first: int, last: int) -> list[str]:
    """Return the names of all neurons of some layers, by their running numbers."""
    return [row["name"] for row in asked.of_sample("layer_names", first=first, last=last)]


def neuron_of(asked: Asked, row: Row) -> Neuron:
    """Return the neuron of a row."""
    values = {name: row[name] for name in Neuron.__annotations__ if name != "row"}
    return Neuron(row=asked.manifest.layout[row["layer"]].row, **values)


def edge_of(row: Row) -> Edge:
    """Return the edge of a row."""
    return Edge(row["source"], row["target"], row["distance"], row["weight"])
