"""The service and the command line: the only room that speaks HTTP."""
