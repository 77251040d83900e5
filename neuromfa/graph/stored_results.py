"""Results and benchmark scores of stored checkpoints, and which of several analyses is served."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from neuromfa import series_check
from neuromfa.errors import NotStored
from neuromfa.graph import result_io
from neuromfa.graph.access import LARGEST_PAGE, Page, each, page_size
from neuromfa.graph.catalog import Catalog, checkpoint_id, next_rank, rank_after, step_name
from neuromfa.graph.connection import Transaction
from neuromfa.graph.result_io import StoredPoint
from neuromfa.identity import options_hash
from neuromfa.method_version import METHOD_VERSION
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, Reading, from_json, to_json
from neuromfa.scores import Score
from neuromfa.stored import Analysis, AnalysisRecord

WHOLE_AT_ONCE = 100  # whole results, of up to half a megabyte each, that one query gives


@dataclass(frozen=True)
class Served:
    """The analysis that is served, and all there are, the one that is served by default first."""

    analysis: Analysis
    analyses: Sequence[Analysis]


def chosen_of(
    model: str,
    analyses: Sequence[Analysis],
    *,
    profile: str | None = None,
    hops: str | None = None,
    baseline: str | None = None,
    options: str | None = None,
) -> Served:
    """Return the first of a model's analyses that fits what is asked for, see `StoredResults.choose`."""
    asked = {"profile": profile, "hops": hops, "baseline": baseline}
    one = first_fitting(analyses, **asked, options=options)
    if one is not None:
        return Served(one, analyses)
    words = [f"{name}={value}" for name, value in (asked | {"options": options}).items() if value]
    raise NotStored(
        f"model {model!r} has no results for {', '.join(words) or 'any options'}; there are: "
        f"{'; '.join(one.words for one in analyses) or 'none yet'}"
    )


