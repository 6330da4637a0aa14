// Hits to doublets: for each hit, the hits of the layers inside it that could have come before it on a track
// from the beam region. Cuts as in CMSSW's CAPixelDoubletsAlgos.
#pragma once
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

struct OuterHit {
  float z, r;
  i32 phi, length;
};

// What inner hits are asked for: the cuts of a layer pair about an outer hit. Filled once for a range of
// inner hits, so that the loop over them reads no table.
struct DoubletCuts {
  OuterHit outer;
  i32 max_dphi;
  float min_inner_cm, max_inner_cm, min_dz_cm, max_dz_cm, max_dr_cm, max_z0_cm;
  float four_radius2;  // of the bend of the least pT, cm^2
  float per_cotangent;
  bool inner_in_barrel, compare_lengths, predict_length;
  i32 least_length, length_slack;
};
SITECAP_FN DoubletCuts doublet_cuts(const Topology& t, const LayerPair& pair, const OuterHit& outer) {
  const bool inner_in_barrel = t.layer[pair.inner].barrel != 0,
             outer_in_barrel = t.layer[pair.outer].barrel != 0;
  const float radius = t.min_pt_doublet_gev * t.radius_per_pt_cm_per_gev;
  DoubletCuts cuts{outer,
                   pair.max_dphi,
                   pair.min_inner_cm,
                   pair.max_inner_cm,
                   pair.min_dz_cm,
                   pair.max_dz_cm,
                   pair.max_dr_cm,
                   t.max_z0_cm,
                   4.f * radius * radius,
                   t.length.per_cotangent,
                   inner_in_barrel,
                   inner_in_barrel && outer_in_barrel && outer.length > 0,
                   inner_in_barrel && !outer_in_barrel,
                   0,
                   0};
  if (cuts.compare_lengths) {
    cuts.length_slack = pair.inner == 0 ? t.length.max_difference_first : t.length.max_difference;
  } else if (cuts.predict_length) {
    cuts.length_slack = t.length.max_from_predicted;
    if (pair.inner == 0) cuts.least_length = t.length.min_first_to_disc;
    if (pair.inner == 1) cuts.least_length = t.length.min_second_to_disc;
  }
  return cuts;
}

// Which of the inner hits from `first` on make a doublet.
template <class F>
SITECAP_FN MaskOf<F> are_doublets(const DoubletCuts& cuts, const Hits& hits, i32 first) {
  using I = IntOf<F>;
  const F z = load<F>(hits.z + first), r = load<F>(hits.r + first);
  const I phi = load<I>(hits.phi + first);
  const F dr = cuts.outer.r - r;
  const F dz = cuts.outer.z - z;
  const I dphi = ((cuts.outer.phi - phi + 32768) & 0xffff) - 32768;
  const F inner_place = cuts.inner_in_barrel ? z : r;

  auto good = (dphi <= cuts.max_dphi) & (dphi >= -cuts.max_dphi) & (dr >= 0.f) & (dr <= cuts.max_dr_cm);
  good = good & (absolute(z * cuts.outer.r - r * cuts.outer.z) <= cuts.max_z0_cm * dr);
  good = good & (inner_place >= cuts.min_inner_cm) & (inner_place <= cuts.max_inner_cm);
  good = good & (dz >= cuts.min_dz_cm) & (dz <= cuts.max_dz_cm);
  // a bend in phi between the two radii belongs to a curvature
  const F angle = to_float(dphi) * (3.14159265358979f / 32768.f);
  good = good & (angle * angle * (cuts.four_radius2 - r * cuts.outer.r) <= dr * dr);

  // Lengths of clusters along z: alike within the barrel, as dz/dr predicts towards a disc. A length that is
  // not positive is cut off by the module's edge and says nothing.
  if (cuts.compare_lengths) {
    const I length = load<I>(hits.length + first);
    const I difference = length - cuts.outer.length;
    good = good & ((length <= 0) | ((difference <= cuts.length_slack) & (difference >= -cuts.length_slack)));
  } else if (cuts.predict_length) {
    const I length = load<I>(hits.length + first);
    const I predicted = to_int(absolute(dz) / larger(dr, all_lanes<F>(1e-3f)) * cuts.per_cotangent + 0.5f);
    const I difference = length - predicted;
    good = good & ((length <= 0) | ((length >= cuts.least_length) & (difference <= cuts.length_slack) &
                                    (difference >= -cuts.length_slack)));
  }
  return good;
}

// Calls `range(pair, first, last)` for the sorted inner hits whose bins of phi overlap the window about the
// outer hit: at most two ranges a layer pair, since phi is a circle.
template <class Range>
SITECAP_FN void each_inner_range(const Topology& t, const i32* bin_start, i32 layer, const OuterHit& outer,
                                 const Range& range) {
  for (i32 p = t.pairs_of_outer[layer]; p < t.pairs_of_outer[layer + 1]; ++p) {
    const LayerPair& pair = t.pair[p];
    const float place = t.layer[layer].barrel ? outer.z : outer.r;
    if (place < pair.min_outer_cm || place > pair.max_outer_cm) continue;
    const i32* start = bin_start + pair.inner * phi_bins;
    const i32 low =
        (outer.phi - pair.max_dphi + 32768) * phi_bins >> 16;  // may be below 0 or beyond the last bin
    const i32 high = (outer.phi + pair.max_dphi + 32768) * phi_bins >> 16;
    range(p, start[max_of(low, 0)], start[min_of(high, phi_bins - 1) + 1]);
    if (low < 0) range(p, start[low + phi_bins], start[phi_bins]);
    if (high >= phi_bins) range(p, start[0], start[high - phi_bins + 1]);
  }
}

// What doublet k is: of layer pair p, from hit i to hit o.
SITECAP_FN void fill_doublet(const Hits& hits, i32 p, i32 i, i32 o, i32 k, const Doublets& d) {
  d.inner[k] = i;
  d.outer[k] = o;
  d.pair[k] = p;
  d.inner_x[k] = hits.x[i];
  d.inner_y[k] = hits.y[i];
  d.inner_z[k] = hits.z[i];
  d.inner_r[k] = hits.r[i];
  d.flags[k] = 0;
}

// Item: an outer hit, one lane. Calls visit(pair, inner hit) for its doublets, in order.
template <class Visit>
SITECAP_FN void each_doublet_of(const Topology& t, const Frames& frames, const Hits& hits,
                                const i32* bin_start, i32 o, const Visit& visit) {
  const OuterHit outer{hits.z[o], hits.r[o], hits.phi[o], hits.length[o]};
  each_inner_range(t, bin_start, frames.layer[hits.module[o]], outer, [&](i32 p, i32 first, i32 last) {
    const DoubletCuts cuts = doublet_cuts(t, t.pair[p], outer);
    for (i32 i = first; i < last; ++i)
      if (are_doublets<float>(cuts, hits, i)) visit(p, i);
  });
}

}  // namespace sitecap::pixeltrack
