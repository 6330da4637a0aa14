"""Which payload scores count: those of CPUs and those of GPUs apart, for a run of one kind says nothing of the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from capacity.fleet.model import SlotView
from capacity.hs06.model import PayloadScore


class Scores(NamedTuple):
    """Scores of one kind, and of which profile they are."""

    scores: tuple[PayloadScore, ...]
    profile_id: str | None
    seen_at: datetime | None


def of_cpus(slot: SlotView) -> Scores:
    """What a slot has of its CPUs."""
    scores = tuple(score for score in slot.evidence.scores if score.backend == "cpu")
    return Scores(scores, slot.scores_profile_id, slot.scores_seen_at)


def of_gpus(slot: SlotView) -> Scores:
    """What a slot has of its GPUs."""
    scores = tuple(score for score in slot.evidence.scores if score.backend != "cpu")
    return Scores(scores, slot.gpu_scores_profile_id, slot.gpu_scores_seen_at)


def newer_of(one: SlotView, other: SlotView, kept_for: timedelta) -> SlotView:
    """The newer look at a slot, with the latest scores of each kind of either, if they are not older than that."""
    older, newer = sorted((one, other), key=lambda slot: (slot.seen_at, slot.profile_id))
    horizon = newer.seen_at - kept_for
    cpus = _later(of_cpus(older), of_cpus(newer), horizon)
    gpus = _later(of_gpus(older), of_gpus(newer), horizon)
    return newer.model_copy(
        update={
            "evidence": newer.evidence.model_copy(update={"scores": (*cpus.scores, *gpus.scores)}),
            "scores_profile_id": cpus.profile_id,
            "scores_seen_at": cpus.seen_at,
            "gpu_scores_profile_id": gpus.profile_id,
            "gpu_scores_seen_at": gpus.seen_at,
        }
    )


def _later(older: Scores, newer: Scores, horizon: datetime) -> Scores:
    if older.seen_at is None or older.seen_at < horizon or _rank(newer) >= _rank(older):
        return newer
    return older


def _rank(scores: Scores) -> tuple[float, str]:
    """When they were made; the id of the profile decides between two of one moment."""
    if scores.seen_at is None:
        return float("-inf"), ""
    return scores.seen_at.timestamp(), scores.profile_id or ""


def merged(slots: Sequence[SlotView]) -> tuple[tuple[PayloadScore, ...], tuple[str, ...]]:
    """Scores of a machine, and the profiles that they are of.

    Scores of different slots are not added: each was made under a load of its own. Of CPUs the look that loaded most of the
    machine counts, of GPUs of one name the latest that measured any of them.

    Args:
        slots: of one machine, at least one.
    """
    cpus = max((of_cpus(slot) for slot in slots), key=lambda one: (_loaded(one.scores), _rank(one)))
    chosen = [cpus]
    names: set[str | None] = set()
    for gpus in sorted((of_gpus(slot) for slot in slots), key=_rank, reverse=True):
        fresh = tuple(score for score in gpus.scores if score.device not in names)
        names.update(score.device for score in fresh)
        if fresh:
            chosen.append(gpus._replace(scores=fresh))
    profiles = tuple(one.profile_id for one in chosen if one.profile_id is not None)
    return tuple(score for one in chosen for score in one.scores), profiles


def _loaded(scores: Sequence[PayloadScore]) -> int:
    return max((score.copies for score in scores), default=0)
