"""Looking neurons up by Cypher, and the words for one that is not there."""

from neuromfa.errors import NotStored
from neuromfa.questions.engine.records import Edge, Neuron, NeuronPlace
from neuromfa.questions.engine.subjects import Row, StoredSample


def unknown(sample: StoredSample, name: str) -> NotStored:
    """Return the error for a name that no neuron has."""
    return NotStored(
        f"{sample.name} has no neuron {name[:60]!r}; names look like B03.mlp.00127, and the list of neurons has all"
    )


def neuron_row(sample: StoredSample, name: str) -> Row:
    """Find a neuron by its name, of several copies (shared keys and values) the first; else `NotStored`."""
    rows = sample.own_rows("neuron_by_name", name=name)
    if not rows:
        raise unknown(sample, name)
    return rows[0]


def place_of(sample: StoredSample, name: str) -> NeuronPlace:
    """Return where the neuron of that name stands."""
    row = neuron_row(sample, name)
    return NeuronPlace(name, row["key"] - sample.manifest.first_key, row["layer"])


def names_of_layers(sample: StoredSample, first: int, last: int) -> list[str]:
    """Return the names of all neurons of some layers, by their running numbers."""
    return [row["name"] for row in sample.own_rows("layer_names", first=first, last=last)]


def neuron_of(sample: StoredSample, row: Row) -> Neuron:
    """Return the neuron of a row."""
    values = {name: row[name] for name in Neuron.__annotations__ if name != "row"}
    return Neuron(row=sample.manifest.layout[row["layer"]].row, **values)


def edge_of(row: Row) -> Edge:
    """Return the edge of a row."""
    return Edge(row["source"], row["target"], row["distance"], row["weight"])
