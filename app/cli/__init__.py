"""The command line: one file per command, which only turns words into calls and answers into text."""
