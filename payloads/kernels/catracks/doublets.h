// Hits to mini-doublets: pairs in the two sensors of a module whose bend belongs to a pT above the least.
#pragma once
#include "kernels/catracks/views.h"

namespace sitecap::catracks {

// Item: a hit, or `count`. Where the hits of its sensor, and of empty ones before it, begin.
SITECAP_FN void find_sensor_start(const Hits& hits, i32 sensors, i32 i) {
  const i32 before = i == 0 ? -1 : 2 * hits.module[i - 1] + hits.sensor[i - 1];
  const i32 now = i == hits.count ? sensors : 2 * hits.module[i] + hits.sensor[i];
  for (i32 s = before + 1; s <= now; ++s) hits.sensor_start[s] = i;
}

// A lower hit: what does not depend on the upper one.
struct LowerHit {
  float x, y, z, r;
  float across, part;  // local x; the gap by the distance to the plane of the lower sensor
  float along;         // local y, from the foot of the origin
  float radial;        // cosine of the angle between local x and the tangent, times r
  float slope, slack2, luminous;
  bool has_pixels;
};

// Items: W hits. Distance from the beam line.
template <class F>
SITECAP_FN F radius_of(const Hits& hits, i32 first) {
  const F x = load<F>(hits.x + first), y = load<F>(hits.y + first);
  return square_root(x * x + y * y);
}

// `slope`: slope_of at the distance r from the beam line.
SITECAP_FN LowerHit lower_hit(const Cuts& cuts, const Modules& modules, const Hits& hits, i32 hit, float r,
                              float slope) {
  const i32 m = hits.module[hit];
  const float* f = modules.frame + m * frame_size;
  LowerHit low;
  low.x = hits.x[hit];
  low.y = hits.y[hit];
  low.z = hits.z[hit];
  low.r = r;
  const float distance = low.x * f[6] + low.y * f[7] + low.z * f[8];
  low.across = low.x * f[0] + low.y * f[1] + low.z * f[2];
  low.along = low.x * f[3] + low.y * f[4] + low.z * f[5];
  low.part = f[9] / distance;
  low.radial = low.x * f[1] - low.y * f[0];
  low.slope = slope;
  const float offset = cuts.beam_offset_cm / low.r, resolution = cuts.pair_resolution_cm / (low.part * low.r);
  low.slack2 = cuts.scattering * cuts.scattering + offset * offset + resolution * resolution;
  low.luminous = cuts.luminous_cm * absolute(f[8]) / distance;
  low.has_pixels = modules.has_pixels[m] != 0;
  return low;
}

// Which upper hits from `first` on make a mini-doublet with it; `angle` of each.
template <class F>
SITECAP_FN MaskOf<F> are_doublets(const float* frame, const LowerHit& low, const Hits& hits, i32 first,
                                  F& angle) {
  const F dx = load<F>(hits.x + first) - low.x, dy = load<F>(hits.y + first) - low.y,
          dz = load<F>(hits.z + first) - low.z;
  const F bend = dx * frame[0] + dy * frame[1] + dz * frame[2] - low.part * low.across;
  const F along = dx * frame[3] + dy * frame[4] + dz * frame[5] - low.part * low.along;
  angle = arc_tangent(bend * low.radial, low.part * low.r * low.r + bend * low.across);
  const F luminous = angle * low.luminous;
  const F slack = square_root(low.slack2 + luminous * luminous);
  return (absolute(along) < (low.has_pixels ? max_along_pixels_cm : max_along_strips_cm)) &
         (absolute(angle) < low.slope + slack);
}

SITECAP_FN void put_doublet(const Modules& modules, const Hits& hits, const LowerHit& low, i32 lower,
                            i32 upper, float angle, const Doublets& to, i32 at) {
  const i32 m = hits.module[lower];
  const float* f = modules.frame + m * frame_size;
  to.lower[at] = lower;
  to.upper[at] = upper;
  to.layer[at] = modules.layer[m];
  to.has_pixels[at] = modules.has_pixels[m];
  to.x[at] = low.x;
  to.y[at] = low.y;
  to.z[at] = low.z;
  to.r[at] = low.r;
  to.angle[at] = angle;
  to.step[at] = low.part * low.r;
  to.along_x[at] = f[10];
  to.along_y[at] = f[11];
  to.along_z[at] = absolute(f[12]);
}

// Item: as many mini-doublets as lanes. What segments ask of each alone.
template <class F>
SITECAP_FN void finish_doublets(const Cuts& cuts, const Doublets& d, i32 first) {
  const F r = load<F>(d.r + first);
  const F sine = smaller(r * cuts.sine_per_cm, all_lanes<F>(largest_sine));
  const F cosine = square_root(1.f - sine * sine);
  const F slope = arc_tangent(sine, cosine);
  const F offset = cuts.beam_offset_cm / r;
  store(d.phi + first, arc_tangent(load<F>(d.y + first), load<F>(d.x + first)));
  store(d.window + first, slope + square_root(cuts.scattering * cuts.scattering + offset * offset));
  store(d.curl + first, sine / (cosine * slope));
  const F own = cuts.segment_resolution_cm / load<F>(d.step + first);
  store(d.own2 + first, own * own);
  const F luminous = load<F>(d.angle + first) * cuts.luminous_cm / load<F>(d.z + first);
  const auto disc = load<IntOf<F>>(d.layer + first) >= barrel_layers;
  store(d.luminous2 + first, select(disc, luminous * luminous, F{}));
}

// Written so that what is no number is in the first row.
SITECAP_FN i32 row_of(float place, float begin, float size, i32 rows) {
  const float row = (place - begin) / size;
  if (!(row > 0.f)) return 0;
  return row < static_cast<float>(rows) ? static_cast<i32>(row) : rows - 1;
}
SITECAP_FN i32 first_cell(i32 layer, bool negative) {
  return layer < barrel_layers
             ? layer * barrel_rows
             : barrel_cells + ((layer - barrel_layers) * 2 + (negative ? 1 : 0)) * disc_rows;
}
SITECAP_FN i32 phi_bin(float phi) {
  return min_of(max_of(static_cast<i32>((phi + pi) * (static_cast<float>(phi_bins) / (2.f * pi))), 0),
                phi_bins - 1);
}
// Item: a mini-doublet. Its place in the order in which they are looked for.
SITECAP_FN i32 bin_of(const Doublets& d, i32 i) {
  const i32 layer = d.layer[i];
  const i32 row = layer < barrel_layers ? row_of(d.z[i], barrel_begin_cm, barrel_row_cm, barrel_rows)
                                        : row_of(d.r[i], disc_begin_cm, disc_row_cm, disc_rows);
  return (first_cell(layer, d.z[i] < 0.f) + row) * phi_bins + phi_bin(d.phi[i]);
}
SITECAP_FN void place_doublet(const Doublets& from, i32 i, const Doublets& to, i32 at) {
  to.lower[at] = from.lower[i];
  to.upper[at] = from.upper[i];
  to.layer[at] = from.layer[i];
  to.has_pixels[at] = from.has_pixels[i];
  to.x[at] = from.x[i];
  to.y[at] = from.y[i];
  to.z[at] = from.z[i];
  to.r[at] = from.r[i];
  to.phi[at] = from.phi[i];
  to.angle[at] = from.angle[i];
  to.along_x[at] = from.along_x[i];
  to.along_y[at] = from.along_y[i];
  to.along_z[at] = from.along_z[i];
  to.step[at] = from.step[i];
  to.window[at] = from.window[i];
  to.curl[at] = from.curl[i];
  to.own2[at] = from.own2[i];
  to.luminous2[at] = from.luminous2[i];
}

}  // namespace sitecap::catracks
