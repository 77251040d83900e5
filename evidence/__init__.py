"""What docs/structure.md claims, computed again: `python -m evidence` (``make evidence``) writes evidence/results/."""
