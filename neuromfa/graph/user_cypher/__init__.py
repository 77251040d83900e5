"""Cypher that comes from outside: reading only, with bounds on rows, bytes, memory and time."""

from neuromfa.graph.user_cypher.run import Bounds, FreeQuery, Table

__all__ = ["Bounds", "FreeQuery", "Table"]
