"""A Neo4j for a person: the Neo4j Browser with the bundled series, a style, saved queries and a guide."""
