"""How long things may take at a server."""

from dataclasses import dataclass

SHORTEST_LIMIT_S = 0.05


@dataclass(frozen=True)
class Limits:
    """How long things may take.

    Attributes
    ----------
    query_s : a read, unless the caller asks for less or more
    longest_query_s : what a caller may ask for at most; 0 never means unlimited
    write_s : one transaction of a write
    connect_s : opening a connection
    retry_s : how long the driver tries again when the server is away
    lease_s : how long a writer that fell silent keeps its sample
    """

    query_s: float = 30.0
    longest_query_s: float = 120.0
    write_s: float = 120.0
    connect_s: float = 5.0
    retry_s: float = 5.0
    lease_s: float = 20.0

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds."""
        return int(self.lease_s * 1000)

    @property
    def server_s(self) -> float:
        """What a server with one limit for everything has to allow."""
        return max(self.longest_query_s, self.write_s)

    def clamp(self, seconds: float | None) -> float:
        """Return a limit the server can keep; None is the usual one, 0 and below the shortest one."""
        wanted = self.query_s if seconds is None else seconds
        return min(max(wanted, SHORTEST_LIMIT_S), self.longest_query_s)
