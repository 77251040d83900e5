"""The only code that talks to a graph database."""
