// Mini-doublets to segments: two of neighbouring layers, in reach of each other and bent alike.
#pragma once
#include "kernels/catracks/doublets.h"

namespace sitecap::catracks {

// The inner one of a segment.
struct Inner {
  float x, y, z, r, phi, angle, own2, luminous2, along_r, along_z;
  float side, distance;  // of z: sign and size
  bool has_pixels;
};
SITECAP_FN Inner inner_of(const Doublets& d, i32 i) {
  Inner in{d.x[i],         d.y[i], d.z[i],       d.r[i], d.phi[i], d.angle[i],          d.own2[i],
           d.luminous2[i], 0.f,    d.along_z[i], 0.f,    0.f,      d.has_pixels[i] != 0};
  in.along_r = square_root(d.along_x[i] * d.along_x[i] + d.along_y[i] * d.along_y[i]);
  in.side = in.z < 0.f ? -1.f : 1.f;
  in.distance = absolute(in.z);
  return in;
}

// Between which z (barrel) or r (disc) a track of the luminous region that passes `in` can come to a place of
// this radius and |z|; both without the room for the cells' lengths.
template <class F>
SITECAP_FN void reach(const Cuts& cuts, const Inner& in, bool disc, F r, F far, F curl, F& low, F& high) {
  if (disc) {
    low = in.r * (1.f + (far - in.distance) / (in.distance + cuts.luminous_cm) / curl);
    const float near = in.distance - cuts.luminous_cm;
    high = near > 1.f ? in.r * (far - cuts.luminous_cm) / near : all_lanes<F>(1e9f);
  } else {
    const F growth = r / in.r - 1.f;
    const F below = (in.distance - cuts.luminous_cm) * growth;
    low = in.distance + (in.distance > cuts.luminous_cm ? below : below * curl);
    high = in.distance + (in.distance + cuts.luminous_cm) * growth * curl;
  }
}

// Angle at the inner one between the line to the outer one and the radius. Towards a disc, where either has
// strips, the outer radius is not known: a line from the origin says it.
template <class F>
SITECAP_FN F direction_of(F x, F y, F z, F r, F outer_x, F outer_y, F outer_z, F outer_r, MaskOf<F> by_z) {
  const F scale = select(by_z, r * outer_z / (z * outer_r), all_lanes<F>(1.f));
  return arc_tangent((x * outer_y - y * outer_x) * scale, (x * outer_x + y * outer_y) * scale - r * r);
}

// Which outer ones from `first` on make a segment with `in`.
template <class F>
SITECAP_FN MaskOf<F> are_segments(const Cuts& cuts, const Inner& in, bool disc, const Doublets& d,
                                  i32 first) {
  const F r = load<F>(d.r + first), z = load<F>(d.z + first), window = load<F>(d.window + first);
  const F far = z * in.side;
  F low, high;
  reach(cuts, in, disc, r, far, load<F>(d.curl + first), low, high);
  auto good = absolute(reduced_angle(load<F>(d.phi + first) - in.phi)) < window;
  if (disc) {
    const F ax = load<F>(d.along_x + first), ay = load<F>(d.along_y + first);
    const F room = in.along_r * far / larger(all_lanes<F>(in.distance), all_lanes<F>(1e-6f)) +
                   square_root(ax * ax + ay * ay) + cuts.extra_length_cm;
    good = good & (far > in.distance) & (r > larger(low - room, in.r - 0.5f * room)) & (r < high + room);
  } else {
    const F room = in.along_z * (r / in.r) + load<F>(d.along_z + first) + cuts.extra_length_cm;
    good = good & (r > in.r) & (far > low - room) & (far < high + room);
  }
  if (!any(good)) return good;
  const F x = load<F>(d.x + first), y = load<F>(d.y + first);
  const auto pixels = load<IntOf<F>>(d.has_pixels + first) != 0;
  const auto never = pixels & !pixels;
  const auto by_z = disc ? (in.has_pixels ? !pixels : !never) : never;
  const F own = all_lanes<F>(1.f);
  const F angle = direction_of<F>(own * in.x, own * in.y, own * in.z, own * in.r, x, y, z, r, by_z);
  const F dx = x - in.x, dy = y - in.y;
  const F bend = slope_of(cuts, square_root(dx * dx + dy * dy));
  const float scattered = cuts.scattering * cuts.scattering;
  const F own2 = load<F>(d.own2 + first), other = load<F>(d.angle + first);
  good = good & (absolute(angle) < window);
  good = good &
         (absolute(in.angle - angle) < bend + square_root(all_lanes<F>(in.own2 + scattered + in.luminous2)));
  good =
      good & (absolute(other - angle) < bend + square_root(own2 + scattered + load<F>(d.luminous2 + first)));
  return good & (absolute(in.angle - other) < bend + square_root(in.own2 + own2 + scattered));
}

// The rows of a layer that `in` can reach, at most too many.
SITECAP_FN void rows_in_reach(const Cuts& cuts, const Layout& layout, const Inner& in, i32 layer, i32& first,
                              i32& last) {
  const bool disc = layer >= barrel_layers;
  const float r_min = layout.r_min[layer], r_max = layout.r_max[layer], curl = layout.curl_max[layer];
  float low, high, low2, high2;
  reach(cuts, in, disc, r_min, layout.z_min[layer], disc ? curl : 1.f, low, high);
  reach(cuts, in, disc, r_max, layout.z_max[layer], curl, low2, high2);
  low = min_of(low, low2);
  high = max_of(high, high2);
  if (disc) {
    const float room = in.along_r * layout.z_max[layer] / max_of(in.distance, 1e-6f) +
                       layout.along_r_max[layer] + cuts.extra_length_cm;
    first = row_of(max_of(low - room, in.r - 0.5f * room), disc_begin_cm, disc_row_cm, disc_rows);
    last = row_of(high + room, disc_begin_cm, disc_row_cm, disc_rows);
    return;
  }
  const float room = in.along_z * (r_max / in.r) + layout.along_z_max[layer] + cuts.extra_length_cm;
  const float from = in.side > 0.f ? low - room : -(high + room),
              to = in.side > 0.f ? high + room : -(low - room);
  first = row_of(from, barrel_begin_cm, barrel_row_cm, barrel_rows);
  last = row_of(to, barrel_begin_cm, barrel_row_cm, barrel_rows);
}

// Calls `range(disc, first, last)` for the sorted mini-doublets that may be outer ones of `in`, of layer
// `layer`.
template <class Range>
SITECAP_FN void each_outer_range(const Cuts& cuts, const Layout& layout, const i32* bin_start,
                                 const Inner& in, i32 layer, const Range& range) {
  for (int way = 0; way < 2; ++way) {
    // the next of the barrel or the next disc; from the barrel also the first disc
    const i32 outer = way == 0 ? layer + 1 : barrel_layers;
    if (way == 0 ? layer == barrel_layers - 1 || layer == layers - 1 : layer >= barrel_layers - 1) continue;
    const bool disc = outer >= barrel_layers;
    if (disc && layout.z_max[outer] <= in.distance) continue;
    i32 row, last_row;
    rows_in_reach(cuts, layout, in, outer, row, last_row);
    const i32 begin = first_cell(outer, in.z < 0.f);
    for (; row <= last_row; ++row) {
      const float window = layout.cell_window[begin + row];
      const i32* start = bin_start + (begin + row) * phi_bins;
      const float per_bin = static_cast<float>(phi_bins) / (2.f * pi);
      // may be below 0 or beyond the last bin
      const i32 low = static_cast<i32>((in.phi - window + 2.f * pi) * per_bin + 0.5f * phi_bins) - phi_bins;
      const i32 high = static_cast<i32>((in.phi + window + 2.f * pi) * per_bin + 0.5f * phi_bins) - phi_bins;
      if (high - low >= phi_bins) {
        range(disc, start[0], start[phi_bins]);
        continue;
      }
      range(disc, start[max_of(low, 0)], start[min_of(high, phi_bins - 1) + 1]);
      if (low < 0) range(disc, start[low + phi_bins], start[phi_bins]);
      if (high >= phi_bins) range(disc, start[0], start[high - phi_bins + 1]);
    }
  }
}

}  // namespace sitecap::catracks
