// Tracks in the field to the fronts of both calorimeters, and to the nearest shower there.
#pragma once
#include "kernels/pflow/showers.h"

namespace sitecap::pflow {

// Tracks of an event at their closest approach to the beam line.
struct Tracks {
  const float *q_over_pt, *phi, *cot_theta, *d0_cm, *z0_cm, *q_over_pt_variance;
  i32 count;
};
// A calorimeter's front: radius and half length of the barrel, where the endcaps stand (CMS, JINST 3 (2008)
// S08004; the section `calorimeters`).
struct Front {
  float radius_cm, half_length_cm, endcap_cm;
};
SITECAP_FN Front ecal_front() {
  return {129.f, 269.f, 320.f};
}
SITECAP_FN Front hcal_front() {
  return {179.f, 340.f, 389.f};
}
SITECAP_CONST float nowhere = 99.f;         // eta of a track that does not arrive
SITECAP_CONST float largest_eta = 3.2f;     // of a front
SITECAP_CONST float most_half_turn = 30.f;  // radians: a track that curls ten times has lost its energy

// Directions in which tracks [t, t + W) meet a front, seen from the centre.
//
// In the transverse plane a track goes from the point (-d0 sin phi, d0 cos phi) along the chord c of its
// circle of curvature k at the angle phi + k s / 2, s the length of the arc: c = 2 sin(k s / 2) / k, and
// r^2 = d0^2 + c^2 (1 + k d0).
template <class F>
SITECAP_FN void arrive(i32 t, const Tracks& tracks, const Front& front, const Options& o, float* eta,
                       float* phi) {
  const F curvature = load<F>(tracks.q_over_pt + t) * o.bend_gev_per_cm;
  const F angle = load<F>(tracks.phi + t), cot = load<F>(tracks.cot_theta + t);
  const F d0 = load<F>(tracks.d0_cm + t), z0 = load<F>(tracks.z0_cm + t);
  const F zero = all_lanes<F>(0.f), one = all_lanes<F>(1.f);
  const F stretch = one + curvature * d0, square = front.radius_cm * front.radius_cm - d0 * d0;
  const auto regular = (stretch > 1e-3f) & (square > 0.f);
  const F chord = square_root(select(regular, square / select(regular, stretch, one), zero));
  const F sine = 0.5f * (curvature * chord);
  const auto reaches = regular & (absolute(sine) < 1.f);
  const F bounded = select(reaches, sine, zero);
  const F half = arc_tangent(bounded, square_root(one - bounded * bounded));
  const F barrel_z = z0 + cot * (2.f * half / curvature);
  const auto in_barrel = reaches & (absolute(barrel_z) < front.half_length_cm);
  const F end = select(cot < 0.f, all_lanes<F>(-front.endcap_cm), all_lanes<F>(front.endcap_cm));
  const auto moves = absolute(cot) > 1e-3f;
  const F length = (end - z0) / select(moves, cot, one);
  const F forward = 0.5f * (curvature * length);
  const auto arrives = in_barrel | (moves & (length > 0.f) & (absolute(forward) < most_half_turn));
  const F turned = select(in_barrel, half, select(arrives, forward, zero));
  F turned_sine, turned_cosine, start_sine, start_cosine, way_sine, way_cosine;
  sine_cosine(turned, turned_sine, turned_cosine);
  sine_cosine(angle, start_sine, start_cosine);
  sine_cosine(angle + turned, way_sine, way_cosine);
  const F across = select(in_barrel, chord, 2.f * turned_sine / curvature);
  const F x = across * way_cosine - d0 * start_sine, y = across * way_sine + d0 * start_cosine;
  const F there = eta_of(x, y, select(in_barrel, barrel_z, z0 + cot * length));
  const auto good = arrives & (absolute(there) < largest_eta);
  store(eta + t, select(good, there, all_lanes<F>(nowhere)));
  store(phi + t, arc_tangent(y, x));
}

// Showers of one calorimeter sorted by azimuth into bins.
SITECAP_CONST i32 phi_bins = 64;
struct Sheet {
  float *eta, *phi;
  i32* shower;
  const i32* offset;  // phi_bins + 1
};
SITECAP_FN i32 phi_bin(float phi) {
  return clamp(static_cast<i32>((phi + pi) * (0.5f * static_cast<float>(phi_bins) / pi)), 0, phi_bins - 1);
}

template <class F>
struct Nearest {
  F distance2;
  IntOf<F> shower;
};
template <class F>
SITECAP_FN void look_at(i32 from, i32 to, float eta, float phi, const Sheet& sheet, Nearest<F>& nearest) {
  using I = IntOf<F>;
  I lane_number{};
  for (i32 l = 0; l < width_of<F>; ++l) set_lane(lane_number, l, l);
  for (i32 j = from; j < to; j += width_of<F>) {
    const F d_eta = load<F>(sheet.eta + j) - eta, turn = absolute(load<F>(sheet.phi + j) - phi);
    const F d_phi = smaller(turn, 2.f * pi - turn);
    const F distance2 = d_eta * d_eta + d_phi * d_phi;
    const I shower = load<I>(sheet.shower + j);
    const auto first = (distance2 == nearest.distance2) & (shower < nearest.shower);
    const auto better = (lane_number < to - j) & ((distance2 < nearest.distance2) | first);
    nearest.distance2 = select(better, distance2, nearest.distance2);
    nearest.shower = select(better, shower, nearest.shower);
  }
}

// Shower nearest to track t within the window; of equally near ones the first.
template <class F>
SITECAP_FN void link(i32 t, const float* eta, const float* phi, float window, const Sheet& sheet, i32* shower,
                     float* distance2) {
  shower[t] = none;
  distance2[t] = window * window;
  if (eta[t] == nowhere) return;
  Nearest<F> nearest{all_lanes<F>(window * window), all_lanes_int<IntOf<F>>(none)};
  const float margin = window + 1e-3f;
  const float per_bin = 2.f * pi / static_cast<float>(phi_bins);
  const i32 wide = static_cast<i32>(margin / per_bin) + 1, own = phi_bin(phi[t]);
  if (2 * wide + 1 >= phi_bins) {
    look_at(sheet.offset[0], sheet.offset[phi_bins], eta[t], phi[t], sheet, nearest);
  } else {
    const i32 low = own - wide, high = own + wide;
    look_at(sheet.offset[max_of(low, 0)], sheet.offset[min_of(high, phi_bins - 1) + 1], eta[t], phi[t], sheet,
            nearest);
    if (low < 0)
      look_at(sheet.offset[low + phi_bins], sheet.offset[phi_bins], eta[t], phi[t], sheet, nearest);
    if (high >= phi_bins)
      look_at(sheet.offset[0], sheet.offset[high - phi_bins + 1], eta[t], phi[t], sheet, nearest);
  }
  for (i32 l = 0; l < width_of<F>; ++l) {
    const float d2 = lane(nearest.distance2, l);
    const i32 s = lane(nearest.shower, l);
    if (s == none) continue;
    if (shower[t] == none || d2 < distance2[t] || (d2 == distance2[t] && s < shower[t])) {
      shower[t] = s;
      distance2[t] = d2;
    }
  }
}

}  // namespace sitecap::pflow
