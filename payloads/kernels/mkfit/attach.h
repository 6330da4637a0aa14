// Hits and candidates, W pairs at a time: compatibility, update, and a second hit where two modules overlap.
#pragma once
#include "kernels/mkfit/candidates.h"
#include "kernels/mkfit/update.h"

namespace sitecap::mkfit {

// chi2 of W pairs: `row` the candidates' places at the layer, `hit` the hits'. `depth`, cm: off which side of
// the layer the hits lie, radius (cylinder) or z (disc).
template <int kind, class F>
SITECAP_FN F compatibility(const float* crossed, const i32* row, const float* hit_rows, const i32* hit,
                           F& depth) {
  State<F> s;
  Heading<F> h = load_candidate(crossed, row, s);
  Point<F> p;
  load_point(hit_rows, hit, p);
  depth = kind == disc ? p.z : p.x * p.ux + p.y * p.uy;
  const MaskOf<F> is_disc{};
  MaskOf<F> reached;
  const Arc<F> arc = arc_to_point<kind>(s, h, p, is_disc, reached);
  transport(s, h, arc);
  Coupling<F> k;
  const Residual<F> r = measure<kind>(s, h, p, is_disc, k);
  // a chi2 below 0 or no number is one of a covariance that rounding spoilt
  return select(reached & (r.chi2 >= 0.f), r.chi2, all_lanes<F>(1e9f));
}

// The updated state of W chosen pairs, from the row of the parent to the row of the new candidate.
template <int kind, class F>
SITECAP_FN void attach(const float* crossed, const i32* parent, const float* hit_rows, const i32* hit,
                       float* rows, const i32* row, int lanes) {
  State<F> s;
  Heading<F> h = load_candidate(crossed, parent, s);
  Point<F> p;
  load_point(hit_rows, hit, p);
  kalman_step<kind>(s, h, p, MaskOf<F>{});
  store_candidate(rows, row, lanes, s, h);
}

// Tries a second hit of the same layer on an updated candidate: chi2, and the new state where it is below
// `cut`.
template <int kind, class F>
SITECAP_FN F attach_overlap(float* rows, const i32* row, const float* hit_rows, const i32* hit, float cut,
                            int lanes) {
  State<F> s;
  Heading<F> h = load_candidate(rows, row, s);
  const State<F> old = s;
  const Heading<F> old_heading = h;
  Point<F> p;
  load_point(hit_rows, hit, p);
  const F chi2 = kalman_step<kind>(s, h, p, MaskOf<F>{});
  const MaskOf<F> taken = (chi2 < cut) & (chi2 >= 0.f);
  keep_where(s, old, taken);
  keep_where(h, old_heading, taken);
  store_candidate(rows, row, lanes, s, h);
  return select(taken, chi2, all_lanes<F>(1e9f));
}

// The pairs of a seed in a layer.
struct Pairs {
  const i32 *parent, *hit;  // candidate of the seed; place of the hit
  const float *chi2, *depth;
  i32 count;
};

SITECAP_CONST float overlap_cut = 30.f;  // on the chi2 of such a hit's own pair

// The best other hit of the same parent on the other side of the layer, or -1; of equals the first. Arrays of
// pairs are read up to W - 1 entries past their ends.
template <class F>
SITECAP_FN i32 overlap_of(const Pairs& pairs, float stagger, i32 own, float cut) {
  i32 best = -1;
  float least = cut;
  for (i32 p = 0; p < pairs.count; p += width_of<F>) {
    const F chi2 = load<F>(pairs.chi2 + p);
    const MaskOf<F> fits = (lane_numbers<F>() + p < pairs.count) &
                           (load<IntOf<F>>(pairs.parent + p) == pairs.parent[own]) & (chi2 < least) &
                           (absolute(load<F>(pairs.depth + p) - pairs.depth[own]) >= stagger);
    for (u32 bits = mask_bits(fits); bits != 0; bits &= bits - 1) {
      const i32 k = p + lowest_bit(bits);
      const bool better = pairs.chi2[k] < least;
      least = better ? pairs.chi2[k] : least;
      best = better ? pairs.hit[k] : best;
    }
  }
  return best;
}

}  // namespace sitecap::mkfit
