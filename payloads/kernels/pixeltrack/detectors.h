// The two detectors that are configured. Host only.
#pragma once
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "host/payload.h"
#include "kernels/pixeltrack/topology.h"

namespace sitecap::pixeltrack {

inline const std::vector<LayerPair>& phase1_pairs() {
  static const std::vector<LayerPair> pairs{
#define SITECAP_PAIR(...) LayerPair{__VA_ARGS__},
#include "kernels/pixeltrack/topology/phase1_pairs.h"
#undef SITECAP_PAIR
  };
  return pairs;
}
inline const std::vector<LayerPair>& phase2_pairs() {
  static const std::vector<LayerPair> pairs{
#define SITECAP_PAIR(...) LayerPair{__VA_ARGS__},
#include "kernels/pixeltrack/topology/phase2_pairs.h"
#undef SITECAP_PAIR
  };
  return pairs;
}

// Edges of pixels along one axis from the module's centre, cm; `large[i]` pixels are twice as wide.
inline std::vector<float> pixel_edges(i32 pixels, float pitch_cm, const std::vector<bool>& large) {
  std::vector<i32> units(1, 0);
  for (i32 i = 0; i < pixels; ++i) units.push_back(units.back() + (large[i] ? 2 : 1));
  std::vector<float> edges;
  for (const i32 unit : units)
    edges.push_back((static_cast<float>(unit) - 0.5f * static_cast<float>(units.back())) * pitch_cm);
  return edges;
}

struct Detector {
  Topology topology;
  i32 rows, columns;
  float pitch_x_cm, pitch_y_cm;
  std::vector<float> row_edges, column_edges;
};

// Settings name what differs from the default of that phase.
inline Detector detector(const Settings& settings) {
  const double phase = setting(settings, "phase", 1);
  if (phase != 1 && phase != 2)
    throw std::invalid_argument("setting 'phase' is neither 1 nor 2: there is no third pixel detector");
  const bool second = phase == 2;
  Detector d{};
  d.rows = second ? 672 : 160;
  d.columns = second ? 216 : 416;
  d.pitch_x_cm = second ? 0.0025f : 0.0100f;
  d.pitch_y_cm = second ? 0.0100f : 0.0150f;
  std::vector<bool> large_rows(d.rows), large_columns(d.columns);
  if (!second) {
    large_rows[79] = large_rows[80] = true;
    for (i32 c = 0; c < d.columns; ++c) large_columns[c] = c % 52 == 0 || c % 52 == 51;
  }
  d.row_edges = pixel_edges(d.rows, d.pitch_x_cm, large_rows);
  d.column_edges = pixel_edges(d.columns, d.pitch_y_cm, large_columns);

  Topology& t = d.topology;
  std::vector<LayerPair> pairs = second ? phase2_pairs() : phase1_pairs();
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.outer < b.outer; });
  t.layers = second ? 28 : 10;
  t.pairs = static_cast<i32>(pairs.size());
  std::copy(pairs.begin(), pairs.end(), t.pair);
  for (i32 layer = 0, p = 0; layer <= t.layers; ++layer) {
    while (p < t.pairs && t.pair[p].outer < layer) ++p;
    t.pairs_of_outer[layer] = p;
  }
  const auto number = [&](const char* name, double otherwise) {
    return static_cast<float>(setting(settings, name, otherwise));
  };
  for (i32 layer = 0; layer < t.layers; ++layer) {
    const bool barrel = layer < 4;
    // CMSSW: caDCACuts by the innermost layer, caThetaCuts by the middle one
    t.layer[layer].barrel = barrel;
    t.layer[layer].max_dca_cm = layer == 0 ? number("max_dca_first_cm", 0.15) : number("max_dca_cm", 0.25);
    t.layer[layer].max_misalignment =
        barrel ? number("max_misalignment_barrel", 0.002) : number("max_misalignment_disc", 0.003);
    t.layer[layer].radiation_lengths =
        barrel ? number("radiation_lengths_barrel", 0.018) : number("radiation_lengths_disc", 0.045);
  }
  // CMSSW: minYsizeB1 ... of Phase1 and minInnerSizeB1 ... of Phase2
  t.length = second ? LengthCuts{20, 18, 12, 10, 24, 8 * 0.0150f / 0.0100f}
                    : LengthCuts{36, 28, 28, 20, 20, 8 * 0.0285f / 0.0150f};
  t.min_hits = static_cast<i32>(number("min_hits", 3));
  if (t.min_hits < 3 || t.min_hits > 4)
    throw std::invalid_argument(
        "setting 'min_hits' is neither 3 nor 4: n-tuplets begin with triplets or quadruplets");
  t.max_z0_cm = number("max_z0_cm", second ? 12.5 : 12.0);
  t.min_pt_doublet_gev = number("min_pt_doublet_gev", second ? 0.85 : 0.5);
  t.min_pt_gev = number("min_pt_gev", 0.9);
  t.max_curvature_per_cm = number("max_curvature_per_cm", second ? 0.01425 : 0.0328407224959);
  const double field = setting(settings, "field_t", 3.8);
  if (!(field > 0)) throw std::invalid_argument("setting 'field_t' is not positive: tracks would not bend");
  t.radius_per_pt_cm_per_gev = static_cast<float>(1.0 / (0.00299792458 * field));
  t.max_sine2 = number("max_sine2", 1e-5);  // CMSSW: cos^2 above 0.99999
  t.beam_pipe_radius_cm = number("beam_pipe_radius_cm", 2.2);
  t.beam_pipe_radiation_lengths = number("beam_pipe_radiation_lengths", 0.0023);
  t.barrel_end_cm = number("barrel_end_cm", 27.5);
  t.barrel_end_radiation_lengths = number("barrel_end_radiation_lengths", 0.16);
  // CMSSW has 30 and 0.3 cm for triplets too: then 29 tracks of 100 are false at pile-up 50 instead of 21,
  // and they cost 0.4 % of efficiency, since they take hits of true ones
  t.triplet_max_chi2_scale = number("triplet_max_chi2_scale", 9);
  t.quadruplet_max_chi2_scale = number("quadruplet_max_chi2_scale", 30);
  t.triplet_max_tip_cm = number("triplet_max_tip_cm", 0.1);
  t.triplet_min_pt_gev = number("triplet_min_pt_gev", 0.5);
  t.quadruplet_max_tip_cm = number("quadruplet_max_tip_cm", 0.5);
  t.quadruplet_min_pt_gev = number("quadruplet_min_pt_gev", 0.3);
  t.max_zip_cm = number("max_zip_cm", 12);
  t.triplet_max_lost_hits = static_cast<i32>(number("triplet_max_lost_hits", 0));
  t.quadruplet_max_lost_hits = static_cast<i32>(number("quadruplet_max_lost_hits", 1));
  t.min_cluster_electrons_first = static_cast<i32>(number("min_cluster_electrons_first", 2000));
  t.min_cluster_electrons = static_cast<i32>(number("min_cluster_electrons", 4000));
  t.gain = 47;
  t.pedestal = -60;
  t.gain_first = 50;
  t.pedestal_first = -670;
  t.min_digi_electrons = 100;
  return d;
}

}  // namespace sitecap::pixeltrack
