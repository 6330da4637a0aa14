// Who joins whom, and what stands behind it in the hadronic calorimeter.
#pragma once
#include "kernels/eseeding/mustache.h"

namespace sitecap::eseeding {

inline constexpr i32 most_candidates = 4096, most_seeds = 1024, most_superclusters = 256;

struct Superclusters {
  i32* seed;  // its cluster
  float *energy, *x, *y, *z, *eta, *phi, *behind;
  u8* selected;
};

struct Towers {
  i32 count;
  const float *energy, *eta, *phi;
};

// What of 32 candidates seed k takes: those in its mustache that are still free, and itself.
SITECAP_FN u32 take_free(u32 in_mustache, i32 k, i32 word, u32& used) {
  const u32 own = word == k / 32 ? 1u << (k % 32) : 0u;
  const u32 taken = (in_mustache | own) & ~used;
  used |= taken;
  return taken;
}
SITECAP_FN bool is_free(const u32* used, i32 k) {
  return (used[k / 32] >> (k % 32) & 1u) == 0;
}

// Energy of clusters, and their places weighted by it.
struct EnergySum {
  float energy, x, y, z;
};
SITECAP_FN void add(const Candidates& c, i32 j, EnergySum& sum) {
  sum.energy += c.energy[j];
  sum.x += c.energy[j] * c.x[j];
  sum.y += c.energy[j] * c.y[j];
  sum.z += c.energy[j] * c.z[j];
}
SITECAP_FN bool is_large(const EnergySum& sum, const Options& o) {
  const float r2 = sum.x * sum.x + sum.y * sum.y;
  return sum.energy * square_root(r2 / (r2 + sum.z * sum.z)) > o.least_et_gev;
}
SITECAP_FN void put_supercluster(const EnergySum& sum, i32 seed_cluster, const Superclusters& s, i32 at) {
  s.seed[at] = seed_cluster;
  s.energy[at] = sum.energy;
  s.x[at] = sum.x / sum.energy;
  s.y[at] = sum.y / sum.energy;
  s.z[at] = sum.z / sum.energy;
}

// Item = the event. In the order of transverse energy each seed that is still free takes what is free in its
// mustache (`rows`, `words` of them a seed). Clusters of a super-cluster that is too small stay taken.
// `owner` of candidates: a super-cluster or -1. Returns the number of super-clusters.
SITECAP_FN i32 join_clusters(const Candidates& c, const Options& o, i32 n, i32 seeds, const u32* rows,
                             i32 words, u32* used, i32* owner, const Superclusters& s, i32* overflow) {
  for (i32 w = 0; w < words; ++w) used[w] = 0;
  for (i32 k = 0; k < n; ++k) owner[k] = -1;
  i32 count = 0;
  for (i32 k = 0; k < seeds; ++k) {
    if (!is_free(used, k)) continue;
    const u32* row = rows + static_cast<i64>(k) * words;
    EnergySum sum{};
    for (i32 w = k / 32; w < words; ++w)
      for (u32 joined = take_free(row[w], k, w, used[w]); joined != 0; joined &= joined - 1) {
        const i32 j = 32 * w + lowest_bit(joined);
        owner[j] = most_superclusters + k;
        add(c, j, sum);
      }
    bool kept = is_large(sum, o);
    if (kept && count == most_superclusters) {
      ++*overflow;
      kept = false;
    }
    for (i32 j = k; j < n; ++j)
      if (owner[j] == most_superclusters + k) owner[j] = kept ? count : -1;
    if (kept) put_supercluster(sum, c.cluster[k], s, count++);
  }
  return count;
}

// Item = super-cluster: its direction, the energy in the towers around it, and whether hits are looked for.
template <class F>
SITECAP_FN void look_behind(const Superclusters& s, const Towers& t, const Options& o, i32 k) {
  const float r = square_root(s.x[k] * s.x[k] + s.y[k] * s.y[k]);
  const float eta = pseudorapidity(s.z[k], r), phi = arc_tangent(s.y[k], s.x[k]);
  float behind = 0.f;
  for (i32 base = 0; base < t.count; base += width_of<F>) {
    const F deta = load<F>(t.eta + base) - eta;
    const F dphi = reduced_angle(load<F>(t.phi + base) - phi);
    const MaskOf<F> near =
        (deta * deta + dphi * dphi < o.tower_cone * o.tower_cone) & (lane_indices<F>(base) < t.count);
    for (u32 bits = mask_bits(near); bits != 0; bits &= bits - 1) behind += t.energy[base + lowest_bit(bits)];
  }
  s.eta[k] = eta;
  s.phi[k] = phi;
  s.behind[k] = behind;
  s.selected[k] = behind / s.energy[k] < o.largest_h_over_e && absolute(eta) < o.largest_eta ? 1 : 0;
}

}  // namespace sitecap::eseeding
