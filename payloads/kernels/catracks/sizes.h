// How many of each thing there is room for, and the arrays of that size, wherever they lie. Host only.
#pragma once
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

// `take(value, count)` gives an array of the value's type.
template <class Take>
Doublets take_doublets(const Take& take, i64 count) {
  Doublets d{};
  for (i32** column : {&d.lower, &d.upper, &d.layer, &d.has_pixels}) *column = take(0, count);
  for (float** column : {&d.x, &d.y, &d.z, &d.r, &d.phi, &d.angle, &d.along_x, &d.along_y, &d.along_z,
                         &d.step, &d.window, &d.curl, &d.own2, &d.luminous2})
    *column = take(0.f, count);
  return d;
}
// Segments or triplets that begin with each of `parts`.
template <class Pairs, class Take>
Pairs take_pairs(const Take& take, i64 count, i64 parts) {
  return {take(0, count), take(0, count), take(0, parts + 1)};
}
template <class Take>
Quintuplets take_quintuplets(const Take& take, i64 count) {
  Quintuplets q{};
  for (i32** column : {&q.inner, &q.outer}) *column = take(0, count);
  q.point = take(0, points * count);
  for (float** column : {&q.curvature, &q.direction, &q.cotangent, &q.chi2_bend, &q.chi2_rz})
    *column = take(0.f, count);
  return q;
}

}  // namespace sitecap::catracks
