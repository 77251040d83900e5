"""Answers that exist only in REST; all others are the records of `neuromfa.results`."""
