// Hits to doublets: for each hit, the hits of the layers inside it that could have come before it on a track from the
// beam region. Cuts as in CMSSW's CAPixelDoubletsAlgos.
#pragma once
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

// The outer hit of doublets, and what of the cuts is the same for all its inner hits.
struct OuterHit {
  float z, r;
  i32 phi, length;
};

// Which of the inner hits from `first` on make a doublet with `outer`.
template <class F>
SITECAP_FN MaskOf<F> are_doublets(const Topology& t, const LayerPair& pair, const Hits& hits, i32 first,
                                  const OuterHit& outer) {
  using I = IntOf<F>;
  const F z = load<F>(hits.z + first), r = load<F>(hits.r + first);
  const I phi = load<I>(hits.phi + first), length = load<I>(hits.length + first);
  const bool outer_in_barrel = t.layer[pair.outer].barrel != 0;
  const F dr = outer.r - r;
  const F dz = outer.z - z;
  const I dphi = ((outer.phi - phi) << 16) >> 16;
  const I bend = select(dphi < 0, -dphi, dphi);
  const F inner_place = t.layer[pair.inner].barrel ? z : r;

  auto good = (bend <= pair.max_dphi) & (dr >= 0.f) & (dr <= pair.max_dr_cm);
  good = good & (absolute(z * outer.r - r * outer.z) <= t.max_z0_cm * dr);
  good = good & (inner_place >= pair.min_inner_cm) & (inner_place <= pair.max_inner_cm);
  good = good & (dz >= pair.min_dz_cm) & (dz <= pair.max_dz_cm);
  // a bend in phi between the two radii belongs to a curvature
  const F angle = to_float(bend) * (3.14159265358979f / 32768.f);
  const float radius = t.min_pt_doublet_gev * t.radius_per_pt_cm_per_gev;
  good = good & (angle * angle * (4.f * radius * radius - r * outer.r) <= dr * dr);

  // Lengths of clusters along z: alike within the barrel, as dz/dr predicts towards a disc. A length that is not
  // positive is cut off by the module's edge and says nothing.
  if (t.layer[pair.inner].barrel) {
    const auto unknown = length <= 0;
    if (outer_in_barrel) {
      const i32 most = pair.inner == 0 ? t.length.max_difference_first : t.length.max_difference;
      const I difference = length - outer.length;
      if (outer.length > 0) good = good & (unknown | ((difference <= most) & (difference >= -most)));
    } else {
      const I predicted = to_int(absolute(dz) / larger(dr, all_lanes<F>(1e-3f)) * t.length.per_cotangent + 0.5f);
      const I difference = length - predicted;
      const i32 least = pair.inner == 0   ? t.length.min_first_to_disc
                        : pair.inner == 1 ? t.length.min_second_to_disc
                                          : 0;
      const i32 most = t.length.max_from_predicted;
      good = good & (unknown | ((length >= least) & (difference <= most) & (difference >= -most)));
    }
  }
  return good;
}

// Calls `range(pair, first, last)` for the sorted inner hits whose bins of phi overlap the window about the outer
// hit: at most two ranges a layer pair, since phi is a circle.
template <class Range>
SITECAP_FN void each_inner_range(const Topology& t, const i32* bin_start, i32 layer, i32 phi, const Range& range) {
  for (i32 p = t.pairs_of_outer[layer]; p < t.pairs_of_outer[layer + 1]; ++p) {
    const LayerPair& pair = t.pair[p];
    const i32* start = bin_start + pair.inner * phi_bins;
    const i32 low = (phi - pair.max_dphi + 32768) * phi_bins >> 16;  // may be below 0 or beyond the last bin
    const i32 high = (phi + pair.max_dphi + 32768) * phi_bins >> 16;
    range(p, start[max_of(low, 0)], start[min_of(high, phi_bins - 1) + 1]);
    if (low < 0) range(p, start[low + phi_bins], start[phi_bins]);
    if (high >= phi_bins) range(p, start[0], start[high - phi_bins + 1]);
  }
}

}  // namespace sitecap::pixeltrack
