"""The words that several questions share, each declared once: meaning, unit and bounds."""

from typing import Annotated

from pydantic import Field

from neuromfa.options import AnalysisOptions, GraphProfile

USUAL = AnalysisOptions()

LARGEST_DISTANCE = 1e6
LARGEST_GAMMA = 1e9
MOST_LAYERS = 10_000
MOST_LISTED = 1000
STEPS_BELOW = 10**15

ModelName = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Id of the model.", examples=["stdlib-14m"]),
]
StepOrNone = Annotated[
    int | None,
    Field(
        ge=0, lt=STEPS_BELOW, description="Training step; none for a checkpoint without one.", examples=[2000]
    ),
]
Step = Annotated[int, Field(ge=0, lt=STEPS_BELOW, description="Training step.", examples=[2000])]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="Seed of the draw of neurons.", examples=[0])]

NeuronName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Name of a neuron, such as `B03.mlp.00127`.",
        examples=["B00.input.00051"],
    ),
]
Layer = Annotated[
    int,
    Field(
        ge=0,
        lt=MOST_LAYERS,
        description="Running number of a layer, the first is 0; edges leave it.",
        examples=[3],
    ),
]
LayerOrAll = Annotated[
    int | None, Field(ge=0, lt=MOST_LAYERS, description="Running number of a layer; left out: all of them.")
]
Radius = Annotated[
    float,
    Field(
        gt=0, le=LARGEST_DISTANCE, description="Path distance, gamma included; unit 1/|w|.", examples=[20.0]
    ),
]
MaxDistance = Annotated[
    float,
    Field(
        gt=0,
        le=LARGEST_DISTANCE,
        description="T, the range: edges and paths beyond this distance do not count; unit 1/|w|.",
    ),
]
Gamma = Annotated[
    float, Field(ge=0, lt=LARGEST_GAMMA, description="Cost of every hop after the first; unit 1/|w|.")
]
HorizonOrAll = Annotated[
    int | None,
    Field(ge=1, lt=MOST_LAYERS, description="Number of layers that paths may reach; left out: all of them."),
]
RangeProfile = Annotated[
    GraphProfile, Field(description="Which distances are in range: 0 < d <= T, in profile paper 1 < d <= T.")
]
Limit = Annotated[
    int | None,
    Field(ge=1, le=MOST_LISTED, description="Most items shown of a list whose whole size stands beside it."),
]
Top = Annotated[int, Field(ge=1, le=MOST_LISTED, description="Number of edges shown, the first of the list.")]
Weight = Annotated[
    float | None, Field(description="Weight of the edge; null for the wiring inside attention.")
]
Strength = Annotated[float, Field(description="Sum of |w| over the weighted edges in range; unit |w|.")]
EdgeCount = Annotated[int, Field(description="Number of weighted edges in range.")]
Dimension = Annotated[
    float | None,
    Field(
        description="Node fractal dimension, the slope of ln N(r) on ln r over the radii that all neurons share; "
        "null with too few edges in range, or none with a weight."
    ),
]
OwnDimension = Annotated[
    float | None,
    Field(
        description="The same over the radii at which the neuron itself has an edge; null where `nfd` is, and where "
        "that is a single one."
    ),
]
