"""Flags for what a checkpoint's own weights say against its numbers."""

NON_FINITE_WEIGHTS = "non_finite_weights"
ZERO_WEIGHTS = "zero_weights"
