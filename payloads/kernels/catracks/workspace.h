// What one copy of the kernel holds beside its events: allocated once, sizes bounded, nothing cleared as a
// whole. Host only.
#pragma once
#include "host/pool.h"
#include "kernels/catracks/events.h"

namespace sitecap::catracks {

struct Limits {
  i32 doublets, segments, triplets, quintuplets;
};

// By default so many a hit that the busiest event of a thousand at pile-up 200 fills a fifth of it
// (README.md).
inline Limits limits_of(const Events& events, const Settings& settings) {
  const double hits = std::max(events.most_hits, 1000);
  const auto limit = [&](const char* name, double otherwise) {
    const double value = setting(settings, name, std::min(otherwise, 16e6));
    if (!(value >= 1 && value <= 16e6))
      throw std::invalid_argument(std::string("setting '") + name +
                                  "' is not in 1 .. 16000000: set it within");
    return static_cast<i32>(value);
  };
  return {limit("max_doublets", hits), limit("max_segments", 4 * hits), limit("max_triplets", 4 * hits),
          limit("max_quintuplets", 2 * hits)};
}

inline Doublets take_doublets(Pool& pool, i32 count) {
  Doublets d{};
  for (i32** column : {&d.lower, &d.upper, &d.layer, &d.has_pixels}) *column = pool.take<i32>(count);
  for (float** column : {&d.x, &d.y, &d.z, &d.r, &d.phi, &d.angle, &d.along_x, &d.along_y, &d.along_z,
                         &d.step, &d.window, &d.curl, &d.own2, &d.luminous2})
    *column = pool.take<float>(count);
  return d;
}

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
    sensor_start = pool.take<i32>(2 * events.modules + 1);
    hit_r = pool.take<float>(events.most_hits);
    hit_slope = pool.take<float>(events.most_hits);
    bin = pool.take<i32>(limit.doublets);
    bin_start = pool.take<i32>(cells * phi_bins + 1);
    cursor = pool.take<i32>(cells * phi_bins);
    found = take_doublets(pool, limit.doublets);
    doublets = take_doublets(pool, limit.doublets);
    for (i32** column : {&segments.inner, &segments.outer}) *column = pool.take<i32>(limit.segments);
    segments.start = pool.take<i32>(limit.doublets + 1);
    for (i32** column : {&triplets.inner, &triplets.outer}) *column = pool.take<i32>(limit.triplets);
    triplets.start = pool.take<i32>(limit.segments + 1);
    Quintuplets& q = quintuplets;
    for (i32** column : {&q.inner, &q.outer}) *column = pool.take<i32>(limit.quintuplets);
    q.point = pool.take<i32>(static_cast<i64>(points) * limit.quintuplets);
    for (float** column : {&q.curvature, &q.direction, &q.cotangent, &q.chi2_bend, &q.chi2_rz})
      *column = pool.take<float>(limit.quintuplets);
    owners.start = pool.take<i32>(events.most_hits + 1);
    owners.member = pool.take<i32>(static_cast<i64>(points) * limit.quintuplets);
    owner_cursor = pool.take<i32>(events.most_hits + 1);
    track = pool.take<i32>(limit.quintuplets);
    path_start = pool.take<i32>(limit.quintuplets + 1);
    path_point = pool.take<i32>(static_cast<i64>(layers) * limit.quintuplets);
  }
};

}  // namespace sitecap::catracks
