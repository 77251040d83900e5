"""Every query text of the project, one per file; `neuromfa.graph` reads them through `importlib.resources`."""
