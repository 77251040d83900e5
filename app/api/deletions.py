"""Routes that take things out of the store: a model, a checkpoint, a stored graph; with the key wherever one is set."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from neuromfa.app.dependencies import ModelId, Step, Store, administrator
from neuromfa.graph import CheckpointRecord, Manifest, ModelRecord

router = APIRouter(prefix="/v1/models/{model}", tags=["series"], dependencies=[Depends(administrator)])

Seed = Annotated[int, Path(ge=0, lt=2**32, description="Seed of the draw of neurons.")]


@router.delete("")
def delete_model(store: Store, model: ModelId) -> ModelRecord:
    """Delete a model with its checkpoints, results and graphs; what other models share stays. Returns what it was."""
    record = store.model(model)
    store.delete_model(model)
    return record


@router.delete("/checkpoints/{step}")
def delete_checkpoint(store: Store, model: ModelId, step: Step) -> CheckpointRecord:
    """Delete a checkpoint with its results and graphs; what other checkpoints share stays. Returns what it was."""
    record = store.checkpoint(model, step)
    store.delete_checkpoint(model, step)
    return record


@router.delete("/checkpoints/{step}/samples/{seed}")
def delete_sample(store: Store, model: ModelId, step: Step, seed: Seed) -> Manifest:
    """Delete the newest graph of a seed, its numbers stay in the results. Returns what it said of itself."""
    manifest = store.sample(model, step, seed)
    store.delete_sample(model, step, seed, graph_hash=manifest.graph_hash)
    return manifest
