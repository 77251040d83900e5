"""What `/v1/jobs` takes and answers."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from neuromfa.graph.job_queue import Job, Status
from neuromfa.options import LIMITS, AnalysisOptions, Grid, Hops, Profile, default_q

LARGEST_SEED = 2**32 - LIMITS["samples"] - 1
STEPS = r"^(all|paper|[0-9]{1,15}( ?, ?[0-9]{1,15})*)$"
BASELINE = r"^(first|reinit|none|[0-9]{1,15})$"
ARCHITECTURE = r"^[a-z][a-z0-9_]*$"


class JobOptions(BaseModel):
    """How to measure; the names and defaults of `neuromfa analyze`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    profile: Profile = "exact"
    nodes: int | None = Field(
        64, ge=1, le=LIMITS["nodes"], description="Neurons per layer; null measures every neuron."
    )
    samples: int = Field(10, ge=1, le=LIMITS["samples"], description="Number of seeds.")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="The first seed.")
    max_distance: float = Field(150.0, gt=0, le=1e6, description="T, the range of edges.")
    scale: float = Field(1.0, gt=0, lt=1e9, alias="lambda", description="Numerator of the distance.")
    gamma: float = Field(5.0, ge=0, lt=1e9, description="Cost of every further hop.")
    hops: Hops = "1"
    grid: Grid = "union"
    min_edges: int = Field(10, ge=0, le=10**6, description="A neuron is kept with more edges than this.")
    q: list[float] = Field(
        list(default_q()),
        min_length=3,
        max_length=LIMITS["q"],
        description="Moments, ascending, 0 among them.",
    )
    rms_scaled: bool = Field(False, description="Divide out the growth of the weights first.")
    nulls: bool = Field(True, description="Measure the null models too.")
    baseline: str = Field("first", pattern=BASELINE, description="What E is measured against.")

    @property
    def options(self) -> AnalysisOptions:
        """The same as the library has it; `OptionError` where two of them do not fit."""
        return AnalysisOptions.from_json(self.model_dump(by_alias=True))


class JobRequest(BaseModel):
    """An ingest: what to read, how to measure it, how many samples' graphs to keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        min_length=1,
        max_length=1000,
        description="Id of a repository of the hub; or a folder or an address that NEUROMFA_SOURCES lets in.",
        examples=["EleutherAI/pythia-70m-deduped"],
    )
    steps: str = Field(
        "all", max_length=5000, pattern=STEPS, description="all, paper, or steps such as 0,512."
    )
    revision: str | None = Field(None, max_length=200, description="One revision of a hub repository.")
    model_id: str | None = Field(
        None, min_length=1, max_length=200, description="Name to keep the series under; has no -- in it."
    )
    architecture: str | None = Field(
        None, max_length=60, pattern=ARCHITECTURE, description="Name of a bundled architecture to read it as."
    )
    options: JobOptions = JobOptions.model_validate({})
    graph_samples: int | None = Field(
        1, ge=0, le=LIMITS["samples"], description="Graphs written per checkpoint; null writes all."
    )


@dataclass(frozen=True)
class JobState:
    """One job: what was asked for, and how far it is, in checkpoints.

    `message` is what is under way, or the sentence of a failure; `cancelling` tells that its worker will stop
    after the checkpoint under way; times are UTC, by the clock of the store.
    """

    id: str
    status: Status
    done: int
    total: int
    message: str
    attempts: int
    cancelling: bool
    created: datetime
    updated: datetime
    request: dict[str, Any]

    @classmethod
    def of(cls, job: Job) -> "JobState":
        """Take what is public from the queue's record."""
        same = ("id", "status", "done", "total", "message", "attempts", "cancelling")
        created, updated = (datetime.fromtimestamp(at / 1000, UTC) for at in (job.created, job.updated))
        named = {name: getattr(job, name) for name in same}
        return cls(**named, created=created, updated=updated, request=_request(job.request))

    @property
    def is_open(self) -> bool:
        """True while it waits or runs."""
        return self.status in ("queued", "running")


def _request(text: str) -> dict[str, Any]:
    """Return a request as JSON has it; one that another version wrote may be anything."""
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}
