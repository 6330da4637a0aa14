// Pixel hits in cylinder coordinates, by layer and azimuth.
#pragma once
#include "kernels/eseeding/options.h"

namespace sitecap::eseeding {

inline constexpr i32 layers = 10, barrel_layers = 4;  // 0-3 barrel, 4-6 discs at z > 0, 7-9 at z < 0
inline constexpr i32 phi_bins = 1024, hit_bins = layers * phi_bins;

// Where hits of a layer lie: radius in the barrel, |z| of discs, cm (CMS, JINST 16 (2021) P02027); where its
// sensors are on the mean, and how far the layer goes, for the number of layers that a way passes.
struct Layer {
  float low_cm, high_cm, middle_cm;
};
SITECAP_FN Layer layer_of(i32 layer) {
  switch (layer < 7 ? layer : layer - 3) {
    case 0:
      return {2.3f, 3.8f, 2.93f};
    case 1:
      return {6.1f, 7.7f, 6.78f};
    case 2:
      return {10.3f, 11.8f, 10.88f};
    case 3:
      return {15.4f, 16.9f, 15.99f};
    case 4:
      return {28.5f, 36.f, 32.f};
    case 5:
      return {36.f, 43.5f, 39.5f};
    default:
      return {45.5f, 53.f, 49.f};
  }
}
inline constexpr float barrel_half_length_cm = 26.9f, disc_inner_cm = 4.5f, disc_outer_cm = 16.2f;

// Hits of one event as they come.
struct EventHits {
  i32 count;
  const float *x, *y, *z;  // cm
  const u8* layer;
};

// By layer and bin of phi, in each bin in the order in which they came; `spare` entries more.
struct Hits {
  i32 *bin, *order;        // of the event's hits; the event's hit at each place
  i32 *offset, *cursor;    // of the bins
  float *r_raw, *phi_raw;  // as they came
  float *r, *phi, *z;      // by place; cm, rad
};

// The bin of an angle within one turn of (-pi, pi], not yet brought back into the turn.
template <class F>
SITECAP_FN IntOf<F> open_phi_bin(F phi) {
  return to_int((phi + 3.f * pi) * (phi_bins / (2.f * pi))) - phi_bins;
}

// Items = W hits.
template <class F>
SITECAP_FN void round_hits(const EventHits& e, const Beam& beam, i32 base, const Hits& h) {
  const F x = load<F>(e.x + base) - beam.x_cm, y = load<F>(e.y + base) - beam.y_cm;
  const F phi = arc_tangent(y, x);
  store(h.r_raw + base, square_root(x * x + y * y));
  store(h.phi_raw + base, phi);
  store(h.bin + base, open_phi_bin(phi) & (phi_bins - 1));
}
// Item = hit.
SITECAP_FN void add_layer(const EventHits& e, i32 i, const Hits& h) {
  h.bin[i] += e.layer[i] * phi_bins;
}
// Item = place.
SITECAP_FN void place_hit(const EventHits& e, i32 at, const Hits& h) {
  const i32 i = h.order[at];
  h.r[at] = h.r_raw[i];
  h.phi[at] = h.phi_raw[i];
  h.z[at] = e.z[i];
}

// Places of a layer's hits between two angles, low <= high, both within a turn of (-pi, pi]: one stretch, or
// two where the interval goes over the end of the turn.
struct Stretches {
  i32 begin[2], end[2];
};
SITECAP_FN Stretches between(const Hits& h, i32 layer, float low, float high) {
  const i32 first = open_phi_bin(low), last = open_phi_bin(high);
  const i32* offset = h.offset + layer * phi_bins;
  if (last - first >= phi_bins - 1) return {{offset[0], 0}, {offset[phi_bins], 0}};
  const i32 from = first & (phi_bins - 1), to = last & (phi_bins - 1);
  if (from <= to) return {{offset[from], 0}, {offset[to + 1], 0}};
  return {{offset[0], offset[from]}, {offset[to + 1], offset[phi_bins]}};
}

}  // namespace sitecap::eseeding
