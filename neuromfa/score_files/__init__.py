"""Benchmark scores as they lie about: tables, and result files of lm-evaluation-harness, alone or in folders."""

from neuromfa.score_files.files import collect_scores, published_scores, read_scores
from neuromfa.score_files.found import GivenScores

__all__ = ["GivenScores", "collect_scores", "published_scores", "read_scores"]
