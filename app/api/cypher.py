"""The route of free Cypher: reading queries of the user's own, switched off until the operator says otherwise."""

from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.dependencies import Configured, Store, settings_of, writer
from neuromfa.app.errors import SWITCHED_OFF, Refused
from neuromfa.app.settings import PREFIX, Settings
from neuromfa.graph.user_cypher import Bounds, Table
from neuromfa.graph.user_cypher.check_text import MOST_CHARACTERS
from neuromfa.graph.user_cypher.run import MOST_ROWS

MOST_AT_ONCE = 2


class CypherRequest(BaseModel):
    """A query that reads, its parameters, and the most rows wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="One statement that only reads; no procedures, LOAD CSV or administration.",
        examples=["MATCH (m:Model) RETURN m.id AS model LIMIT 10"],
    )
    parameters: dict[str, Any] = Field({}, max_length=100, description="Values of `$name` in the query.")
    limit: int | None = Field(None, ge=1, le=MOST_ROWS, description="Most rows wanted.")


async def switched_on(settings: Annotated[Settings, Depends(settings_of)]) -> None:
    """Refuse every request while the operator has not switched this on."""
    if not settings.free_cypher:
        raise Refused(
            SWITCHED_OFF,
            f"free Cypher is switched off; {PREFIX}FREE_CYPHER=true switches it on, and docs/free-cypher.md says "
            "what that needs (the queries of `neuromfa query` need no switch)",
        )


router = APIRouter(tags=["cypher"], dependencies=[Depends(switched_on), Depends(writer)])


@router.post("/v1/cypher")
def run_cypher(body: CypherRequest, store: Store, settings: Configured, request: Request) -> Table:
    """Run a Cypher query of your own that only reads; off unless NEUROMFA_FREE_CYPHER is true."""
    seats: Seats = request.app.state.free_queries
    bounds = Bounds(
        rows=min(body.limit or MOST_ROWS, settings.free_cypher_rows),
        bytes=settings.free_cypher_bytes,
        seconds=settings.free_cypher_timeout,
    )
    with seats.one():
        return store.ask(
            body.query,
            body.parameters,
            bounds=bounds,
            given_up=lambda: from_thread.run(request.is_disconnected),
        )
