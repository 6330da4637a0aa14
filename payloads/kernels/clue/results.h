// What the kernel tells of an event, wherever it ran. Host only.
#pragma once
#include <vector>

#include "host/columns.h"
#include "kernels/clue/stages.h"

namespace sitecap::clue {

// Views of one event's result in the host's memory.
struct Found {
  i32 cell_count, cluster_count, trackster_count;
  const i32* cluster_of_cell;
  Clusters clusters;
  const i32* trackster_of_cluster;
  Tracksters tracksters;
  bool linked;
};

// Columns that count for the digest, by name.
template <class Visit>
void each_of_clusters(const Clusters& c, const Visit& visit) {
  visit("cluster_x", c.x_cm);
  visit("cluster_y", c.y_cm);
  visit("cluster_z", c.z_cm);
  visit("cluster_eta", c.eta);
  visit("cluster_phi", c.phi);
  visit("cluster_energy", c.energy_gev);
}
template <class Visit>
void each_of_tracksters(const Tracksters& t, const Visit& visit) {
  visit("trackster_x", t.x_cm);
  visit("trackster_y", t.y_cm);
  visit("trackster_z", t.z_cm);
  visit("trackster_energy", t.energy_gev);
}

inline Columns columns_of(const Found& found) {
  Columns columns;
  const auto put = [&columns](const char* name, const auto* column, i32 count) {
    columns.put(name, std::vector<std::decay_t<decltype(*column)>>(column, column + count));
  };
  const auto put_cluster = [&](const char* name, const auto* column) {
    put(name, column, found.cluster_count);
  };
  const auto put_trackster = [&](const char* name, const auto* column) {
    put(name, column, found.trackster_count);
  };
  put("rechit_cluster", found.cluster_of_cell, found.cell_count);
  each_of_clusters(found.clusters, put_cluster);
  put_cluster("cluster_cells", found.clusters.cells);
  put_cluster("cluster_layer", found.clusters.plane);
  put_cluster("cluster_seed", found.clusters.seed);
  if (!found.linked) return columns;
  put_cluster("cluster_trackster", found.trackster_of_cluster);
  each_of_tracksters(found.tracksters, put_trackster);
  put_trackster("trackster_clusters", found.tracksters.clusters);
  put_trackster("trackster_seed", found.tracksters.seed);
  return columns;
}

inline u64 digest_of(const Found& found) {
  Digest digest;
  digest.add(found.cluster_of_cell, found.cell_count);
  each_of_clusters(found.clusters,
                   [&](const char*, const float* column) { digest.add(column, found.cluster_count); });
  if (!found.linked) return digest.value();
  digest.add(found.trackster_of_cluster, found.cluster_count);
  each_of_tracksters(found.tracksters,
                     [&](const char*, const float* column) { digest.add(column, found.trackster_count); });
  return digest.value();
}

}  // namespace sitecap::clue
