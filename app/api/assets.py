"""Files that pages load: under their hash, to be kept for good; compressed by the middleware."""

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from neuromfa.app.pages.templating import WEB, assets_tag

ASK_AGAIN = {"Cache-Control": "no-cache"}
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


def mount_assets(app: FastAPI) -> None:
    """Serve what the pages load."""
    app.mount("/assets", Hashed(directory=WEB), name="assets")


class Hashed(StaticFiles):
    """Files under the hash of all of them: the address changes when one of them does."""

    def get_path(self, scope: Scope) -> str:
        """Return the path without the hash."""
        _, _, rest = super().get_path(scope).replace("\\", "/").partition("/")
        return rest

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; only the present hash is kept for good, templates are not for browsers."""
        response = await super().get_response("" if path.startswith("templates") else path, scope)
        kept = f"/{assets_tag()}/" in scope["path"] and response.status_code in (200, 304)
        response.headers.update(FOR_GOOD if kept else ASK_AGAIN)
        return response


class Files(StaticFiles):
    """Files that browsers ask for again each time (by ETag), so that an update shows at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Add the header to what Starlette answers."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(ASK_AGAIN)
        return response
