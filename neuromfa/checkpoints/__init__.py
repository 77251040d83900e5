"""Checkpoints: where they are, how they are read, and which neurons are drawn; a series becomes SNINs."""
