"""Vertexing: equal bits at every width, agreement with reference and scipy, and physics that a broken kernel fails."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import open_kernel, simulate, variants
from payloads.kernels.vertexing import display, reference, reference_annealing, reference_fit
from payloads.kernels.vertexing.physics import differences, measure, resolution_by_ndof
from tests.unit.payloads.kernels import judged

BEST = next(variant.name for variant in variants() if variant.usable)
MANIFEST = judged.manifest_of("vertexing")
results_of = partial(judged.results_of, "vertexing")
outside = partial(judged.outside, "vertexing")


@pytest.fixture(scope="module")
def crowded() -> Arrays:
    return simulate("tracks", 200, 20261122, 0, 6)


@pytest.fixture(scope="module")
def crowded_results(crowded: Arrays) -> list[dict[str, Array]]:
    return results_of(crowded)


@pytest.fixture(scope="module")
def small() -> Arrays:
    run = MANIFEST["reference"]
    return simulate("tracks", run["pile_up"], run["seed"], 0, run["count"])


@pytest.fixture(scope="module")
def expected(small: Arrays) -> dict[str, Array]:
    return reference.reconstruct(one_event(small, 0), MANIFEST["settings"])


def test_every_width_of_every_variant_gives_the_same_bits(crowded: Arrays, small: Arrays) -> None:
    for events, count in ((crowded, 1), (small, 2)):
        digests = judged.digests_of("vertexing", events, count)
        assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(small: Arrays) -> None:
    assert not judged.depends_on_the_one_before("vertexing", small)


def test_reference_agrees(small: Arrays, expected: dict[str, Array]) -> None:
    assert differences(expected, results_of(small)[0]) is None


def test_free_energy_and_assignment_of_the_same_prototypes_agree_with_numpy(small: Arrays) -> None:
    """The last state of the annealing, from its prototypes alone, in double precision."""
    result = results_of(small)[1]
    settings = {**reference_annealing.DEFAULTS, **MANIFEST["settings"]}
    tracks = reference_annealing.select(one_event(small, 1), settings)
    state = reference_annealing.Annealing(tracks, settings)
    state.p = reference_annealing.Prototypes(
        result["annealing_prototype_z"].astype(np.float64),
        result["annealing_prototype_rho"].astype(np.float64),
    )
    share, log_z, _ = state.shares(2.0, state.outlier_density())
    assert result["annealing_free_energy"][0] == pytest.approx(-log_z.sum() / 2.0, rel=1e-4)
    # it is at rest: another update in double precision moves nothing by more than the convergence asked for
    assert state.update(2.0, state.outlier_density()) < 2 * settings["delta_low_cm"]
    # tracks of one vertex belong, more than half, to prototypes that are together
    vertex = result["annealing_track_vertex"][tracks.source]
    clear = share.max(axis=1) > 0.6
    owner = share.argmax(axis=1)
    for v in range(len(result["annealing_vertex_z"])):
        z = state.p.z[owner[(vertex == v) & clear]]
        assert np.ptp(z) < 0.1


@pytest.mark.parametrize("rank", [8, 12, 16])
def test_fit_is_where_scipy_finds_the_minimum(small: Arrays, rank: int) -> None:
    """All five parameters of every track, vertex and momenta free, the beam spot as a prior; the kernel's weights."""
    event, result = one_event(small, 0), results_of(small)[0]
    tracks = np.flatnonzero(
        (result["annealing_track_vertex"] == rank) & (result["annealing_track_weight"] > 1e-6)
    )
    m = reference_fit.measured(event, tracks)
    beam = np.array([event[f"beam_{axis}"][0] for axis in "xyz"], dtype=np.float64)
    width = np.array(
        [event[f"beam_{name}"][0] for name in ("width_x", "width_y", "length_z")], dtype=np.float64
    )
    root = np.linalg.cholesky(m.inverse)
    weight = np.sqrt(result["annealing_track_weight"][tracks].astype(np.float64))
    start = np.array([result[f"annealing_vertex_{axis}"][rank] for axis in "xyz"], dtype=np.float64)
    scale = np.concatenate([np.full(3, 1e-3), np.tile([1e-2, 1e-3, 1e-3], len(tracks))])
    origin = np.concatenate([start + 3e-3, m.parameters[:, :3].ravel()])

    def pulls(unknown: Any) -> Any:
        values = origin + scale * unknown
        off = m.parameters - reference_fit.perigee(values[:3], values[3:].reshape(-1, 3), beam)
        off[:, 1] = np.angle(np.exp(1j * off[:, 1]))
        return np.concatenate(
            [(np.einsum("nij,ni->nj", root, off) * weight[:, None]).ravel(), (values[:3] - beam) / width]
        )

    best = least_squares(pulls, np.zeros(len(origin)), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    vertex = origin[:3] + scale[:3] * best.x[:3]
    covariance = np.linalg.inv(best.jac.T @ best.jac)[:3, :3] * np.outer(scale[:3], scale[:3])
    for i, axis in enumerate("xyz"):
        error = np.sqrt(covariance[i, i])
        assert result[f"annealing_vertex_{axis}"][rank] == pytest.approx(vertex[i], abs=0.02 * error + 2e-5)
        assert result[f"annealing_vertex_{axis}{axis}"][rank] == pytest.approx(error**2, rel=0.01)
    assert result["annealing_vertex_zx"][rank] == pytest.approx(
        covariance[2, 0], abs=0.02 * np.sqrt(covariance[0, 0] * covariance[2, 2])
    )
    assert result["annealing_vertex_chi2"][rank] == pytest.approx(2 * best.cost, rel=0.01, abs=0.02)


@pytest.mark.parametrize("rank", [0, 3])
def test_fit_of_many_tracks_is_at_the_smallest_chi2(small: Arrays, rank: int) -> None:
    """The position alone by scipy, each track's smallest chi2 for a vertex there from the five parameters."""
    event, result = one_event(small, 0), results_of(small)[0]
    tracks = np.flatnonzero(result["annealing_track_vertex"] == rank)
    m = reference_fit.measured(event, tracks)
    beam = np.array([event[f"beam_{axis}"][0] for axis in "xyz"], dtype=np.float64)
    width = np.array(
        [event[f"beam_{name}"][0] for name in ("width_x", "width_y", "length_z")], dtype=np.float64
    )
    found = np.array([result[f"annealing_vertex_{axis}"][rank] for axis in "xyz"], dtype=np.float64)
    weight = result["annealing_track_weight"][tracks].astype(np.float64)

    def chi2(step_um: Any) -> float:
        vertex = found + 1e-4 * step_um
        return float(
            (weight * reference_fit.track_chi2(m, vertex, beam)).sum()
            + (((vertex - beam) / width) ** 2).sum()
        )

    best = minimize(
        chi2, np.array([20.0, -20.0, 50.0]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-9}
    )
    errors_um = [1e4 * np.sqrt(result[f"annealing_vertex_{axis}{axis}"][rank]) for axis in "xyz"]
    assert np.all(np.abs(best.x) < 0.02 * np.array(errors_um) + 0.2)
    assert result["annealing_vertex_chi2"][rank] == pytest.approx(best.fun, rel=0.01, abs=0.02)


def test_physics_is_within_its_ranges(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> None:
    assert outside(measure(crowded, crowded_results)) == set()


def test_resolution_improves_with_tracks(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> None:
    few, some, many = resolution_by_ndof(crowded, crowded_results, [2, 20, 60, 1000])
    assert few[4] > 1.5 * some[4] > 2 * many[4]


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"t_min": 30.0}, "annealing_efficiency"),
        ({"merge_cm": 0.3}, "annealing_merged_rate"),
        ({"eps_cm": 0.5, "largest_pair_chi2": 900.0}, "density_fake_rate"),
        ({"largest_d0_significance": 0.3}, "annealing_efficiency"),
        ({"fit_steps": 1}, "annealing_z_pull"),
    ],
)
def test_wrong_parameters_fall_out_of_the_ranges(
    crowded: Arrays, settings: dict[str, float], caught: str
) -> None:
    assert caught in outside(measure(crowded, results_of(crowded, settings)))


