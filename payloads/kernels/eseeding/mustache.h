// Clusters to super-clusters: what an electron radiated lies beside it along phi, in an area like a mustache.
//
// Shape and window are CMSSW's (RecoEcal/EgammaCoreTools, Mustache.cc: inMustache, inDynamicDPhiWindow).
#pragma once
#include "kernels/eseeding/crystals.h"

namespace sitecap::eseeding {

// Clusters that may join: those that may also begin a super-cluster first, the largest transverse energy at
// the head, then the others by number. `reach` is the window in phi, rad, around a seed of each of four
// ranges of |eta|; `depth` is 1 / sqrt(log10(E / GeV) + 1.1).
struct Candidates {
  i32* cluster;
  float *energy, *eta, *phi, *et, *depth, *x, *y, *z;
  float* reach[4];
};

struct Window {
  float offset, scale, middle, width, smallest, largest;
};
SITECAP_FN Window window_of(i32 range) {
  switch (range) {
    case 0:
      return {0.0280506f, 0.946048f, -0.101172f, 0.432767f, 0.14f, 0.60f};
    case 1:
      return {0.0497038f, 0.975707f, -0.18149f, 0.431729f, 0.14f, 0.55f};
    case 2:
      return {0.05643f, 1.60429f, -0.642352f, 0.458106f, 0.12f, 0.45f};
    default:
      return {0.0928887f, 1.22321f, -0.260256f, 0.345852f, 0.12f, 0.30f};
  }
}
SITECAP_FN i32 range_of(float eta) {
  const float a = absolute(eta);
  return (a >= 1.479f ? 1 : 0) + (a >= 1.75f ? 1 : 0) + (a >= 2.f ? 1 : 0);
}

// Item = one of n clusters that may begin a super-cluster: its rank by transverse energy, of equals by
// number.
template <class F>
SITECAP_FN i32 rank_of(const float* chosen_et, i32 n, i32 k) {
  const F own = all_lanes<F>(chosen_et[k]);
  IntOf<F> before = all_lanes_int<IntOf<F>>(0);
  for (i32 base = 0; base < n; base += width_of<F>) {
    const IntOf<F> j = lane_indices<F>(base);
    const F et = load<F>(chosen_et + base);
    const MaskOf<F> first = ((et > own) | ((et == own) & (j < k))) & (j < n);
    before = before + select(first, all_lanes_int<IntOf<F>>(1), all_lanes_int<IntOf<F>>(0));
  }
  i32 rank = 0;
  for (i32 l = 0; l < width_of<F>; ++l) rank += lane(before, l);
  return rank;
}

SITECAP_FN void place_candidate(const Clusters& c, i32 cluster, const Candidates& s, i32 rank) {
  s.cluster[rank] = cluster;
  s.energy[rank] = c.energy[cluster];
  s.eta[rank] = c.eta[cluster];
  s.phi[rank] = c.phi[cluster];
  s.et[rank] = c.et[cluster];
  s.x[rank] = c.x[cluster];
  s.y[rank] = c.y[cluster];
  s.z[rank] = c.z[cluster];
}

// Items = W candidates.
template <class F>
SITECAP_FN void shape_candidates(const Options& o, const Candidates& s, i32 base) {
  const float per_ten = 0.43429448190325182f;
  const F log_energy = per_ten * logarithm(load<F>(s.energy + base));
  const F log_et = per_ten * logarithm(load<F>(s.et + base));
  store(s.depth + base, 1.f / square_root(log_energy + 1.1f));
  SITECAP_UNROLL
  for (i32 range = 0; range < 4; ++range) {
    const Window w = window_of(range);
    const F open = w.offset + w.scale / (1.f + exponential((log_et - w.middle) / w.width));
    const F bounded = larger(smaller(open, all_lanes<F>(w.largest)), all_lanes<F>(w.smallest));
    store(s.reach[range] + base, bounded * o.widening);
  }
}

// What the shape depends on of the seed.
struct Mustache {
  float eta, phi, sign, bend, upper_curve, lower_curve;
  i32 range;
};
SITECAP_FN Mustache mustache_of(float eta, float phi) {
  float sine, cosine;
  sine_cosine(eta, sine, cosine);
  const float bend = eta * sine;
  return {eta,
          phi,
          eta < 0.f ? -1.f : 1.f,
          bend,
          bend * (-0.107537f * bend + 0.590969f) - 0.076494f,
          bend * (-0.0268843f * bend + 0.147742f) - 0.0191235f,
          range_of(eta)};
}

template <class F>
SITECAP_FN F steepness(float curve, F width) {
  const F a = 1.f / all_lanes<F>(4.f * curve) - absolute(width);
  return larger(1.f / (4.f * a), all_lanes<F>(0.f));
}

// Windows around a seed of that range; a GPU cannot look up an array in its arguments.
SITECAP_FN const float* reach_of(const Candidates& s, i32 range) {
  const float* const low = range == 0 ? s.reach[0] : s.reach[1];
  const float* const high = range == 2 ? s.reach[2] : s.reach[3];
  return range < 2 ? low : high;
}

// Items = W candidates: whether they lie in the seed's mustache.
template <class F>
SITECAP_FN MaskOf<F> in_mustache(const Mustache& m, const Options& o, const Candidates& s, i32 base) {
  constexpr float half_crystal = 0.0087f;
  const F depth = load<F>(s.depth + base);
  // half of the difference of the two edges on either side
  const F half = 0.5f * ((0.000699995f + 0.00681785f) * m.bend + (-0.00554331f + 0.00239516f) * depth);
  const F dphi = reduced_angle(load<F>(s.phi + base) - m.phi);
  const F square = dphi * dphi;
  const F above =
      steepness<F>(m.upper_curve, half) * square + larger(half, all_lanes<F>(half_crystal)) + half_crystal;
  const F below = steepness<F>(m.lower_curve, half) * square + smaller(-half, all_lanes<F>(-half_crystal));
  const F deta = m.sign * (load<F>(s.eta + base) - m.eta);
  return (deta < o.widening * above) & (deta > o.widening * below) &
         (absolute(dphi) < load<F>(reach_of(s, m.range) + base));
}

// Item = a seed and a word of 32 candidates: a bit for each that lies in its mustache.
template <class F>
SITECAP_FN u32 mustache_word(const Mustache& m, const Options& o, const Candidates& s, i32 n, i32 word) {
  u32 bits = 0;
  for (i32 base = 0; base < 32; base += width_of<F>)
    bits |= mask_bits(in_mustache<F>(m, o, s, 32 * word + base)) << base;
  const i32 left = n - 32 * word;
  return left >= 32 ? bits : bits & ((1u << left) - 1u);
}

}  // namespace sitecap::eseeding
