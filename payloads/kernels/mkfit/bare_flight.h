// Seeds that fly outwards through equal cylinders and meet a hit a millimetre off in each, one a thread: what
// bare.h does with groups of lanes side by side. `points`: of each seed, cylinder by cylinder.
#pragma once
#include "kernels/mkfit/seeds.h"
#include "kernels/mkfit/update.h"

namespace sitecap::mkfit {

// The next hit: straight ahead, a cylinder further.
template <class F>
SITECAP_FN Point<F> point_ahead(const State<F>& s, const Heading<F>& h) {
  const F radius = square_root(s.x * s.x + s.y * s.y), inverse = 1.f / radius, next = radius + 1.5f;
  const F ux = s.x * inverse, uy = s.y * inverse;
  return {ux * next, uy * next, s.z + 1.5f * h.cot_theta, all_lanes<F>(1e-5f), F{}, all_lanes<F>(1e-2f),
          ux,        uy};
}

SITECAP_FN Heading<float> begin_flight(const RawSeeds& seeds, i32 i, State<float>& s) {
  float row[row_floats];
  put_seed(seeds, i, row);
  const i32 only = 0;
  load_state(row, &only, s);
  return heading(s);
}

SITECAP_FN void place_points(const RawSeeds& seeds, i32 count, i32 i, int cylinders, float* points) {
  State<float> s;
  Heading<float> h = begin_flight(seeds, i, s);
  for (int step = 0; step < cylinders; ++step) {
    const Point<float> p = point_ahead(s, h);
    const float row[point_floats] = {p.x, p.y, p.z, p.tt, p.tl, p.ll, p.ux, p.uy};
    const i32 at = step * count + i;
    store_rows<point_floats>(points, point_floats, &at, 1, row);
    kalman_step<cylinder>(s, h, p, false);
  }
}

// `covariance`: 21 of each seed, after the last cylinder.
SITECAP_FN void fly(const RawSeeds& seeds, i32 count, i32 i, int cylinders, const float* points,
                    float* covariance) {
  State<float> s;
  Heading<float> h = begin_flight(seeds, i, s);
  for (int step = 0; step < cylinders; ++step) {
    const i32 at = step * count + i;
    Point<float> p;
    load_point(points, &at, p);
    kalman_step<cylinder>(s, h, p, false);
  }
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) covariance[21 * static_cast<i64>(i) + k] = s.c[k];
}

}  // namespace sitecap::mkfit