class StoredResults(Catalog):
    """Results and scores of a store."""

    def write_result(
        self, model: str, result: CheckpointResult, options: AnalysisOptions, *, again: bool = False
    ) -> bool:
        """Write the result of one checkpoint and make it that checkpoint's newest.

        Parameters
        ----------
        again : put it in the place of the one of its name, if there is one

        Returns
        -------
        written : False when this checkpoint already had it
        """
        checkpoint = self.existing(model, result.step)
        return self.write(result_io.writing(checkpoint, result, options, again=again), changes=model)

    def make_newest(self, model: str, step: int | None, analysis_hash: str) -> bool:
        """Make a result that a checkpoint has the newest of its options: weights put back are the present ones.

        Returns
        -------
        changed : False when it was that already
        """
        checkpoint = checkpoint_id(model, step)

        def work(transaction: Transaction) -> bool:
            links = transaction.rows("read/spectrum_links", checkpoint=checkpoint)
            own = next(link["options_hash"] for link in links if link["id"] == analysis_hash)
            alike = [link["id"] for link in links if link["options_hash"] == own]
            if alike[-1] == analysis_hash:
                return False
            serial = transaction.rows("write/next_number", counter="spectrum")[0]["number"]
            transaction.rows("write/link_spectrum", checkpoint=checkpoint, id=analysis_hash, serial=serial)
            return True

        return self.write(work, changes=model)

    def compare_steps(self, model: str, options: AnalysisOptions, *, baseline: Reading | None = None) -> int:
        """Note on every result of an analysis what only the other steps tell of it; return how many notes changed.

        Parameters
        ----------
        baseline : reading of the step E is measured against, for where that is none of the stored ones
        """
        chosen = options_hash(options)
        rows = self.rows("read/readings", model=model, options_hash=chosen)
        newest = {row["step"]: row for row in rows}
        readings = {step: from_json(Reading, row["reading"]) for step, row in newest.items()}
        found = series_check.findings(
            series_check.with_baseline(readings, options, baseline),
            baseline=series_check.baseline_step(options),
        )
        changed = []
        for step, row in newest.items():
            notes = to_json(found[step]) if step in found else ""
            if notes != row["notes"]:
                changed.append({"checkpoint": row["checkpoint"], "id": row["id"], "notes": notes})
        if changed:
            self.write(partial(_note, changed=changed), changes=model)
        return len(changed)

    def has_result(self, model: str, step: int | None, analysis_hash: str) -> bool:
        """Tell whether a checkpoint has this analysis."""
        return analysis_hash in self.analysis_hashes(model, step)

    def analysis_hashes(self, model: str, step: int | None) -> list[str]:
        """Return the analyses a checkpoint has, in the order they were written."""
        links = self.rows("read/spectrum_links", checkpoint=checkpoint_id(model, step))
        return [link["id"] for link in links]

    def analyses(self, model: str) -> list[Analysis]:
        """Return the sets of options a model was measured with; the first is served when nobody chooses.

        That is the one with most steps, of those the one written last.
        """
        rows = self.rows("read/analyses", model=model)
        return [analysis_of(row) for row in rows]

    def choose(
        self,
        model: str,
        *,
        profile: str | None = None,
        hops: str | None = None,
        baseline: str | None = None,
        options: str | None = None,
    ) -> Served:
        """Return the analysis of a model that is served where so much is asked for; a curve never mixes two.

        Parameters
        ----------
        profile, hops, baseline : of its options; None for any
        options : beginning of an `options_hash`

        Raises
        ------
        NotStored : no such model, or none of its analyses fits; the message says which there are
        """
        analyses = self.analyses(model)
        if not analyses:
            self.model(model)
        return chosen_of(model, analyses, profile=profile, hops=hops, baseline=baseline, options=options)

    def result(self, model: str, step: int | None, **choice: str | None) -> CheckpointResult:
        """Return the newest result of a checkpoint in the analysis that `choose` gives.

        The record equals the one written, field by field.
        """
        checkpoint, chosen = self.existing(model, step), self.choose(model, **choice).analysis
        row = self.row("read/result", checkpoint=checkpoint, options_hash=chosen.options_hash)
        if row is None:
            raise self._not_measured(model, step, chosen)
        return _whole(row, row["document"])

    def curve(
        self, model: str, *, options_hash: str, limit: int = LARGEST_PAGE, cursor: str | None = None
    ) -> Page[StoredPoint]:
        """Return a page of the numbers over steps of one analysis; the whole records are not touched."""
        rows, following = self._page(model, options_hash, limit, cursor)
        texts = self.summaries([row["id"] for row in rows])
        points = [
            StoredPoint(row["step"], row["revision"], row["id"], text, row["notes"], row["serial"])
            for row, text in zip(rows, texts, strict=True)
        ]
        return Page(points, following)

    def results_page(
        self, model: str, *, options_hash: str, limit: int = LARGEST_PAGE, cursor: str | None = None
    ) -> Page[CheckpointResult]:
        """Return a page of the newest whole results of one analysis, by step."""
        rows, following = self._page(model, options_hash, limit, cursor)
        texts = self.documents([row["id"] for row in rows])
        whole = [_whole(row, text) for row, text in zip(rows, texts, strict=True)]
        return Page(whole, following)

    def results(self, model: str, **choice: str | None) -> list[CheckpointResult]:
        """Return the newest results of all steps in the analysis that `choose` gives; [] for a model without any."""
        if not self.analyses(model):
            self.model(model)
            return []
        chosen = self.choose(model, **choice).analysis.options_hash
        return list(each(partial(self.results_page, model, options_hash=chosen, limit=WHOLE_AT_ONCE)))

    def points(self, model: str, *, options_hash: str) -> list[StoredPoint]:
        """Return the numbers of all steps of one analysis."""
        return list(each(partial(self.curve, model, options_hash=options_hash)))

    def documents(self, analysis_hashes: Sequence[str]) -> list[str]:
        """Return whole records as JSON, in the order of their names; `NotStored` where one is gone."""
        return self._texts("read/documents", "document", analysis_hashes)

    def documents_there(self, analysis_hashes: Sequence[str]) -> dict[str, str]:
        """Return those whole records that are there, as JSON by their names."""
        return self._texts_there("read/documents", "document", analysis_hashes)

    def summaries(self, analysis_hashes: Sequence[str]) -> list[str]:
        """Return what curves show of records as JSON, in the order of their names; `NotStored` where one is gone."""
        return self._texts("read/summaries", "summary", analysis_hashes)

    def drop_superseded(self, model: str) -> int:
        """Delete results of older versions of the method where newer ones cover all of their steps.

        Returns
        -------
        dropped : number of results
        """
        analyses = self.analyses(model)
        current = [one for one in analyses if one.method_version == METHOD_VERSION]
        older = [one for one in analyses if one.method_version < METHOD_VERSION]
        return sum(
            self._drop(model, old.options_hash)
            for old in older
            if any(self._covers(model, new, old) for new in current if new.options == old.options)
        )

    def write_scores(self, model: str, scores: Iterable[Score]) -> list[Score]:
        """Write what checkpoints scored on benchmarks, over what they had; return those of steps not stored."""
        checkpoints = {
            record.step: checkpoint_id(model, record.step) for record in self.each_checkpoint(model)
        }
        placed: dict[str, list[Score]] = {}
        unplaced = []
        for score in scores:
            if score.step in checkpoints:
                placed.setdefault(checkpoints[score.step], []).append(score)
            else:
                unplaced.append(score)
        for checkpoint, own in placed.items():
            self.write(partial(_write_scores, checkpoint=checkpoint, scores=own), changes=model)
        return unplaced

    def scores(self, model: str) -> list[Score]:
        """Return what a model's checkpoints scored on benchmarks, by step, task and metric."""
        self.model(model)
        rows = self.rows("read/scores", model=model)
        return [Score(row["step"], row["task"], row["metric"], row["value"], row["stderr"]) for row in rows]

    def _page(
        self, model: str, options_hash: str, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return names alone: a query that sorts whole records takes the memory of all of them."""
        size, after = page_size(limit), rank_after(cursor)
        rows = self.rows("read/curve", model=model, options_hash=options_hash, after=after, limit=size + 1)
        return rows[:size], next_rank(rows, size)

    def _texts(self, name: str, column: str, analysis_hashes: Sequence[str]) -> list[str]:
        found = self._texts_there(name, column, analysis_hashes)
        gone = next((one for one in analysis_hashes if one not in found), None)
        if gone is not None:
            raise NotStored(f"the store has no result {gone}; it was deleted, or never there")
        return [found[one] for one in analysis_hashes]

    def _texts_there(self, name: str, column: str, analysis_hashes: Sequence[str]) -> dict[str, str]:
        rows = self.rows(name, ids=list(analysis_hashes))
        return {row["id"]: row[column] for row in rows}

    def _not_measured(self, model: str, step: int | None, chosen: AnalysisRecord) -> NotStored:
        links = self.rows("read/spectrum_links", checkpoint=checkpoint_id(model, step))
        others = sorted({link["options_hash"][:8] for link in links})
        hint = f"; that step has options={', options='.join(others)}" if others else ""
        return NotStored(f"model {model!r} has no result at step {step_name(step)} for {chosen.words}{hint}")

    def _covers(self, model: str, new: AnalysisRecord, old: AnalysisRecord) -> bool:
        ranks = {one: set(self._ranks(model, one.options_hash)) for one in (new, old)}
        return ranks[new] >= ranks[old]

    def _ranks(self, model: str, options_hash: str) -> list[int]:
        rows = self.rows("read/analysis_ranks", model=model, options_hash=options_hash)
        return [row["rank"] for row in rows]

    def _drop(self, model: str, options_hash: str) -> int:
        def work(transaction: Transaction) -> int:
            found = transaction.rows("write/unlink_analysis", model=model, options_hash=options_hash)
            for row in found:
                transaction.rows("write/delete_spectrum", id=row["id"])
            return len(found)

        return self.write(work, changes=model)


def _whole(row: dict[str, Any], document: str) -> CheckpointResult:
    return result_io.result_from(document, step=row["step"], revision=row["revision"], notes=row["notes"])


def first_fitting(
    analyses: Iterable[Analysis], *, options: str | None = None, **asked: str | None
) -> Analysis | None:
    """Return the first analysis that fits, see `fitting`; None without one."""
    return next(fitting(analyses, options=options, **asked), None)


def fitting(
    analyses: Iterable[Analysis], *, options: str | None = None, **asked: str | None
) -> Iterator[Analysis]:
    """Yield the analyses with what is asked for, None for any, and a hash that begins with `options`."""
    for one in analyses:
        fits = all(value in (None, getattr(one, name)) for name, value in asked.items())
        if fits and one.options_hash.startswith(options or ""):
            yield one


def analysis_of(row: dict[str, Any]) -> Analysis:
    """Return the record of a row of an analysis."""
    options = result_io.options_from(row["options"])
    return Analysis(
        row["options_hash"],
        row["method_version"],
        options.profile,
        options.hops,
        options.baseline,
        row["checkpoints"],
        options,
    )


def _note(transaction: Transaction, *, changed: list[dict[str, str]]) -> None:
    for note in changed:
        transaction.rows("write/note_spectrum", **note)


def _write_scores(transaction: Transaction, *, checkpoint: str, scores: list[Score]) -> None:
    for score in scores:
        transaction.rows(
            "write/score",
            checkpoint=checkpoint,
            task=score.task,
            metric=score.metric,
            value=score.value,
            stderr=score.stderr,
        )
