// Where candidates cross a layer, and in which window around it their hits must lie.
#pragma once
#include "kernels/mkfit/layers.h"
#include "kernels/mkfit/material.h"
#include "kernels/mkfit/update.h"

namespace sitecap::mkfit {

// What is known of a candidate at a layer; arrays by place in the list of active candidates.
struct Windows {
  float* phi;         // rad, where it crosses
  float* along;       // cm
  float* half_phi;    // rad, half width of |dphi - slope * dalong|
  float* half_along;  // cm
  float* slope;       // rad/cm, of the strips
  float* reach;       // rad, the window's half width whatever `along`
  float* inverse_pt;  // 1/GeV
  i32* status;        // one of the following
};
SITECAP_CONST i32 outside = 0;  // no sensor is crossed: nothing is sought, nothing is missed
SITECAP_CONST i32 edge = 1;     // perhaps: hits are sought, none is missed
SITECAP_CONST i32 inside = 2;

// `along` of a state on its layer, and the azimuth of its place.
template <int kind, class F>
SITECAP_FN F along_of(const State<F>& s) {
  if constexpr (kind == disc)
    return square_root(s.x * s.x + s.y * s.y);
  else
    return s.z;
}

template <int kind, class F>
SITECAP_FN Arc<F> arc_to_layer(const State<F>& s, const Heading<F>& h, const Layer& layer,
                               MaskOf<F>& reached) {
  if constexpr (kind == disc)
    return arc_to_disc(s, h, all_lanes<F>(layer.position), reached);
  else
    return arc_to_cylinder(s, h, all_lanes<F>(layer.position * layer.position), reached);
}

SITECAP_CONST float margin_cm = 3.f;  // how far off its sensors a candidate meets a layer

// Whether a candidate comes within `margin` cm of the sensors of a layer: parameters only.
template <int kind, class F>
SITECAP_FN MaskOf<F> comes_near(const float* rows, const i32* row, const Layer& layer, float margin) {
  State<F> s;
  Heading<F> h = load_parameters(rows, row, s);
  MaskOf<F> reached;
  const Arc<F> arc = arc_to_layer<kind>(s, h, layer, reached);
  F dx, dy;
  move_parameters(s, h, arc, dx, dy);
  const F along = along_of<kind>(s);
  return reached & (along > layer.low - margin) & (along < layer.high + margin);
}

// Takes W candidates to the middle of a layer, through its material, and says where their hits may lie: no
// hit of chi2 below the cut lies outside (a projection of the residual squared is at most chi2 times its
// variance). `row` is where a candidate is, `to` where it is put on the layer.
template <int kind, class F>
SITECAP_FN void cross_layer(const float* rows, const i32* row, float* crossed, const i32* to, int lanes,
                            const Layer& layer, float chi2_cut, const Windows& windows, i32 at) {
  State<F> s;
  Heading<F> h = load_candidate(rows, row, s);
  MaskOf<F> reached;
  const Arc<F> arc = arc_to_layer<kind>(s, h, layer, reached);
  transport(s, h, arc);
  const F radius = square_root(s.x * s.x + s.y * s.y);
  const F inverse_radius = 1.f / larger(radius, all_lanes<F>(1e-3f));
  const F ux = s.x * inverse_radius, uy = s.y * inverse_radius;
  const F outwards = ux * h.cos_phi + uy * h.sin_phi, sideways = ux * h.sin_phi - uy * h.cos_phi;
  F cosine, shift_t, shift_l;  // of the crossing, for a sensor that lies `stagger` off
  if constexpr (kind == disc) {
    const F tan_theta = 1.f / h.cot_theta;
    cosine = h.cot_theta * h.sin_theta;
    shift_t = absolute(sideways * tan_theta) * layer.stagger;
    shift_l = absolute(outwards * tan_theta) * layer.stagger;
  } else {
    const F inverse = smaller(absolute(1.f / outwards), all_lanes<F>(20.f));
    cosine = outwards * h.sin_theta;
    shift_t = absolute(sideways) * inverse * layer.stagger;
    shift_l = absolute(h.cot_theta) * inverse * layer.stagger;
  }
  add_material(s, h, all_lanes<F>(layer.radiation_lengths), cosine, 1.f);
  store_candidate(crossed, to, lanes, s, h);

  const Axes<F> axes = axes_of<kind>(h, ux, uy, MaskOf<F>{});
  const F* c = s.c;
  const F tx = along_t<kind>(axes, c[0], c[1], c[3]), ty = along_t<kind>(axes, c[1], c[2], c[4]),
          tz = along_t<kind>(axes, c[3], c[4], c[5]);
  const F lx = along_l<kind>(axes, c[0], c[1], c[3]), ly = along_l<kind>(axes, c[1], c[2], c[4]),
          lz = along_l<kind>(axes, c[3], c[4], c[5]);
  const F tt = larger(along_t<kind>(axes, tx, ty, tz), F{});
  const F tl = along_t<kind>(axes, lx, ly, lz);
  const F ll = larger(along_l<kind>(axes, lx, ly, lz), F{});
  const float slope = layer.stereo;
  const F across2 = larger(tt - 2.f * slope * tl + slope * slope * ll, F{}) + layer.precise2;
  const float slack_cm = 0.01f;  // what linearisation may be off
  const float tilt = slope < 0.f ? -slope : slope;
  const F half_across = square_root(chi2_cut * across2) + shift_t + tilt * shift_l + slack_cm;
  const F half_along = square_root(chi2_cut * (ll + layer.along2)) + shift_l + slack_cm;
  const F along = along_of<kind>(s);
  const F border = 3.f * square_root(ll) + shift_l + 0.1f;

  const auto away = (along < layer.low - border) | (along > layer.high + border) |
                    ((along > layer.hole_low + border) & (along < layer.hole_high - border));
  const auto within = (along > layer.low + border) & (along < layer.high - border) &
                      ((along < layer.hole_low - border) | (along > layer.hole_high + border));
  const auto good = reached & (absolute(along) < 1e4f) & (half_along < 1e4f) & (half_across < 1e4f);
  IntOf<F> status = select(within, all_lanes_int<IntOf<F>>(inside), all_lanes_int<IntOf<F>>(edge));
  status = select(good & (away == 0), status, all_lanes_int<IntOf<F>>(outside));
  store(windows.status + at, status);
  store(windows.phi + at, arc_tangent(s.y, s.x));
  store(windows.along + at, along);
  const F half_phi = half_across * inverse_radius;
  const F reach = smaller(half_phi + tilt * inverse_radius * half_along, all_lanes<F>(pi));
  store(windows.half_phi + at, half_phi);
  store(windows.reach + at, reach);
  store(windows.inverse_pt + at, s.inverse_pt);
  store(windows.half_along + at, half_along);
  store(windows.slope + at, slope * inverse_radius);
}

}  // namespace sitecap::mkfit
