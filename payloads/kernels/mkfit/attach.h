// Hits and candidates, W pairs at a time: compatibility, update, and a second hit where two modules overlap.
#pragma once
#include "kernels/mkfit/candidates.h"
#include "kernels/mkfit/update.h"

namespace sitecap::mkfit {

// chi2 of W pairs: `row` the candidates' places at the layer, `hit` the hits'.
template <int kind, class F>
SITECAP_FN F compatibility(const float* crossed, const i32* row, const float* hit_rows, const i32* hit) {
  State<F> s;
  load_state(crossed, row, s);
  Point<F> p;
  load_point(hit_rows, hit, p);
  Heading<F> h = heading(s);
  const MaskOf<F> is_disc{};
  const MaskOf<F> reached = propagate_to_point<kind>(s, h, p, is_disc);
  const Coupling<F> k = coupling<kind>(s, p, is_disc);
  const Residual<F> r = residual<kind>(s, p, k, is_disc);
  // a chi2 below 0 or no number is one of a covariance that rounding spoilt
  return select(reached & (r.chi2 >= 0.f), r.chi2, all_lanes<F>(1e9f));
}

// The updated state of W chosen pairs, from the row of the parent to the row of the new candidate.
template <int kind, class F>
SITECAP_FN void attach(const float* crossed, const i32* parent, const float* hit_rows, const i32* hit,
                       float* rows, const i32* row, int lanes) {
  State<F> s;
  load_state(crossed, parent, s);
  Point<F> p;
  load_point(hit_rows, hit, p);
  Heading<F> h = heading(s);
  kalman_step<kind>(s, h, p, MaskOf<F>{});
  store_state(rows, row, lanes, s);
}

// Tries a second hit of the same layer on an updated candidate: chi2, and the new state where it is below
// `cut`.
template <int kind, class F>
SITECAP_FN F attach_overlap(float* rows, const i32* row, const float* hit_rows, const i32* hit, float cut,
                            int lanes) {
  State<F> s;
  load_state(rows, row, s);
  const State<F> old = s;
  Point<F> p;
  load_point(hit_rows, hit, p);
  Heading<F> h = heading(s);
  const F chi2 = kalman_step<kind>(s, h, p, MaskOf<F>{});
  const MaskOf<F> taken = (chi2 < cut) & (chi2 >= 0.f);
  keep_where(s, old, taken);
  store_state(rows, row, lanes, s);
  return select(taken, chi2, all_lanes<F>(1e9f));
}

// Off which side of its layer a hit lies: radius (cylinder) or z (disc), cm.
SITECAP_FN float depth_of(const float* hit_rows, i32 hit, bool is_disc) {
  const float* p = hit_rows + static_cast<i64>(hit) * point_floats;
  return is_disc ? p[2] : p[0] * p[6] + p[1] * p[7];
}

// The best other hit of the same parent on the other side of the layer, or -1.
SITECAP_FN i32 overlap_of(const float* hit_rows, const Layer& layer, const i32* pair_parent,
                          const i32* pair_hit, const float* pair_chi2, i32 pairs, i32 own, float cut) {
  const bool is_disc = layer.is_disc != 0;
  const float depth = depth_of(hit_rows, pair_hit[own], is_disc);
  i32 best = -1;
  float least = cut;
  for (i32 p = 0; p < pairs; ++p) {
    if (pair_parent[p] != pair_parent[own] || !(pair_chi2[p] < least)) continue;
    if (absolute(depth_of(hit_rows, pair_hit[p], is_disc) - depth) < layer.stagger) continue;
    least = pair_chi2[p];
    best = p;
  }
  return best < 0 ? -1 : pair_hit[best];
}

}  // namespace sitecap::mkfit
