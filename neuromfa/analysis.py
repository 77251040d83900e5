"""From a series of checkpoints to spectra and metrics, without a database.

The unit of work is one checkpoint with all its seeds: independent of the others once the baseline is measured,
so any `concurrent.futures.Executor` can carry it.
"""