def test_broken_results_fall_out_of_the_ranges(
    crowded: Arrays, crowded_results: list[dict[str, Array]]
) -> None:
    shifted = [{**r, "annealing_vertex_x": r["annealing_vertex_x"] * 3} for r in crowded_results]
    assert "annealing_x_resolution_um" in outside(measure(crowded, shifted))
    rolled = [{**r, "density_track_vertex": np.roll(r["density_track_vertex"], 1)} for r in crowded_results]
    assert "density_purity" in outside(measure(crowded, rolled))
    confident = [{**r, "density_vertex_zz": r["density_vertex_zz"] / 9} for r in crowded_results]
    assert outside(measure(crowded, confident)) == {"density_z_pull"}
    crowded_out = [{**r, "overflow": np.ones(1, np.int32)} for r in crowded_results]
    assert "overflow" in outside(measure(crowded, crowded_out))


def test_broken_results_differ_from_the_reference(small: Arrays, expected: dict[str, Array]) -> None:
    result = results_of(small)[0]
    broken = {
        "um off in y": {"annealing_vertex_y": result["annealing_vertex_y"] + np.float32(5e-4)},
        "have no partner": {"density_vertex_z": result["density_vertex_z"] + np.float32(0.01)},
        "are with the same vertex": {"density_track_vertex": np.roll(result["density_track_vertex"], 1)},
        "free energy": {"annealing_free_energy": result["annealing_free_energy"] * np.float32(1.01)},
        "no finite position": {"annealing_vertex_z": result["annealing_vertex_z"] * np.float32("nan")},
        "0 vertices": {"density_vertex_z": np.zeros(0, np.float32)},
        "refused for want of room": {"overflow": np.ones(1, np.int32)},
    }
    for words, change in broken.items():
        sentence = differences(expected, {**result, **change})
        assert sentence is not None
        assert words in sentence
    dropped = {
        **small,
        "track_layers": np.where(
            np.arange(len(small["track_layers"])) % 10 == 0, 0, small["track_layers"]
        ).astype(np.uint8),
    }
    assert differences(expected, results_of(dropped)[0]) is not None


