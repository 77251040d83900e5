"""Sampled graphs of stored checkpoints: written once, listed by their manifests, read back, deleted."""

from collections.abc import Callable, Sequence

from neuromfa.errors import NotStored
from neuromfa.graph import chance_io, sample_io, sample_leases
from neuromfa.graph.catalog import Catalog, checkpoint_id, step_name
from neuromfa.graph.connection import Transaction
from neuromfa.graph.manifest import Manifest, manifest_from
from neuromfa.identity import GRAPH_VERSION, options_hash
from neuromfa.network import EdgeColumns, NeuronTests, SampleGraph
from neuromfa.options import AnalysisOptions


class StoredSamples(Catalog):
    """Graphs of a store."""

    def write_sample(
        self,
        model: str,
        step: int | None,
        graph: SampleGraph,
        *,
        options: AnalysisOptions | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> bool:
        """Write the graph of one sample.

        Readers see nothing of it before all of it is there and its counts and sums were compared. Killed at
        any moment, the next call completes it.

        Parameters
        ----------
        options : of the analysis that gave the graph's measures
        progress : called with (edges written, edges in all) after each transaction

        Returns
        -------
        written : False when the store already had the same graph
        """
        return sample_io.write_sample(
            self._connection,
            self.existing(model, step),
            graph,
            options_hash=None if options is None else options_hash(options),
            progress=progress,
        )

    def write_tests(
        self,
        model: str,
        step: int | None,
        graph_hash: str,
        tests: NeuronTests,
        *,
        options: AnalysisOptions,
    ) -> None:
        """Write how the neurons of a stored graph stand against chance, in place of what was written before.

        Parameters
        ----------
        options : of the analysis that tested them
        """
        for manifest in self._manifests(model, step):
            if manifest.graph_hash == graph_hash:
                chance_io.write_tests(self._connection, manifest, tests, options_hash=options_hash(options))
                return
        raise NotStored(f"model {model!r} has no graph {graph_hash[:12]} at step {step_name(step)}")

    def make_newest_samples(self, model: str, step: int | None, graph_hashes: Sequence[str]) -> None:
        """Make graphs that a checkpoint has the newest of their seeds: weights put back are the present ones."""
        newest = {one.seed: one.graph_hash for one in self._manifests(model, step)}
        for graph_hash in set(graph_hashes) - set(newest.values()):
            sample_io.link(self._connection, checkpoint_id(model, step), graph_hash)

    def samples(self, model: str, step: int | None) -> list[Manifest]:
        """Return the manifests of a checkpoint's stored graphs, by seed."""
        self.existing(model, step)
        return self._manifests(model, step)

    def sample(self, model: str, step: int | None, seed: int, *, graph_hash: str | None = None) -> Manifest:
        """Return the manifest of one stored graph: the newest of that seed, or the one with that hash."""
        found = [manifest for manifest in self.samples(model, step) if manifest.seed == seed]
        wanted = [manifest for manifest in found if graph_hash in (None, manifest.graph_hash)]
        if not wanted:
            seeds = ", ".join(str(manifest.seed) for manifest in self._manifests(model, step)) or "none"
            raise NotStored(
                f"model {model!r} has no graph of seed {seed} at step {step_name(step)}; stored seeds: {seeds}"
            )
        return wanted[-1]

    def read_sample(
        self,
        model: str,
        step: int | None,
        seed: int,
        *,
        graph_hash: str | None = None,
        timeout_s: float | None = None,
    ) -> SampleGraph:
        """Read one stored graph as columns and prove it by its checksum.

        Every number comes back bit by bit; edges are ordered by source, then target. The limit holds for each
        of its queries, one or a few a layer.
        """
        manifest = self.sample(model, step, seed, graph_hash=graph_hash)
        return sample_io.read_sample(self._connection, manifest, timeout_s=timeout_s)

    def read_edges(self, manifest: Manifest, layer: int, *, timeout_s: float | None = None) -> EdgeColumns:
        """Read the edges that leave one layer of a stored graph, ordered by source, then target."""
        return sample_io.read_edges(self._connection, manifest, layer, timeout_s=timeout_s)

    def delete_sample(
        self, model: str, step: int | None, seed: int, *, graph_hash: str | None = None
    ) -> None:
        """Delete one stored graph; it goes out of sight at once and in small pieces after that."""
        self._unlink(self.sample(model, step, seed, graph_hash=graph_hash))

    def drop_superseded_samples(self, model: str) -> int:
        """Delete graphs of older versions where the same draw stands beside them in this version; return how many."""
        dropped = 0
        for record in list(self.each_checkpoint(model)):
            manifests = self._manifests(model, record.step)
            drawn = {one.draw for one in manifests if one.graph_version == GRAPH_VERSION}
            for old in manifests:
                if old.graph_version < GRAPH_VERSION and old.draw in drawn:
                    self._unlink(old)
                    dropped += 1
        return dropped

    def delete_model(self, model: str) -> None:
        """Delete a model with its checkpoints, spectra and graphs; what other models share stays."""
        for record in list(self.each_checkpoint(model)):
            self.delete_checkpoint(model, record.step)
        self.write(lambda transaction: transaction.rows("write/delete_model", id=model))

    def delete_checkpoint(self, model: str, step: int | None) -> None:
        """Delete a checkpoint with its spectra and graphs; what other checkpoints share stays."""
        for manifest in self._manifests(model, step):
            self._unlink(manifest)
        checkpoint = checkpoint_id(model, step)
        self.write(
            lambda transaction: transaction.rows("write/delete_checkpoint", id=checkpoint), changes=model
        )

    def _unlink(self, manifest: Manifest) -> None:
        checkpoint = checkpoint_id(manifest.model, manifest.step)
        sample_leases.unlink(self._connection, checkpoint, manifest.graph_hash)

    def _manifests(self, model: str, step: int | None) -> list[Manifest]:
        checkpoint = checkpoint_id(model, step)

        def work(transaction: Transaction) -> list[Manifest]:
            record = transaction.one("read/checkpoint", id=checkpoint)
            rows = transaction.rows("read/samples", checkpoint=checkpoint)
            revision = record["revision"] if record else ""
            return [
                manifest_from(row["properties"], model=model, step=step, revision=revision) for row in rows
            ]

        return self.read(work)
