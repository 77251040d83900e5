"""The worker: reads checkpoints, measures them and writes graphs and spectra into the store."""