def few_tracks(small: Arrays, count: int) -> dict[str, Array]:
    """The first tracks of the first event, as a set of one event."""
    cut = {name: column[:count] if name.startswith("track_") else column for name, column in small.items()}
    return {**cut, "track_offset": np.array([0, count], np.int32)}


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_few_tracks_are_no_trouble(small: Arrays, count: int) -> None:
    events = few_tracks(small, count)
    result = results_of(events)[0]
    assert len(result["annealing_track_vertex"]) == count
    assert len({open_kernel(BEST, "vertexing", events, {}, lanes).measure(0, 1)[1] for lanes in (1, 0)}) == 1


def test_values_that_are_no_numbers_are_not_selected(small: Arrays) -> None:
    z0, phi, variance = (small[name].copy() for name in ("track_z0", "track_phi", "track_covariance_44"))
    z0[::7], phi[1::7], variance[2::7], z0[3::7], variance[4::7] = np.nan, np.inf, np.nan, 1e30, 0.0
    events = {**small, "track_z0": z0, "track_phi": phi, "track_covariance_44": variance}
    result = results_of(events)[0]
    touched = np.arange(len(result["annealing_track_vertex"])) % 7 < 5
    assert np.all(result["annealing_track_vertex"][touched] == -1)
    assert np.isfinite(result["annealing_vertex_z"]).all()
    assert len({open_kernel(BEST, "vertexing", events, {}, lanes).measure(0, 1)[1] for lanes in (1, 0)}) == 1


def test_events_that_are_not_tracks_are_refused_with_a_sentence(small: Arrays) -> None:
    for change, words in (
        ({"track_z0": small["track_z0"][:-1]}, "offsets say"),
        ({"track_z0": small["track_z0"].astype(np.int32)}, "not float32"),
        ({"track_offset": small["track_offset"][::-1].copy()}, "do not rise"),
        ({"beam_width_x": np.zeros(1, np.float32)}, "no width"),
        ({"beam_width_x": np.zeros(2, np.float32)}, "2 entries"),
    ):
        with pytest.raises(ValueError, match=words):
            open_kernel(BEST, "vertexing", {**small, **change})
    with pytest.raises(ValueError, match="no column 'track_d0'"):
        open_kernel(BEST, "vertexing", {name: column for name, column in small.items() if name != "track_d0"})


@pytest.mark.parametrize(
    "settings", [{"cooling": 1.5}, {"t_min": float("nan")}, {"block_tracks": 1e9}, {"t_stop": 5.0}]
)
def test_settings_out_of_bounds_are_refused(small: Arrays, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="change the manifest"):
        open_kernel(BEST, "vertexing", small, settings)


def test_picture_is_a_small_svg(small: Arrays) -> None:
    svg = display.picture(one_event(small, 0), results_of(small)[0])
    assert svg.startswith("<svg")
    assert len(svg) < 300_000
    assert "vertices by annealing" in svg
