// State of a track candidate: parameters and covariance as mkFit holds them (S. Lantz et al., "Speeding up
// particle track reconstruction using a parallel Kalman filter algorithm", JINST 15 (2020) P09030).
#pragma once
#include "sitecap/maths.h"
#include "sitecap/rows.h"

namespace sitecap::mkfit {

// Place of element (i, j), i >= j, of a symmetric 6 x 6 matrix packed by rows of its lower triangle.
SITECAP_FN constexpr int packed(int i, int j) {
  return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

// One track a lane. Order of the covariance: x, y, z (cm), 1/pT (1/GeV), phi, theta (rad).
template <class F>
struct State {
  F x, y, z;     // cm
  F inverse_pt;  // 1/GeV, > 0
  F phi, theta;  // rad, of the momentum
  F charge;      // +1 or -1
  F c[21];
};

// c * 3.8 T in GeV per cm of radius, as the simulation bends
SITECAP_CONST float bending = 0.0113923923f;

// Direction of the momentum at the state.
template <class F>
struct Heading {
  F sin_phi, cos_phi;
  F sin_theta, cot_theta;
  F curvature;  // 1/cm, d phi / d path in the transverse plane
};

template <class F>
SITECAP_FN Heading<F> heading(const State<F>& s) {
  Heading<F> h;
  F cos_theta;
  sine_cosine(s.phi, h.sin_phi, h.cos_phi);
  sine_cosine(s.theta, h.sin_theta, cos_theta);
  h.cot_theta = cos_theta / h.sin_theta;
  h.curvature = -bending * s.charge * s.inverse_pt;
  return h;
}

// The heading after an update has moved the angles: turned by the step where that is small, which is nearly
// always, at a quarter of the operations of a new one. A hundred turns make it wrong by 1e-6.
template <class F>
SITECAP_FN void turn_heading(const State<F>& s, Heading<F>& h, F phi_step, F theta_step) {
  const F p2 = phi_step * phi_step, t2 = theta_step * theta_step;
  const F sin_p = phi_step - phi_step * (p2 * (1.f / 6.f));
  const F cos_p = 1.f - p2 * (0.5f - p2 * (1.f / 24.f));
  const F tan_t = theta_step + theta_step * (t2 * (1.f / 3.f + t2 * (2.f / 15.f)));
  const F cos_t = 1.f - t2 * (0.5f - t2 * (1.f / 24.f));
  const F stretch = 1.f + h.cot_theta * tan_t;
  const Heading<F> turned{h.sin_phi * cos_p + h.cos_phi * sin_p, h.cos_phi * cos_p - h.sin_phi * sin_p,
                          h.sin_theta * (cos_t * stretch), (h.cot_theta - tan_t) / stretch,
                          -bending * s.charge * s.inverse_pt};
  h = turned;
  const float largest = 0.01f;  // rad2: there the first term left out is 8e-8
  const MaskOf<F> small = (p2 < largest) & (t2 < largest);
  if (all(small)) return;
  const Heading<F> whole = heading(s);
  h.sin_phi = select(small, turned.sin_phi, whole.sin_phi);
  h.cos_phi = select(small, turned.cos_phi, whole.cos_phi);
  h.sin_theta = select(small, turned.sin_theta, whole.sin_theta);
  h.cot_theta = select(small, turned.cot_theta, whole.cot_theta);
}

// In memory a state is a row of 32 floats, two cache lines: six parameters, charge, sine of phi, 21
// covariances; cosine of phi, sine and cotangent of theta. The heading is there for candidates only.
SITECAP_CONST int row_floats = 32;

// Parameters and charge from the first seven values of a row.
template <class F>
SITECAP_FN void take_parameters(const F* v, State<F>& s) {
  s.x = v[0];
  s.y = v[1];
  s.z = v[2];
  s.inverse_pt = v[3];
  s.phi = v[4];
  s.theta = v[5];
  s.charge = v[6];
}

// With the heading, which is that of a candidate.
template <class F>
SITECAP_FN Heading<F> load_candidate(const float* SITECAP_RESTRICT rows, const i32* row, State<F>& s) {
  F v[row_floats];
  load_rows<row_floats>(rows, row_floats, row, v);
  take_parameters(v, s);
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) s.c[k] = v[8 + k];
  return Heading<F>{v[7], v[29], v[30], v[31], -bending * s.charge * s.inverse_pt};
}
template <class F>
SITECAP_FN void load_state(const float* SITECAP_RESTRICT rows, const i32* row, State<F>& s) {
  (void)load_candidate(rows, row, s);
}

// Parameters, charge and heading only.
template <class F>
SITECAP_FN Heading<F> load_parameters(const float* SITECAP_RESTRICT rows, const i32* row, State<F>& s) {
  F v[8], direction[4];
  load_rows<8>(rows, row_floats, row, v);
  load_rows<4>(rows + 28, row_floats, row, direction);
  take_parameters(v, s);
  return Heading<F>{v[7], direction[1], direction[2], direction[3], -bending * s.charge * s.inverse_pt};
}

template <class F>
SITECAP_FN void store_candidate(float* SITECAP_RESTRICT rows, const i32* row, int lanes, const State<F>& s,
                                const Heading<F>& h) {
  F v[row_floats] = {s.x, s.y, s.z, s.inverse_pt, s.phi, s.theta, s.charge, h.sin_phi};
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) v[8 + k] = s.c[k];
  v[29] = h.cos_phi;
  v[30] = h.sin_theta;
  v[31] = h.cot_theta;
  store_rows<row_floats>(rows, row_floats, row, lanes, v);
}

template <class F>
SITECAP_FN void store_state(float* SITECAP_RESTRICT rows, const i32* row, int lanes, const State<F>& s) {
  store_candidate(rows, row, lanes, s, Heading<F>{});
}

// Completes rows of a state without a heading.
template <class F>
SITECAP_FN void set_heading(float* SITECAP_RESTRICT rows, const i32* row, int lanes) {
  State<F> s;
  load_state(rows, row, s);
  store_candidate(rows, row, lanes, s, heading(s));
}

// A measured point: a row of eight floats. The covariance is of the plane of measurement: tangential
// direction, and along the beam line (cylinders) or the radius (discs).
template <class F>
struct Point {
  F x, y, z;     // cm
  F tt, tl, ll;  // cm2
  F ux, uy;      // unit vector from the beam line to the point
};
SITECAP_CONST int point_floats = 8;

template <class F>
SITECAP_FN void load_point(const float* SITECAP_RESTRICT rows, const i32* row, Point<F>& p) {
  F v[point_floats];
  load_rows<point_floats>(rows, point_floats, row, v);
  p = Point<F>{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

}  // namespace sitecap::mkfit
