"""Bounds of what comes in: how far a body is inflated, how often somebody may ask."""

from __future__ import annotations

import gzip

import pytest

from capacity.api.bodies import InFlight, inflate
from capacity.api.problems import BodyError
from capacity.service.rates import RateBound, TooOftenError


class TestInflate:
    def inflate(self, body: bytes, bound: int = 10_000) -> bytes:
        with InFlight(10**9).reservation() as reservation:
            return inflate(body, bound, reservation)

    def test_members_one_after_the_other_are_one_body(self) -> None:
        assert (
            self.inflate(
                gzip.compress(b"ab", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"cd", mtime=0)
            )
            == b"abcd"
        )

    def test_the_bound_is_exact(self) -> None:
        assert len(self.inflate(gzip.compress(b"x" * 10_000))) == 10_000
        with pytest.raises(BodyError) as refused:
            self.inflate(gzip.compress(b"x" * 10_001))
        assert refused.value.status == 413

    def test_a_bomb_costs_no_more_than_the_bound_and_a_piece(self) -> None:
        bomb = gzip.compress(bytes(300_000_000), 9)
        held = InFlight(10**9)
        with held.reservation() as reservation:
            with pytest.raises(BodyError):
                inflate(bomb, 5_000_000, reservation)
            assert reservation.size_bytes <= 5_000_000
        assert held.held_bytes == 0

    @pytest.mark.parametrize(
        "body", [b"x", gzip.compress(b"abc", mtime=0)[:-9], gzip.compress(b"abc", mtime=0) + b"rubbish"]
    )
    def test_what_is_no_gzip_is_told(self, body: bytes) -> None:
        with pytest.raises(BodyError) as refused:
            self.inflate(body)
        assert refused.value.status == 400


class TestRates:
    def bound(self, now: list[float], rate: float = 2, burst: float = 4, keys: int = 100) -> RateBound:
        return RateBound(rate, burst, "things", lambda: now[0], keys)

    def test_a_burst_then_the_rate(self) -> None:
        now = [0.0]
        bound = self.bound(now)
        bound.take("a", 4)
        with pytest.raises(TooOftenError) as refused:
            bound.take("a", 3)
        assert refused.value.retry_after_s == 2
        now[0] = 2
        bound.take("a", 3)

    def test_one_that_is_larger_than_the_burst_passes_and_is_paid_for_later(self) -> None:
        now = [0.0]
        bound = self.bound(now)
        bound.take("a", 10)
        now[0] = 3
        with pytest.raises(TooOftenError):
            bound.take("a")
        now[0] = 3.5
        bound.take("a")

    def test_a_clock_that_goes_back_gives_nothing(self) -> None:
        now = [100.0]
        bound = self.bound(now)
        bound.take("a", 4)
        now[0] = 0
        with pytest.raises(TooOftenError):
            bound.check("a")

    def test_the_table_does_not_grow(self) -> None:
        bound = self.bound([0.0], keys=10)
        for number in range(1000):
            bound.take(str(number))
        assert len(bound._left) == 10
