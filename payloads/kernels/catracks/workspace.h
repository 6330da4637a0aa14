// What one copy of the kernel holds beside its events: allocated once, sizes bounded, nothing cleared as a
// whole. Host only.
#pragma once
#include "host/pool.h"
#include "kernels/catracks/sizes.h"

namespace sitecap::catracks {

struct Workspace {
  Pool pool;
  Limits limit;
  i32 *sensor_start, *bin, *bin_start, *cursor;
  float *hit_r, *hit_slope;
  Doublets found, doublets;  // as modules have them; by cell and phi
  Segments segments;
  Triplets triplets;
  Quintuplets quintuplets;
  Owners owners;
  i32 *owner_cursor, *track, *path_start, *path_point;

  Workspace(const Events& events, const Limits& limits) : limit(limits) {
    const auto take = [this](auto value, i64 count) { return pool.take<decltype(value)>(count); };
    sensor_start = pool.take<i32>(2 * events.modules + 1);
    hit_r = pool.take<float>(events.most_hits);
    hit_slope = pool.take<float>(events.most_hits);
    bin = pool.take<i32>(limit.doublets);
    bin_start = pool.take<i32>(cells * phi_bins + 1);
    cursor = pool.take<i32>(cells * phi_bins);
    found = take_doublets(take, limit.doublets);
    doublets = take_doublets(take, limit.doublets);
    segments = take_pairs<Segments>(take, limit.segments, limit.doublets);
    triplets = take_pairs<Triplets>(take, limit.triplets, limit.segments);
    quintuplets = take_quintuplets(take, limit.quintuplets);
    owners.start = pool.take<i32>(events.most_hits + 1);
    owners.member = pool.take<i32>(static_cast<i64>(points) * limit.quintuplets);
    owner_cursor = pool.take<i32>(events.most_hits + 1);
    track = pool.take<i32>(limit.quintuplets);
    path_start = pool.take<i32>(limit.quintuplets + 1);
    path_point = pool.take<i32>(static_cast<i64>(layers) * limit.quintuplets);
  }
};

}  // namespace sitecap::catracks
