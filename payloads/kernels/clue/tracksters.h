// CLUE3D: layer clusters to tracksters, the showers' first three-dimensional shape.
//
// The same idea once more, across layers: density from clusters of up to three layers before and behind, on
// the line from the origin; nearest denser cluster on another layer; seeds, outliers, followers. Parameters
// and search windows: CMSSW RecoHGCal/TICL, PatternRecognitionbyCLUE3D (first pass of TICL v4 and v5).
#pragma once
#include "kernels/clue/layer_clusters.h"

namespace sitecap::clue {

struct TracksterParameters {
  i32 layers;            // of one endcap
  i32 sibling_layers;    // searched before and behind
  i32 least_cells;       // of a layer cluster that takes part
  i32 least_clusters;    // of a trackster
  float density_cm2;     // squared transverse distance within which clusters count in a density
  float density_factor;  // their weight
  float critical_gev;    // least density of a seed
  float critical_share;  // least share of a seed's own energy in it
  float critical_cm;     // a denser cluster nearer than this makes a seed a follower
  float outlier_factor;  // no cluster follows a denser one farther than this many critical_cm, if not dense
                         // itself
};

// Towers: eta times phi, in each the layers one after another.
constexpr i32 eta_bins = 34;
constexpr i32 phi_bins = 126;
constexpr float eta_low = 1.5f;
constexpr float per_eta = 20.f;                // 34 bins up to 3.2
constexpr float per_phi = 20.05352282957881f;  // 126 bins in 2 pi
constexpr i32 density_window = 2;
constexpr i32 nearest_window = 1;
constexpr float no_distance2 = 3e38f;

// Clusters that take part, sorted by tower and layer.
struct Nodes {
  float *r_cm, *slope, *phi, *energy_gev;  // slope: r / |z|
  i32 *layer, *tower, *cluster;            // layer within its endcap; index of the layer cluster
  float* density_gev;
  i32* nearest;
  float* distance2_cm2;
  i32* follows;
};

SITECAP_FN i32 towers() {
  return 2 * eta_bins * phi_bins;
}

// Slot of cluster c: tower times layers plus layer; `dropped` for clusters of too few cells.
SITECAP_FN void place_cluster(i32 c, const Clusters& clusters, const TracksterParameters& p, i32 dropped,
                              i32* slot) {
  if (clusters.cells[c] < p.least_cells) {
    slot[c] = dropped;
    return;
  }
  const i32 side = clusters.z_cm[c] > 0.f ? 1 : 0;
  const i32 eta = clamp(static_cast<i32>((absolute(clusters.eta[c]) - eta_low) * per_eta), 0, eta_bins - 1);
  const i32 phi = clamp(static_cast<i32>((clusters.phi[c] + pi) * per_phi), 0, phi_bins - 1);
  const i32 layer = clusters.plane[c] % p.layers;
  slot[c] = ((side * eta_bins + eta) * phi_bins + phi) * p.layers + layer;
}

SITECAP_FN void take_cluster(i32 k, const Clusters& clusters, const TracksterParameters& p, const i32* slot,
                             const Nodes& nodes) {
  const i32 c = nodes.cluster[k];
  const float x = clusters.x_cm[c], y = clusters.y_cm[c];
  const float r = square_root(x * x + y * y);
  nodes.r_cm[k] = r;
  nodes.slope[k] = r / absolute(clusters.z_cm[c]);
  nodes.phi[k] = clusters.phi[c];
  nodes.energy_gev[k] = clusters.energy_gev[c];
  nodes.tower[k] = slot[c] / p.layers;
  nodes.layer[k] = slot[c] % p.layers;
}

// Calls visit(j) for the nodes of the towers within `window` bins and of the layers from `low` to `high`.
template <class Visit>
SITECAP_FN void visit_towers(i32 tower, i32 window, i32 low, i32 high, i32 layers, const i32* slot_offset,
                             Visit&& visit) {
  const i32 side = tower / (eta_bins * phi_bins);
  const i32 eta = tower / phi_bins % eta_bins, phi = tower % phi_bins;
  const i32 last_eta = min_of(eta + window, eta_bins - 1);
  for (i32 e = max_of(eta - window, 0); e <= last_eta; ++e) {
    for (i32 step = -window; step <= window; ++step) {
      i32 f = phi + step;
      f += f < 0 ? phi_bins : (f >= phi_bins ? -phi_bins : 0);
      const i32 start = ((side * eta_bins + e) * phi_bins + f) * layers;
      const i32 to = slot_offset[start + high + 1];
      for (i32 j = slot_offset[start + low]; j < to; ++j) visit(j);
    }
  }
}

// Squared distance of node j, brought to the lanes' planes along the line from the origin.
template <class F>
SITECAP_FN F distance2_at(F r, F z, F phi, float slope_j, float phi_j) {
  const F r_j = slope_j * z;
  const F across = r_j * reduced_angle(phi_j - phi);
  return (r - r_j) * (r - r_j) + across * across;
}

// Density of nodes [first, first + valid), all of one tower.
template <class F>
SITECAP_FN void density_3d(i32 first, i32 valid, const i32* slot_offset, const TracksterParameters& p,
                           const Nodes& nodes) {
  using I = IntOf<F>;
  const F r = load<F>(nodes.r_cm + first), phi = load<F>(nodes.phi + first);
  const F z = r / load<F>(nodes.slope + first);
  const I layer = load<I>(nodes.layer + first);
  // nodes of a tower are sorted by layer
  const i32 low = max_of(nodes.layer[first] - p.sibling_layers, 0);
  const i32 high = min_of(nodes.layer[first + valid - 1] + p.sibling_layers, p.layers - 1);
  F sum{};
  visit_towers(nodes.tower[first], density_window, low, high, p.layers, slot_offset, [&](i32 j) {
    const I away = nodes.layer[j] - layer;
    const auto sibling = (away != 0) & (away <= p.sibling_layers) & (away >= -p.sibling_layers);
    const auto near = distance2_at(r, z, phi, nodes.slope[j], nodes.phi[j]) < p.density_cm2;
    sum += select(sibling & near, all_lanes<F>(nodes.energy_gev[j]), F{});
  });
  const F total = load<F>(nodes.energy_gev + first) + p.density_factor * sum;
  for (i32 l = 0; l < valid; ++l) nodes.density_gev[first + l] = lane(total, l);
}

// Nearest denser node on another layer, for nodes [first, first + valid) of one tower; ties as in two
// dimensions.
template <class F>
SITECAP_FN void nearest_denser_3d(i32 first, i32 valid, const i32* slot_offset, const TracksterParameters& p,
                                  const Nodes& nodes) {
  using I = IntOf<F>;
  const F r = load<F>(nodes.r_cm + first), phi = load<F>(nodes.phi + first);
  const F z = r / load<F>(nodes.slope + first);
  const I layer = load<I>(nodes.layer + first), own_cluster = load<I>(nodes.cluster + first);
  const F own_density = load<F>(nodes.density_gev + first);
  const i32 low = max_of(nodes.layer[first] - p.sibling_layers, 0);
  const i32 high = min_of(nodes.layer[first + valid - 1] + p.sibling_layers, p.layers - 1);
  F best = all_lanes<F>(no_distance2), best_density = all_lanes<F>(-1.f);
  I best_node = all_lanes_int<I>(none), best_cluster = all_lanes_int<I>(none);
  visit_towers(nodes.tower[first], nearest_window, low, high, p.layers, slot_offset, [&](i32 j) {
    const I away = nodes.layer[j] - layer;
    const auto sibling = (away != 0) & (away <= p.sibling_layers) & (away >= -p.sibling_layers);
    const F distance2 = distance2_at(r, z, phi, nodes.slope[j], nodes.phi[j]);
    const F density = all_lanes<F>(nodes.density_gev[j]);
    const I cluster = all_lanes_int<I>(nodes.cluster[j]);
    const auto denser = (density > own_density) | ((density == own_density) & (cluster > own_cluster));
    const auto preferred = (density > best_density) | ((density == best_density) & (cluster > best_cluster));
    const auto better = sibling & denser & ((distance2 < best) | ((distance2 == best) & preferred));
    best = select(better, distance2, best);
    best_node = select(better, all_lanes_int<I>(j), best_node);
    best_density = select(better, density, best_density);
    best_cluster = select(better, cluster, best_cluster);
  });
  for (i32 l = 0; l < valid; ++l) {
    nodes.nearest[first + l] = lane(best_node, l);
    nodes.distance2_cm2[first + l] = lane(best, l);
  }
}

// Seed, outlier or follower. CMSSW's limit of five layers to the denser cluster cannot be reached: three are
// searched.
SITECAP_FN void decide_3d(i32 k, const TracksterParameters& p, const Nodes& nodes) {
  const float density = nodes.density_gev[k], distance2 = nodes.distance2_cm2[k];
  const float outlier_cm = p.outlier_factor * p.critical_cm;
  const bool dense = density >= p.critical_gev;
  const bool seed =
      distance2 > p.critical_cm * p.critical_cm && dense && nodes.energy_gev[k] > p.critical_share * density;
  const bool outlier = distance2 > outlier_cm * outlier_cm && !dense;
  nodes.follows[k] = seed ? k : (outlier ? none : nodes.nearest[k]);
}

// The seed at the end of node k's chain, as an index of a layer cluster; counted per seed by the caller.
SITECAP_FN void root_3d(i32 k, const Nodes& nodes, i32* root_of_cluster) {
  i32 at = k;
  while (at != none && nodes.follows[at] != at) at = nodes.follows[at];
  root_of_cluster[nodes.cluster[k]] = at == none ? none : nodes.cluster[at];
}

struct Tracksters {
  float *x_cm, *y_cm, *z_cm, *energy_gev;  // barycentre, weighted by energy
  i32 *clusters, *seed;                    // number of layer clusters; the one that is the seed
};

// Energy and barycentre of trackster t, whose layer clusters are member[0 .. count), in rising order.
SITECAP_FN void measure_3d(i32 t, const i32* member, i32 count, const Clusters& clusters,
                           const Tracksters& tracksters) {
  float x = 0.f, y = 0.f, z = 0.f, sum = 0.f;
  for (i32 m = 0; m < count; ++m) {
    const i32 c = member[m];
    const float energy = clusters.energy_gev[c];
    x += energy * clusters.x_cm[c];
    y += energy * clusters.y_cm[c];
    z += energy * clusters.z_cm[c];
    sum += energy;
  }
  const float scale = sum > 0.f ? 1.f / sum : 0.f;
  tracksters.x_cm[t] = x * scale;
  tracksters.y_cm[t] = y * scale;
  tracksters.z_cm[t] = z * scale;
  tracksters.energy_gev[t] = sum;
  tracksters.clusters[t] = count;
}

}  // namespace sitecap::clue
