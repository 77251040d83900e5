"""What the service counts of itself, in the form Prometheus reads."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30)
NO_ROUTE = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})


class Metrics:
    """Counters of one service; routes are counted under their template, so their number is bounded.

    Attributes
    ----------
    n_under_way : requests being answered now, for the service itself
    """

    def __init__(self) -> None:
        self.n_under_way = 0
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(
            "neuromfa_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "neuromfa_request_seconds",
            "Seconds from a request to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "neuromfa_requests_under_way", "Requests being answered.", registry=self.registry
        )
        self._store = Gauge("neuromfa_store_up", "1 while the store answers, else 0.", registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, *, store_up: bool) -> bytes:
        """Return all counters as text."""
        self._store.set(store_up)
        return generate_latest(self.registry)


class Meter:
    """Pure ASGI middleware that tells the metrics of every request, refused ones too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count it; one whose client hung up before an answer counts as 499."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 499

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            self.metrics.n_under_way += 1
            with self.metrics.under_way.track_inprogress():
                await self.app(scope, receive, noting)
        finally:
            self.metrics.n_under_way -= 1
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.answered(method, _route_of(scope), status, time.perf_counter() - begun)


def _route_of(scope: Scope) -> str:
    """Return the template of the route that served the request: never what a client wrote."""
    return getattr(scope.get("route"), "path", NO_ROUTE)
