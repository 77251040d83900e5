"""Tiny models of the families that are recorded, and how each is listened to; they need torch and transformers."""
