"""Examples that run: a notebook, and what runs it."""
