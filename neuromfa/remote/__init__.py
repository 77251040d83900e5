"""A running service from the library: `connect` gives its reading side, as records, frames, arrays and charts."""

from neuromfa.remote.service import RemoteSeries, Service, connect

__all__ = ["RemoteSeries", "Service", "connect"]
