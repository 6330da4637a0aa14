// What an event needs beside its digis: allocated once, sizes bounded, nothing cleared as a whole; by a Pool,
// or by whatever else takes arrays. Host only.
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

template <class Memory>
Clusters take_clusters(Memory& memory, i32 count) {
  Clusters c{};
  for (i32** column :
       {&c.module, &c.electrons, &c.digis, &c.min_row, &c.max_row, &c.min_column, &c.max_column,
        &c.first_row_electrons, &c.last_row_electrons, &c.first_column_electrons, &c.last_column_electrons})
    *column = memory.template take<i32>(count);
  return c;
}

template <class Memory>
Hits take_hits(Memory& memory, i32 count) {
  Hits hits{};
  for (float** column : {&hits.x, &hits.y, &hits.z, &hits.r, &hits.var_x, &hits.var_y})
    *column = memory.template take<float>(count);
  for (i32** column : {&hits.phi, &hits.length, &hits.module, &hits.cluster})
    *column = memory.template take<i32>(count);
  return hits;
}

template <class Memory>
Doublets take_doublets(Memory& memory, const Limits& limit) {
  Doublets d{};
  for (i32** column : {&d.inner, &d.outer, &d.pair}) *column = memory.template take<i32>(limit.doublets);
  for (float** column : {&d.inner_x, &d.inner_y, &d.inner_z, &d.inner_r})
    *column = memory.template take<float>(limit.doublets);
  d.flags = memory.template take<u8>(limit.doublets);
  d.of_outer = memory.template take<i32>(limit.clusters + 1);
  return d;
}

template <class Memory>
Links take_links(Memory& memory, const Limits& limit) {
  i32* const start = memory.template take<i32>(limit.doublets + 1);
  return {start, memory.template take<i32>(limit.links)};
}

template <class Memory>
Tuples take_tuples(Memory& memory, const Limits& limit) {
  Tuples tuples{};
  tuples.start = memory.template take<i32>(limit.tuples + 1);
  for (i32** column : {&tuples.hit, &tuples.doublet}) *column = memory.template take<i32>(limit.tuple_hits);
  return tuples;
}

template <class Memory>
Tracks take_tracks(Memory& memory, i32 count) {
  Tracks t{};
  for (float** column : {&t.pt, &t.phi, &t.tip, &t.zip, &t.cot, &t.pt_error, &t.phi_error, &t.tip_error,
                         &t.zip_error, &t.cot_error, &t.chi2})
    *column = memory.template take<float>(count);
  for (i32** column : {&t.charge, &t.quality}) *column = memory.template take<i32>(count);
  return t;
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
    clusters = take_clusters(pool, limit.clusters);
    measured = take_hits(pool, limit.clusters);
    hits = take_hits(pool, limit.clusters);
    doublets = take_doublets(pool, limit);
    links = take_links(pool, limit);
    tuples = take_tuples(pool, limit);
    fit_order = pool.take<i32>(limit.tuples);
    tracks = take_tracks(pool, limit.tuples);
    best_of_doublet = pool.take<u64>(limit.doublets);
    best_of_hit = pool.take<u64>(limit.clusters);
  }
};

}  // namespace sitecap::pixeltrack
