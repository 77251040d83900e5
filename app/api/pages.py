"""What a browser is given: the page, its parts, the chart files and the API reference, all from here."""

from importlib import resources
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

WEB = Path(str(resources.files("neuromfa.app").joinpath("web")))
CHARTS = Path(str(resources.files("neuromfa").joinpath("charts")))
ASK_AGAIN = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/")
def page() -> FileResponse:
    """Send the page of spectra and emergence."""
    return FileResponse(WEB / "index.html", headers=ASK_AGAIN)


@router.get("/docs")
def reference() -> FileResponse:
    """Send the API reference."""
    return FileResponse(WEB / "docs.html", headers=ASK_AGAIN)


def mount_files(app: FastAPI) -> None:
    """Serve the folders the two pages load from."""
    app.mount("/static", Files(directory=WEB), name="static")
    app.mount("/charts", Files(directory=CHARTS), name="charts")


class Files(StaticFiles):
    """Files that browsers ask for again each time (by ETag), so that an update shows at once."""

    def file_response(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Add the header to what Starlette answers."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(ASK_AGAIN)
        return response
