"""The kernels that are launched on devices, with small events for each and what the tests do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payloads import compiled
from payloads.catalogue import Kernel, choose, kernels

Events = dict[str, Any]
Settings = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A kernel on a device.

    Attributes:
        kernel: its name.
        events: section, pile-up, seed and number of events that show all stages.
        few: as `events`, fewer, for what takes the whole way through a driver.
        settings: others than the kernel's own that its stages have to bear.
        quiet: a column of the events and a value in all of it that leaves little to be found.
        refused: settings that it refuses, and what is said of them.
        wrong: a column, a value that it may not have, and what is said of it.
        registers: most of any entry; 64 allow half of a multiprocessor's threads.
        local: entries whose threads keep in memory what registers cannot hold: a state, a path, arrays whose indices are known
            only when they run.
    """

    kernel: str
    events: tuple[str, float, int, int]
    few: tuple[str, float, int, int]
    settings: tuple[Settings, ...]
    quiet: tuple[str, float]
    refused: tuple[Settings, str]
    wrong: tuple[str, float, str]
    registers: int = 64
    local: tuple[str, ...] = ()

    def simulate(self) -> Events:
        section, pile_up, seed, count = self.events
        return compiled.simulate(section, pile_up, seed, 0, count)

    def found(self) -> Kernel:
        """The kernel with its manifest."""
        (kernel,) = choose(kernels(), (self.kernel,))
        return kernel


CASES = (
    Case(
        "clue",
        events=("hgcal", 5, 5, 4),
        few=("hgcal", 5, 5, 3),
        settings=(
            {"link": 0.0},
            {"kappa": 20.0, "least_clusters": 3.0, "least_cells": 1.0},
            {"threshold_sigma": 6.0},  # leaves cells out of a slot that no event has used
        ),
        quiet=("rechit_sigma_noise", 100.0),
        refused=({"nonsense": 1.0}, "there is no setting 'nonsense'"),
        wrong=("rechit_energy", float("nan"), "out of range: make the event set again"),
    ),
    Case(
        "hgcalml",
        events=("tracksters", 8, 5, 4),
        few=("tracksters", 8, 5, 2),
        settings=({"least_energy_gev": 0.0}, {"least_energy_gev": 8.0}),
        quiet=("trackster_energy", 0.5),
        refused=({"nonsense": 1.0}, "hgcalml has no setting 'nonsense'"),
        wrong=("trackster_energy", float("nan"), "out of range .0 to 1e6 GeV.: make the event set again"),
    ),
    Case(
        "pflow",
        events=("calorimeters", 10, 5, 4),
        few=("calorimeters", 20, 3, 2),
        settings=(
            {"max_iterations": 2.0},
            {"ecal_window": 4.0, "hcal_window": 0.0, "depth_sigmas": 10.0},
            {"lack_sigmas": 0.0, "track_error_gev": 0.0},
        ),
        quiet=("rechit_energy", 0.01),
        refused=({"nonsense": 1.0}, "there is no setting 'nonsense'"),
        wrong=("rechit_energy", float("nan"), "an energy out of range, or a channel that does not rise"),
        registers=80,  # pflow_share, whose blocks have 32 threads: 25 of them on a multiprocessor
    ),
    Case(
        "eseeding",
        events=("electron", 20, 7, 4),
        few=("electron", 20, 7, 3),
        settings=(
            {"layers_for_triplets": 8.0},
            {"least_cluster_gev": 0.1, "least_seed_et_gev": 0.1, "least_et_gev": 2.0},
            # more first hits, next hits and seeds than there is room for
            {
                "first_dphi": 0.5,
                "largest_z_cm": 50.0,
                "next_dphi": 0.5,
                "next_drz_cm": 10.0,
                "layers_for_triplets": 8.0,
            },
        ),
        quiet=("ecal_energy", 0.01),
        refused=({"log_weight": 1e3}, "setting 'log_weight' of eseeding is 1000, not within 0.1 and 20"),
        wrong=("ecal_energy", float("nan"), "not between 0 and 100 TeV"),
    ),
    Case(
        "mkfit",
        events=("tracker", 3, 7, 4),
        few=("tracker", 3, 7, 2),
        settings=(
            {"candidates": 1.0, "overlap_chi2": 30.0},
            # more pairs of a seed than there is room for
            {"chi2": 1000.0, "shared": 0.05, "least_hits": 4.0},
            {"holes": 0.0, "consecutive_holes": 0.0, "fit_chi2": 1.0},
            {"bare_layers": 20.0},
        ),
        quiet=("hit_z", 900.0),
        refused=({"candidates": 6.0}, "'candidates' is 6: give 1 to 5"),
        wrong=("hit_covariance_ll", 0.0, "'hit_covariance_ll' has 0.0.* at 0: make the event set"),
        registers=128,
        local=("mkfit_keep",),
    ),
    Case(
        "catracks",
        events=("outertracker", 3, 7, 4),
        few=("outertracker", 3, 7, 2),
        settings=(
            {"min_pt_gev": 0.5, "rz_sigmas": 8.0, "least_shared_hits": 9.0, "least_common_hits": 4.0},
            # more of each than there is room for
            {"max_doublets": 300.0},
            {"max_segments": 200.0},
            {"max_triplets": 100.0},
            {"max_quintuplets": 10.0},
        ),
        quiet=("hit_z", 5000.0),
        refused=({"max_segments": 0.5}, "setting 'max_segments' is not in 1 .. 16000000: set it within"),
        wrong=("hit_z", float("nan"), "column 'hit_z' holds a number that is no place in a detector"),
        registers=128,
        local=("catracks_clean", "catracks_fill_tracks"),
    ),
    Case(
        "pixeltrack",
        events=("pixel", 5, 5, 4),
        few=("pixel", 5, 5, 2),
        settings=(
            {"min_hits": 4.0},
            {"min_pt_doublet_gev": 0.2, "max_z0_cm": 20.0, "max_dca_first_cm": 1.0, "max_dca_cm": 1.0},
            {"min_cluster_electrons": 0.0, "min_cluster_electrons_first": 0.0, "max_sine2": 1e-2},
        ),
        quiet=("digi_adc", 0),
        refused=({"phase": 3.0}, "setting 'phase' is neither 1 nor 2"),
        wrong=("digi_row", 65535, "is out of range or order in its row"),
        registers=72,
        local=("pixeltrack_count_tuples", "pixeltrack_fill_tuples"),
    ),
    Case(
        "vertexing",
        events=("tracks", 10, 5, 4),
        few=("tracks", 20, 5, 3),
        settings=(
            {"block_tracks": 32.0},
            {"dz_cut": 0.0, "merge_cm": 0.0, "least_range_cm": 0.01},
            {
                "least_pt_gev": 0.0,
                "least_neighbours": 1.0,
                "eps_cm": 0.3,
                "split_chi2": 0.0,
                "fit_steps": 2.0,
            },
            {"largest_eta": 0.3},
        ),
        quiet=("track_layers", 0),
        refused=({"t_min": 1e3}, "setting 't_min' of vertexing is 1000, not within 0.1 and 100"),
        wrong=("beam_width_x", 0.0, "the beam spot of the tracks has no width"),
        registers=104,
        local=("vertexing_anneal", "vertexing_settle"),
    ),
)
