// Hits as they come to hits as the search wants them, and seeds to rows.
#pragma once
#include "kernels/mkfit/candidates.h"

namespace sitecap::mkfit {

// The hits of one event as they come.
struct RawHits {
  const u8* layer;
  const float *x, *y, *z;     // cm
  const float *tt, *tl, *ll;  // cm2
};

// Azimuth, place along the layer, and bin of W hits from `at` on.
template <class F>
SITECAP_FN void bin_hits(const RawHits& raw, const Layer* layers, i32 at, int lanes, float* phi, float* along,
                         float* inverse_radius, i32* bin) {
  const F x = load<F>(raw.x + at), y = load<F>(raw.y + at), z = load<F>(raw.z + at);
  const F radius = square_root(x * x + y * y);
  const F angle = arc_tangent(y, x);
  F is_disc{}, low{}, per_cm{};
  IntOf<F> layer{};
  for (int l = 0; l < lanes; ++l) {
    const Layer& own = layers[raw.layer[at + l]];
    set_lane(is_disc, l, own.is_disc != 0 ? 1.f : 0.f);
    set_lane(low, l, own.low);
    set_lane(per_cm, l, own.bins_per_cm);
    set_lane(layer, l, raw.layer[at + l]);
  }
  const F place = select(is_disc > 0.f, radius, z);
  const float most = static_cast<float>(along_bins - 1);
  const F a = smaller(larger((place - low) * per_cm, F{}), all_lanes<F>(most));
  const F b = (angle + 4.f * pi) * (static_cast<float>(phi_bins) / (2.f * pi));
  store(phi + at, angle);
  store(along + at, place);
  store(inverse_radius + at, 1.f / larger(radius, all_lanes<F>(1e-6f)));
  store(bin + at, layer * layer_bins + to_int(a) * phi_bins + (to_int(b) & (phi_bins - 1)));
}

// One hit to its place in the sorted order.
SITECAP_FN void place_hit(const RawHits& raw, i32 from, i32 to, const float* phi, const float* along,
                          const float* inverse_radius, float* rows, float* sorted_phi, float* sorted_along) {
  float* row = rows + static_cast<i64>(to) * point_floats;
  const float x = raw.x[from], y = raw.y[from], inverse = inverse_radius[from];
  row[0] = x;
  row[1] = y;
  row[2] = raw.z[from];
  row[3] = raw.tt[from];
  row[4] = raw.tl[from];
  row[5] = raw.ll[from];
  row[6] = x * inverse;
  row[7] = y * inverse;
  sorted_phi[to] = phi[from];
  sorted_along[to] = along[from];
}

// Region of a seed: where its straight extension leaves the barrel.
SITECAP_FN i32 region_of(float x, float y, float z, float theta) {
  float sine, cosine;
  sine_cosine(theta, sine, cosine);
  const float slope = cosine / max_of(sine, 1e-3f);
  const float radius = square_root(x * x + y * y);
  const float side = slope < 0.f ? -1.f : 1.f;
  const float at_end = side * (z + (108.f - radius) * slope);    // the outermost TOB cylinder, 109 cm long
  const float at_start = side * (z + (25.5f - radius) * slope);  // the innermost TIB cylinder, 70 cm long
  if (at_end < 104.f) return region_barrel;
  const i32 base = at_start < 76.f ? region_transition : region_endcap;
  return side > 0.f ? base : base + 1;
}

}  // namespace sitecap::mkfit
