"""One file per command of the command line; they only translate words into calls and answers into text."""
