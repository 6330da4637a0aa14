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

// Item = the event. In the order of transverse energy each seed that is still free takes what is free in its
// mustache (`rows`, `words` of them a seed). Clusters of a super-cluster that is too small stay taken.
// `owner` of candidates: a super-cluster or -1. Returns the number of super-clusters.
SITECAP_FN i32 join_clusters(const Candidates& c, const Options& o, i32 n, i32 seeds, const u32* rows,
                             i32 words, u32* used, i32* owner, const Superclusters& s, i32* overflow) {
  for (i32 w = 0; w < words; ++w) used[w] = 0;
  for (i32 k = 0; k < n; ++k) owner[k] = -1;
  i32 count = 0;
  for (i32 k = 0; k < seeds; ++k) {
    if ((used[k / 32] >> (k % 32) & 1u) != 0) continue;
    const u32* row = rows + static_cast<i64>(k) * words;
    float energy = 0.f, x = 0.f, y = 0.f, z = 0.f;
    for (i32 w = k / 32; w < words; ++w) {
      u32 joined = row[w];
      if (w == k / 32) joined |= 1u << (k % 32);
      joined &= ~used[w];
      used[w] |= joined;
      for (; joined != 0; joined &= joined - 1) {
        const i32 j = 32 * w + lowest_bit(joined);
        owner[j] = most_superclusters + k;
        energy += c.energy[j];
        x += c.energy[j] * c.x[j];
        y += c.energy[j] * c.y[j];
        z += c.energy[j] * c.z[j];
      }
    }
    const float r2 = x * x + y * y;
    bool kept = energy * square_root(r2 / (r2 + z * z)) > o.least_et_gev;
    if (kept && count == most_superclusters) {
      ++*overflow;
      kept = false;
    }
    for (i32 j = k; j < n; ++j)
      if (owner[j] == most_superclusters + k) owner[j] = kept ? count : -1;
    if (!kept) continue;
    s.seed[count] = c.cluster[k];
    s.energy[count] = energy;
    s.x[count] = x / energy;
    s.y[count] = y / energy;
    s.z[count] = z / energy;
    ++count;
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
