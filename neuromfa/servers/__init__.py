"""Servers this project can start by itself: the embedded store and a Neo4j assembled from Maven Central."""
