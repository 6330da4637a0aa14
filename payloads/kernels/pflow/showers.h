// Clusters of one depth to showers through all depths (CMSSW, PFMultiDepthClusterizer).
#pragma once
#include "kernels/pflow/sharing.h"

namespace sitecap::pflow {

SITECAP_CONST float least_width = 0.1f;  // in eta and phi: about a tower

// Clusters in the order of their seeds; their shares of cells lie from share_offset[c] on.
struct Clusters {
  float *x_cm, *y_cm, *z_cm, *eta, *phi, *energy_gev;
  float *eta_width2, *phi_width2;
  i32 *seed, *layer, *iterations, *parent, *shower;
  i32* share_offset;
  i32 *share_cell, *share_cluster;
  float* share_fraction;
};
struct Showers {
  float *energy_gev, *eta, *phi;
  i32* is_hcal;
};

// Pseudorapidity of W points; r is kept off 0.
template <class F>
SITECAP_FN F eta_of(F x, F y, F z) {
  const F r = larger(square_root(x * x + y * y), all_lanes<F>(1e-3f));
  const F eta = logarithm((absolute(z) + square_root(z * z + r * r)) / r);
  return select(z < 0.f, -eta, eta);
}
SITECAP_FN float turn_between(float one, float other) {
  return absolute(reduced_angle(one - other));
}

// Directions of clusters [c, c + W).
template <class F>
SITECAP_FN void directions(i32 c, const Clusters& k) {
  const F x = load<F>(k.x_cm + c), y = load<F>(k.y_cm + c);
  store(k.eta + c, eta_of(x, y, load<F>(k.z_cm + c)));
  store(k.phi + c, arc_tangent(y, x));
}

// Mean distances of cluster c's energy from it, along eta and phi, squared.
SITECAP_FN void widths(i32 c, const Cells& cells, const Channels& channels, const Clusters& k) {
  float along = 0.f, across = 0.f;
  for (i32 s = k.share_offset[c]; s < k.share_offset[c + 1]; ++s) {
    const i32 cell = k.share_cell[s], channel = cells.channel[cell];
    const float held = k.share_fraction[s] * cells.energy_gev[cell];
    along += held * absolute(channels.eta[channel] - k.eta[c]);
    across += held * turn_between(channels.phi[channel], k.phi[c]);
  }
  const float eta = max_of(along / k.energy_gev[c], least_width);
  const float phi = max_of(across / k.energy_gev[c], least_width);
  k.eta_width2[c] = eta * eta;
  k.phi_width2[c] = phi * phi;
}

// What cluster c of the hadron calorimeter goes with, of clusters [from, to): one of a lesser depth that
// lies behind no other compatible one; of these the nearest, then the most energetic, then the first.
template <class F>
SITECAP_FN void choose_parent(i32 c, i32 from, i32 to, const float* depth, const Options& o,
                              const Clusters& k) {
  using I = IntOf<F>;
  const F eta = load<F>(k.eta + c), phi = load<F>(k.phi + c), own_depth = load<F>(depth + c);
  const F eta_width2 = load<F>(k.eta_width2 + c), phi_width2 = load<F>(k.phi_width2 + c);
  I best = all_lanes_int<I>(none);
  F best_depth = all_lanes<F>(0.f), best_apart = best_depth, best_energy = best_depth;
  for (i32 i = from; i < to; ++i) {
    const F d_eta = eta - k.eta[i], turn = absolute(reduced_angle(phi - k.phi[i]));
    const F along = d_eta * d_eta / (eta_width2 + k.eta_width2[i]);
    const F across = turn * turn / (phi_width2 + k.phi_width2[i]);
    const auto fits = (along < o.depth_sigmas2) & (across < o.depth_sigmas2) & (own_depth > depth[i]);
    if (!any(fits)) continue;
    const F apart = along + across;
    const auto nearer = (apart < best_apart) | ((apart == best_apart) & (best_energy < k.energy_gev[i]));
    const auto better = fits & ((best_depth < depth[i]) | ((best_depth == depth[i]) & nearer));
    best = select(better, all_lanes_int<I>(i), best);
    best_depth = select(better, all_lanes<F>(depth[i]), best_depth);
    best_apart = select(better, apart, best_apart);
    best_energy = select(better, all_lanes<F>(k.energy_gev[i]), best_energy);
  }
  for (i32 l = 0; l < min_of(width_of<F>, to - c); ++l) k.parent[c + l] = lane(best, l);
}
// The cluster at the end of the chain: depths fall along it.
SITECAP_FN i32 first_of_shower(i32 c, const Clusters& k) {
  while (k.parent[c] != none) c = k.parent[c];
  return c;
}

// Energy and direction of shower s, whose clusters are member[0 .. count), rising.
SITECAP_FN void measure(i32 s, const i32* member, i32 count, const Cells& cells, const Channels& channels,
                        const Clusters& k, const Showers& showers) {
  const i32 first = member[0];
  float energy = 0.f, one = 0.f, x = 0.f, y = 0.f, z = 0.f;
  for (i32 m = 0; m < count; ++m) {
    const i32 c = member[m];
    energy += k.energy_gev[c];
    if (count == 1) continue;
    const float inverse_norm = 1.f / layer_of(k.layer[c]).cell_gev;
    for (i32 i = k.share_offset[c]; i < k.share_offset[c + 1]; ++i) {
      const i32 cell = k.share_cell[i], channel = cells.channel[cell];
      const float weight = position_weight(k.share_fraction[i], cells.energy_gev[cell], inverse_norm);
      one += weight;
      x += weight * (channels.x_cm[channel] - k.x_cm[first]);
      y += weight * (channels.y_cm[channel] - k.y_cm[first]);
      z += weight * (channels.z_cm[channel] - k.z_cm[first]);
    }
  }
  showers.energy_gev[s] = energy;
  showers.is_hcal[s] = k.layer[first] >= ecal_layers ? 1 : 0;
  if (one >= 1e-9f) {
    x = k.x_cm[first] + x / one;
    y = k.y_cm[first] + y / one;
    showers.eta[s] = eta_of(x, y, k.z_cm[first] + z / one);
    showers.phi[s] = arc_tangent(y, x);
  } else {
    showers.eta[s] = k.eta[first];
    showers.phi[s] = k.phi[first];
  }
}

}  // namespace sitecap::pflow
