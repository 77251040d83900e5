"""The page of jobs: what waits, runs and has ended. Starting, cancelling and retrying are the routes of /v1/jobs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from neuromfa.app.dependencies import Configured, Store
from neuromfa.app.pages.answering import page
from neuromfa.app.pages.overview import model_of
from neuromfa.app.pages.problem_pages import PageRoute
from neuromfa.graph.job_queue import LARGEST_PAGE, JobQueue, Status
from neuromfa.options import AnalysisOptions

STATUSES: tuple[Status, ...] = ("queued", "running", "done", "failed", "cancelled")

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/jobs")
def jobs_page(
    request: Request,
    store: Store,
    settings: Configured,
    status: Annotated[Status | None, Query()] = None,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")] = None,
) -> Response:
    """Show the jobs, the newest first."""
    found = JobQueue(store).jobs(status=status, limit=min(LARGEST_PAGE, settings.page_limit), cursor=cursor)
    context = {
        "here": "jobs",
        "jobs": found.items,
        "next": found.next,
        "status": status,
        "statuses": STATUSES,
        "model_of": model_of,
        "sources": settings.allowed_sources,
        "usual": AnalysisOptions(),
        "stored": {model.id for model in store.models(limit=LARGEST_PAGE).items},
    }
    return page(request, "jobs.html", context)
