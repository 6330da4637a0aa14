// What an event came to, as named arrays, wherever it ran. Host only.
#pragma once
#include "host/found.h"
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

// Views of one event's result.
struct Found {
  i32 digis;
  Counts n;
  i32* digi_cluster;
  Clusters clusters;
  Hits measured, hits;
  Tuples tuples;
  Tracks tracks;

  // Arrays in the order in which they count for the digest.
  template <class Visit>
  void each_array(const Visit& visit) {
    visit("digi_cluster", digi_cluster, digis);
    visit("cluster_module", clusters.module, n.clusters);
    visit("cluster_electrons", clusters.electrons, n.clusters);
    visit("cluster_digis", clusters.digis, n.clusters);
    visit("cluster_x", measured.x, n.clusters);
    visit("cluster_y", measured.y, n.clusters);
    visit("cluster_z", measured.z, n.clusters);
    visit("cluster_var_x", measured.var_x, n.clusters);
    visit("cluster_var_y", measured.var_y, n.clusters);
    visit("cluster_length", measured.length, n.clusters);
    visit("hit_cluster", hits.cluster, n.clusters);
    visit("tuple_offset", tuples.start, n.tuples + 1);
    visit("tuple_hit", tuples.hit, n.tuple_hits);
    visit("tuple_quality", tracks.quality, n.tuples);
  }
  // Of n-tuplets that are tracks.
  template <class Visit>
  void each_parameter(const Visit& visit) {
    visit("track_pt", tracks.pt, n.tuples);
    visit("track_phi", tracks.phi, n.tuples);
    visit("track_tip", tracks.tip, n.tuples);
    visit("track_zip", tracks.zip, n.tuples);
    visit("track_cot", tracks.cot, n.tuples);
    visit("track_pt_error", tracks.pt_error, n.tuples);
    visit("track_phi_error", tracks.phi_error, n.tuples);
    visit("track_tip_error", tracks.tip_error, n.tuples);
    visit("track_zip_error", tracks.zip_error, n.tuples);
    visit("track_cot_error", tracks.cot_error, n.tuples);
    visit("track_chi2", tracks.chi2, n.tuples);
    visit("track_charge", tracks.charge, n.tuples);
  }
  template <class Visit>
  void each_column(const Visit& visit) {
    each_array(visit);
    each_parameter(visit);
  }

  // The n-tuplets that are tracks, in their order.
  std::vector<i32> good() const {
    std::vector<i32> found;
    for (i32 k = 0; k < n.tuples; ++k)
      if (tracks.quality[k] == quality_good) found.push_back(k);
    return found;
  }
};

// Columns, of which README.md tells the meaning. Hits are named by their cluster.
inline Columns columns_of(Found r) {
  Columns columns;
  r.each_array([&](const char* name, const auto* values, i32 count) {
    columns.put(name, std::vector<std::decay_t<decltype(*values)>>(values, values + count));
  });
  std::vector<i32> tuple_cluster;
  for (i32 i = 0; i < r.n.tuple_hits; ++i) tuple_cluster.push_back(r.hits.cluster[r.tuples.hit[i]]);
  columns.put("tuple_hit", std::move(tuple_cluster));
  const std::vector<i32> good = r.good();
  r.each_parameter([&](const char* name, const auto* values, i32) {
    std::vector<std::decay_t<decltype(*values)>> column;
    for (const i32 k : good) column.push_back(values[k]);
    columns.put(name, std::move(column));
  });
  columns.put("track_tuple", good);
  columns.put("count_doublets", std::vector<i32>{r.n.doublets});
  columns.put("count_links", std::vector<i32>{r.n.links});
  columns.put("overflow_doublets", std::vector<i32>{r.n.doublets_over});
  columns.put("overflow_links", std::vector<i32>{r.n.links_over});
  columns.put("overflow_tuples", std::vector<i32>{r.n.tuples_over});
  return columns;
}

inline u64 digest_of(Found r) {
  Digest digest;
  r.each_array([&](const char*, const auto* values, i32 count) { digest.add(values, count); });
  for (const i32 k : r.good())
    r.each_parameter([&](const char*, const auto* values, i32) { digest.add(values + k, 1); });
  const i32 counts[] = {r.n.doublets, r.n.links, r.n.doublets_over, r.n.links_over, r.n.tuples_over};
  digest.add(counts, 5);
  return digest.value();
}

}  // namespace sitecap::pixeltrack
