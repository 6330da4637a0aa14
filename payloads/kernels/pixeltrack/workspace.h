// What one copy of the kernel holds beside its events: allocated once, sizes bounded, nothing cleared as a
// whole. Host only.
#pragma once
#include "host/pool.h"
#include "kernels/pixeltrack/events.h"

namespace sitecap::pixeltrack {

struct Limits {
  i32 clusters, doublets, links, tuples, tuple_hits;
};

// Bounds as CMSSW's: 512 Ki doublets and 24 Ki n-tuplets at pile-up 50, more with the square of the digis.
inline Limits limits_of(const Events& events, const Settings& settings) {
  const double load = std::max(1.0, events.most_digis / 90e3);
  Limits limits{};
  limits.clusters = std::max(events.most_digis, 1);
  limits.doublets =
      static_cast<i32>(setting(settings, "max_doublets", std::min(512. * 1024 * load * load, 16e6)));
  limits.links = static_cast<i32>(setting(settings, "max_links", limits.doublets));
  limits.tuples = static_cast<i32>(setting(settings, "max_tuples", std::min(24. * 1024 * load * load, 4e6)));
  if (limits.doublets < 1 || limits.links < 1 || limits.tuples < 1 || limits.tuples > 0xffffff)
    throw std::invalid_argument(
        "a limit of doublets, links or n-tuplets is not in 1 .. 16777215: set it within");
  limits.tuple_hits = limits.tuples * 6;
  return limits;
}

inline Hits take_hits(Pool& pool, i32 count) {
  Hits hits{};
  for (float** column : {&hits.x, &hits.y, &hits.z, &hits.r, &hits.var_x, &hits.var_y})
    *column = pool.take<float>(count);
  for (i32** column : {&hits.phi, &hits.length, &hits.module, &hits.cluster}) *column = pool.take<i32>(count);
  return hits;
}

struct Workspace {
  Pool pool;
  Limits limit;
  i32* module_start;
  ClusterWork work;
  Clusters clusters;
  i32 *digi_cluster, *bin, *bin_start, *cursor;
  Hits measured, hits;  // in order of clusters; of layer and phi
  Doublets doublets;
  Links links;
  Tuples tuples;
  i32* fit_order;
  Tracks tracks;
  u64 *best_of_doublet, *best_of_hit;

  Workspace(const Events& events, const Limits& limits) : limit(limits) {
    const i32 n = std::max(events.most_digis, 1);
    const i32 bins = events.detector.topology.layers * phi_bins;
    module_start = pool.take<i32>(events.modules + 1);
    for (i32** column : {&work.parent, &work.electrons, &work.position, &work.order, &digi_cluster, &bin})
      *column = pool.take<i32>(n);
    bin_start = pool.take<i32>(bins + 1);
    cursor = pool.take<i32>(bins);
    for (i32** column :
         {&clusters.module, &clusters.electrons, &clusters.digis, &clusters.min_row, &clusters.max_row,
          &clusters.min_column, &clusters.max_column, &clusters.first_row_electrons,
          &clusters.last_row_electrons, &clusters.first_column_electrons, &clusters.last_column_electrons})
      *column = pool.take<i32>(limit.clusters);
    measured = take_hits(pool, limit.clusters);
    hits = take_hits(pool, limit.clusters);
    for (i32** column : {&doublets.inner, &doublets.outer, &doublets.pair})
      *column = pool.take<i32>(limit.doublets);
    for (float** column : {&doublets.inner_x, &doublets.inner_y, &doublets.inner_z, &doublets.inner_r})
      *column = pool.take<float>(limit.doublets);
    doublets.flags = pool.take<u8>(limit.doublets);
    doublets.of_outer = pool.take<i32>(limit.clusters + 1);
    links.start = pool.take<i32>(limit.doublets + 1);
    links.inner = pool.take<i32>(limit.links);
    tuples.start = pool.take<i32>(limit.tuples + 1);
    tuples.hit = pool.take<i32>(limit.tuple_hits);
    tuples.doublet = pool.take<i32>(limit.tuple_hits);
    fit_order = pool.take<i32>(limit.tuples);
    for (float** column :
         {&tracks.pt, &tracks.phi, &tracks.tip, &tracks.zip, &tracks.cot, &tracks.pt_error, &tracks.phi_error,
          &tracks.tip_error, &tracks.zip_error, &tracks.cot_error, &tracks.chi2})
      *column = pool.take<float>(limit.tuples);
    tracks.charge = pool.take<i32>(limit.tuples);
    tracks.quality = pool.take<i32>(limit.tuples);
    best_of_doublet = pool.take<u64>(limit.doublets);
    best_of_hit = pool.take<u64>(limit.clusters);
  }
};

}  // namespace sitecap::pixeltrack
