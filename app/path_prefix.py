"""A service below a path of another server: the path is known to routes, links and the contract."""

from starlette.types import ASGIApp, Receive, Scope, Send


class PathPrefix:
    """Pure ASGI middleware that makes requests alike, whether the proxy took the prefix away or left it there.

    Parameters
    ----------
    prefix : such as ``/neuromfa``
    """

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the prefix as its root path, which is part of its path as ASGI has it."""
        if scope["type"] == "http":
            inside = f"{scope['path']}/".startswith(f"{self.prefix}/")
            path = scope["path"] if inside else self.prefix + scope["path"]
            scope = {**scope, "root_path": self.prefix, "path": path}
        await self.app(scope, receive, send)


def prefix_of(scope: Scope) -> str:
    """Return what stands before every address of the service, also of a request that went to a mounted folder."""
    prefix: str = scope.get("app_root_path", scope.get("root_path", ""))
    return prefix
