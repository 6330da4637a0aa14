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

// In memory a state is a row of 32 floats, two cache lines: six parameters, charge, one spare, 21
// covariances, three spare.
SITECAP_CONST int row_floats = 32;

template <class F>
SITECAP_FN void load_state(const float* SITECAP_RESTRICT rows, const i32* row, State<F>& s) {
  F v[row_floats];
  load_rows<row_floats>(rows, row_floats, row, v);
  s.x = v[0];
  s.y = v[1];
  s.z = v[2];
  s.inverse_pt = v[3];
  s.phi = v[4];
  s.theta = v[5];
  s.charge = v[6];
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) s.c[k] = v[8 + k];
}

// Parameters and charge only.
template <class F>
SITECAP_FN void load_parameters(const float* SITECAP_RESTRICT rows, const i32* row, State<F>& s) {
  F v[8];
  load_rows<8>(rows, row_floats, row, v);
  s.x = v[0];
  s.y = v[1];
  s.z = v[2];
  s.inverse_pt = v[3];
  s.phi = v[4];
  s.theta = v[5];
  s.charge = v[6];
}

template <class F>
SITECAP_FN void store_state(float* SITECAP_RESTRICT rows, const i32* row, int lanes, const State<F>& s) {
  F v[row_floats] = {s.x, s.y, s.z, s.inverse_pt, s.phi, s.theta, s.charge, F{}};
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) v[8 + k] = s.c[k];
  v[29] = v[30] = v[31] = F{};
  store_rows<row_floats>(rows, row_floats, row, lanes, v);
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
