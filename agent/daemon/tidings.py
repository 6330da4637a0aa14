"""Decides what is told to whom after a turn, and looks after the errands that tell it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from agent.config import Config
from agent.daemon import news
from agent.daemon.errand import Errand
from agent.daemon.figures import Figures
from agent.daemon.hysteresis import Steady
from agent.daemon.outlet import Outlet
from agent.daemon.reports import Reports, digest_of
from agent.render import nfd
from profiles.checks import CheckResult
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile

REFRESH_S = 3600.0
"""Labels are written again this often: somebody may have removed the object, and the file has an expiry."""

FILE_VALID = timedelta(seconds=3 * REFRESH_S)
MAX_UNSPOOLED = 16
"""Profiles kept in memory while the spool takes none; then the oldest goes."""

MAX_TURNED = 64
"""Verdicts kept for an Event while the API server is away."""

FINAL_S = 6.0
"""To keep the last profile on the disk when the daemon ends."""

_log = logging.getLogger("agent.daemon")


class Tidings:
    """All receivers.

    Args:
        chance: for times of new attempts.
        close_in_child: what an errand must not keep open.
        figures: are kept up to date.
    """

    def __init__(self, chance: Random, close_in_child: Callable[[], None], figures: Figures) -> None:
        self.service = Outlet("service", chance, close_in_child)
        self.node_feature = Outlet("node_feature", chance, close_in_child)
        self.feature_file = Outlet("feature_file", chance, close_in_child)
        self.events = Outlet("events", chance, close_in_child)
        self.labels = Steady()
        self._figures = figures
        self._reports = Reports(period_s=0.0)
        self._unspooled: deque[tuple[str, bytes]] = deque(maxlen=MAX_UNSPOOLED)
        self._latest: CapabilityProfile | None = None
        self._latest_kept = True
        self._turned: deque[CheckResult] = deque(maxlen=MAX_TURNED)
        self._written: tuple[object, float] | None = None

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """Every receiver."""
        return (self.service, self.node_feature, self.feature_file, self.events)

    def begin(self, config: Config) -> None:
        """Hand in what an earlier daemon left in the spool."""
        if config.delivery.url is not None:
            self.service.offer(news.profiles(config.delivery, ()))

    def seen(
        self,
        profile: CapabilityProfile,
        turned: Sequence[CheckResult],
        ran: frozenset[str],
        config: Config,
        *,
        complete: bool,
        now_s: float,
    ) -> None:
        """After a look.

        Args:
            profile: as it is shown.
            turned: results that changed their status.
            ran: probes that ran.
            config: of now.
            complete: whether every probe has run; before, a report would tell of a node that misses half its facts.
            now_s: by the clock of the loop.
        """
        self.labels = self.labels.seen(nfd.labels(profile), ran)
        self._turned.extend(turned)
        self._latest, self._latest_kept = profile, False
        self._reports = Reports(config.daemon.report_s, self._reports.digest, self._reports.at_s)
        digest = digest_of(profile, self.labels.shown)
        if complete and self._reports.due(digest, now_s):
            self._reports = self._reports.made(digest, now_s)
            self.hand_in(profile, config)

    def hand_in(self, profile: CapabilityProfile, config: Config) -> None:
        """Put a profile on its way."""
        if config.delivery.url is None:
            return
        if self._latest is profile:
            self._latest_kept = True
        if len(self._unspooled) == MAX_UNSPOOLED:
            _log.error("profile %s is lost: the spool has taken none for long", self._unspooled[0][0])
        self._unspooled.append((profile.id, write_profile(profile).encode()))
        # The disk first, and at once, however long the service has been away.
        self.service.offer(news.profiles(config.delivery, tuple(self._unspooled)), at_once=True)

    def turn(self, config: Config, now: datetime, now_s: float) -> bool:
        """Tell what is to be told; whether something came of it."""
        self._offer_labels(config, now, now_s)
        if self._turned and config.daemon.cluster.events and self.events.errand is None:
            self.events.offer(news.pod_event(config, tuple(self._turned), now))
            self._turned.clear()
        elif not config.daemon.cluster.events:
            self._turned.clear()
        moved = False
        for outlet in self.outlets:
            words = outlet.turn(now_s)
            if words is None:
                continue
            moved = True
            if outlet is self.service:
                self._delivered(words, config)
        return moved

    def next_s(self) -> float:
        """When a receiver wants attention."""
        return min(outlet.next_s() for outlet in self.outlets)

    def stop(self, config: Config) -> None:
        """End all errands, then keep what no spool holds yet."""
        for outlet in self.outlets:
            outlet.stop()
        if config.delivery.url is None:
            return
        if self._latest is not None and not self._latest_kept:
            self._unspooled.append((self._latest.id, write_profile(self._latest).encode()))
        if self._unspooled:
            self._keep(config)

    def _keep(self, config: Config) -> None:
        wanted = news.spooled(config.delivery, tuple(self._unspooled))
        errand = Errand("spool", wanted.work, wanted.deadline_s)
        errand.wait(FINAL_S)
        self._taken(errand.words)
        reason = errand.failure or next((word["reason"] for word in errand.words if word.get("reason")), None)
        if reason or self._unspooled:
            _log.error(
                "%d profiles are lost: %s", len(self._unspooled), reason or "the spool did not take them"
            )

    def _offer_labels(self, config: Config, now: datetime, now_s: float) -> None:
        cluster = config.daemon.cluster
        if self._latest is None or not (cluster.node_feature or cluster.feature_file):
            return
        statuses = {check.id: str(check.status) for check in self._latest.checks}
        wanted = (dict(self.labels.shown), statuses, cluster)
        if self._written is not None and self._written[0] == wanted and now_s - self._written[1] < REFRESH_S:
            return
        self._written = (wanted, now_s)
        if cluster.node_feature:
            self.node_feature.offer(news.node_feature(config, wanted[0], statuses))
        if cluster.feature_file is not None:
            path = Path(cluster.feature_file)
            self.feature_file.offer(news.feature_file(path, wanted[0], now + FILE_VALID))

    def _taken(self, words: Sequence[dict[str, Any]]) -> None:
        taken = {word["kept"] for word in words if "kept" in word}
        kept = [one for one in self._unspooled if one[0] not in taken]
        self._unspooled.clear()
        self._unspooled.extend(kept)

    def _delivered(self, words: Sequence[dict[str, Any]], config: Config) -> None:
        self._taken(words)
        for word in words:
            for outcome in self._figures.delivered:
                self._figures.delivered[outcome] += int(word.get(outcome, 0))
            if "left" in word:
                self._figures.waiting = int(word["left"])
        if config.delivery.url is not None and (self.service.reason or self._unspooled):
            # What the spool holds by now is not put into it again.
            self.service.offer(news.profiles(config.delivery, tuple(self._unspooled)))
