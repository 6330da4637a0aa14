// What an event came to, as named arrays. Host only.
#pragma once
#include "kernels/pixeltrack/workspace.h"
#include "sitecap/order.h"

namespace sitecap::pixeltrack {

struct Counts {
  i32 digis = 0, clusters = 0, doublets = 0, links = 0, tuples = 0, fits = 0, tracks = 0;
  i32 doublets_over = 0, links_over = 0, tuples_over = 0;  // what the workspace did not hold
};

// Arrays of a result by name, in a fixed order, to `put(name, data, count)`. `order` has room for the
// clusters: the sorted place of each.
template <class Put>
void each_result(const Workspace& s, const Counts& n, const Put& put) {
  put("digi_cluster", s.digi_cluster, n.digis);
  put("cluster_module", s.clusters.module, n.clusters);
  put("cluster_electrons", s.clusters.electrons, n.clusters);
  put("cluster_digis", s.clusters.digis, n.clusters);
  put("cluster_x", s.measured.x, n.clusters);
  put("cluster_y", s.measured.y, n.clusters);
  put("cluster_z", s.measured.z, n.clusters);
  put("cluster_var_x", s.measured.var_x, n.clusters);
  put("cluster_var_y", s.measured.var_y, n.clusters);
  put("cluster_length", s.measured.length, n.clusters);
  put("hit_cluster", s.hits.cluster, n.clusters);
  put("tuple_offset", s.tuples.start, n.tuples + 1);
  put("tuple_hit", s.tuples.hit, s.tuples.start[n.tuples]);
  put("tuple_quality", s.tracks.quality, n.tuples);
}

struct NamedColumn {
  const char* name;
  const float* values;
};
inline std::vector<NamedColumn> track_columns(const Tracks& t) {
  return {{"track_pt", t.pt},
          {"track_phi", t.phi},
          {"track_tip", t.tip},
          {"track_zip", t.zip},
          {"track_cot", t.cot},
          {"track_pt_error", t.pt_error},
          {"track_phi_error", t.phi_error},
          {"track_tip_error", t.tip_error},
          {"track_zip_error", t.zip_error},
          {"track_cot_error", t.cot_error},
          {"track_chi2", t.chi2}};
}

// The n-tuplets that are tracks, in their order.
inline std::vector<i32> good_tuples(const Workspace& s, const Counts& n) {
  std::vector<i32> good;
  for (i32 k = 0; k < n.tuples; ++k)
    if (s.tracks.quality[k] == quality_good) good.push_back(k);
  return good;
}

// Columns, of which README.md tells the meaning. Hits are named by their cluster.
inline Columns results_of(const Workspace& s, const Counts& n) {
  Columns columns;
  each_result(s, n, [&](const char* name, const auto* values, i32 count) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(values)>>;
    columns.put(name, std::vector<T>(values, values + count));
  });
  std::vector<i32> tuple_cluster;
  for (i32 i = 0; i < s.tuples.start[n.tuples]; ++i) tuple_cluster.push_back(s.hits.cluster[s.tuples.hit[i]]);
  columns.put("tuple_hit", std::move(tuple_cluster));
  const std::vector<i32> good = good_tuples(s, n);
  for (const auto& [name, values] : track_columns(s.tracks)) {
    std::vector<float> column;
    for (const i32 k : good) column.push_back(values[k]);
    columns.put(name, std::move(column));
  }
  std::vector<i32> charge;
  for (const i32 k : good) charge.push_back(s.tracks.charge[k]);
  columns.put("track_charge", std::move(charge));
  columns.put("track_tuple", good);
  columns.put("count_doublets", std::vector<i32>{n.doublets});
  columns.put("count_links", std::vector<i32>{n.links});
  columns.put("overflow_doublets", std::vector<i32>{n.doublets_over});
  columns.put("overflow_links", std::vector<i32>{n.links_over});
  columns.put("overflow_tuples", std::vector<i32>{n.tuples_over});
  return columns;
}

inline u64 digest_of(const Workspace& s, const Counts& n) {
  Digest digest;
  each_result(s, n, [&](const char*, const auto* values, i32 count) { digest.add(values, count); });
  for (const i32 k : good_tuples(s, n)) {
    for (const auto& column : track_columns(s.tracks)) digest.add(column.values + k, 1);
    digest.add(s.tracks.charge + k, 1);
  }
  const i32 counts[] = {n.doublets, n.links, n.doublets_over, n.links_over, n.tuples_over};
  digest.add(counts, 5);
  return digest.value();
}

}  // namespace sitecap::pixeltrack
