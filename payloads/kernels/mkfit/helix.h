// Propagation of state and covariance along a helix to a cylinder, a disc or the beam line: closed forms, no
// iteration.
//
// With the half-angle tangent t = tan(turn / 2) and u = 2 R t every point of the circle is p + u / (1 + t^2)
// (e + t n), e along the momentum and n across it, so that |p'|^2 = r^2 becomes a quadratic in u whose stable
// root has no difference of large numbers for stiff tracks. The covariance goes first to a fixed length of
// path, where the Jacobian differs from one in six entries only. Measurements are taken along axes at right
// angles to the track (update.h); only the end of the fit is projected onto a plane: d' =
// d - f (n.d) / (n.f), f the change of the state by path (A. Strandlie, W. Wittek, NIM A 566 (2006) 687,
// treat both steps).
#pragma once
#include "kernels/mkfit/state.h"

namespace sitecap::mkfit {

// rad, half of the largest turn between two surfaces: beyond, a track curls up and is given up
SITECAP_CONST float largest_half_tangent = 0.4f;

// Kinds of surface: an `either` chooses by a mask in each lane.
SITECAP_CONST int cylinder = 0, disc = 1, either = 2;

// A piece of helix: t = tan(turn / 2), u = 2 R t and the transverse length of path, in cm.
template <class F>
struct Arc {
  F t, u, path;
};

// u = 2 R t to path = 2 R atan(t), |t| <= largest_half_tangent (a polynomial for atan(t) / t, best in the
// largest error, which is 2e-8)
template <class F>
SITECAP_FN Arc<F> arc_of_chord(F u, F curvature) {
  const F t = 0.5f * u * curvature;
  const F z = t * t;
  const F z2 = z * z;  // in pairs: the chain of operations is half as long
  const F series = (0.33333041f - z * 0.19981703f) + z2 * (0.13925982f - z * 0.0822668f);
  return {t, u, u - (u * z) * series};
}
// the other way round (the same for tan(a) / a, a = turn / 2; 3e-9)
template <class F>
SITECAP_FN Arc<F> arc_of_path(F path, F curvature) {
  const F a = 0.5f * path * curvature;
  const F z = a * a;
  const F z2 = z * z;
  const F series = (0.33333285f + z * 0.13336248f) + z2 * (0.0534293f + z * 0.02573098f);
  const F ratio = 1.f + z * series;
  return {a * ratio, path * ratio, path};
}

// u to the cylinder of this squared radius (cm2): the nearer crossing in the direction that the radius asks
// for. `met` is false where the circle stays off the cylinder.
template <class F>
SITECAP_FN F chord_to_cylinder(const State<F>& s, const Heading<F>& h, F radius2, MaskOf<F>& met) {
  const F a = s.x * h.cos_phi + s.y * h.sin_phi;
  const F b = s.y * h.cos_phi - s.x * h.sin_phi;
  const F d = radius2 - (s.x * s.x + s.y * s.y);
  const F factor = 1.f + h.curvature * (b - 0.25f * d * h.curvature);
  const F root2 = a * a + factor * d;
  const F sum = a + square_root(larger(root2, F{}));
  met = (root2 > 0.f) & (sum > 1e-6f);
  return d / larger(sum, all_lanes<F>(1e-6f));
}
template <class F>
SITECAP_FN Arc<F> arc_to_cylinder(const State<F>& s, const Heading<F>& h, F radius2, MaskOf<F>& reached) {
  MaskOf<F> met;
  const Arc<F> arc = arc_of_chord(chord_to_cylinder(s, h, radius2, met), h.curvature);
  reached = met & (absolute(arc.t) < largest_half_tangent);
  return arc;
}

// To the disc at z (cm).
template <class F>
SITECAP_FN Arc<F> arc_to_disc(const State<F>& s, const Heading<F>& h, F z, MaskOf<F>& reached) {
  const F path = (z - s.z) / h.cot_theta;
  reached = absolute(path * h.curvature) < 2.f * largest_half_tangent;
  return arc_of_path(select(reached, path, F{}), h.curvature);
}

// To the point of the circle that is nearest to the beam line (x = y = 0).
template <class F>
SITECAP_FN Arc<F> arc_to_beam_line(const State<F>& s, const Heading<F>& h, MaskOf<F>& reached) {
  const F a = s.x * h.cos_phi + s.y * h.sin_phi;
  const F b = s.y * h.cos_phi - s.x * h.sin_phi;
  const F across = 1.f + h.curvature * b, along = h.curvature * a;
  const Arc<F> arc =
      arc_of_chord(-2.f * a / (square_root(across * across + along * along) + across), h.curvature);
  reached = absolute(arc.t) < largest_half_tangent;
  return arc;
}

// What the parameters change by along an arc, and the heading at its end: the chord halves the turn, so that
// the two headings add up to twice the part of one along it.
template <class F>
SITECAP_FN void move_parameters(State<F>& s, Heading<F>& h, const Arc<F>& arc, F& dx, F& dy) {
  const F shrink = 1.f / (1.f + arc.t * arc.t);
  const F chord_x = (h.cos_phi - arc.t * h.sin_phi) * shrink;
  const F chord_y = (h.sin_phi + arc.t * h.cos_phi) * shrink;
  dx = arc.u * chord_x;
  dy = arc.u * chord_y;
  s.x = s.x + dx;
  s.y = s.y + dy;
  s.z = s.z + arc.path * h.cot_theta;
  s.phi = s.phi + arc.path * h.curvature;
  h.cos_phi = (chord_x - h.cos_phi) + chord_x;
  h.sin_phi = (chord_y - h.sin_phi) + chord_y;
}

// What a state's change along an arc does to its errors, where the Jacobian differs from one: d x, d y and d
// phi by 1/pT (xi, yi, pi), d x and d y by phi (xp, yp), d z by theta (zt).
template <class F>
struct Jacobian {
  F xi, yi, xp, yp, zt, pi;
};

// Parameters along the arc; `h` is at the end afterwards.
template <class F>
SITECAP_FN Jacobian<F> move(State<F>& s, Heading<F>& h, const Arc<F>& arc) {
  // d position / d curvature, in the frame of the momentum at the start: polynomials in the turn (up to 0.8;
  // 2e-4)
  const F turn = arc.path * h.curvature, turn2 = turn * turn;
  const F along = turn * (0.33327289f - turn2 * 0.03257922f);
  const F across = 0.5f - turn2 * (1.f / 8.f - turn2 * (1.f / 144.f));
  const F bend = -bending * s.charge;  // d curvature / d (1/pT)
  const F scale = arc.path * arc.path * bend;
  Jacobian<F> j;
  j.xi = -scale * (along * h.cos_phi + across * h.sin_phi);
  j.yi = scale * (across * h.cos_phi - along * h.sin_phi);
  F dx, dy;
  move_parameters(s, h, arc, dx, dy);
  j.xp = -dy;
  j.yp = dx;
  j.zt = -arc.path * (1.f + h.cot_theta * h.cot_theta);
  j.pi = arc.path * bend;
  return j;
}

// The covariance at a fixed length of path.
template <class F>
SITECAP_FN void move_covariance(F* c, const Jacobian<F>& j) {
  const F xi = j.xi, yi = j.yi, xp = j.xp, yp = j.yp, zt = j.zt, pi_ = j.pi;
  // rows x, y and z: x + xi i + xp p, y + yi i + yp p, z + zt t; then p + pi i
  const F x3 = c[6] + xi * c[9] + xp * c[13];
  const F x4 = c[10] + xi * c[13] + xp * c[14];
  const F x5 = c[15] + xi * c[18] + xp * c[19];
  const F y3 = c[7] + yi * c[9] + yp * c[13];
  const F y4 = c[11] + yi * c[13] + yp * c[14];
  const F y5 = c[16] + yi * c[18] + yp * c[19];
  const F z3 = c[8] + zt * c[18];
  const F z4 = c[12] + zt * c[19];
  const F z5 = c[17] + zt * c[20];
  c[0] = c[0] + xi * (c[6] + x3) + xp * (c[10] + x4);
  c[1] = c[1] + (xi * c[7] + xp * c[11]) + (yi * x3 + yp * x4);
  c[2] = c[2] + yi * (c[7] + y3) + yp * (c[11] + y4);
  c[3] = c[3] + (xi * c[8] + xp * c[12]) + zt * x5;
  c[4] = c[4] + (yi * c[8] + yp * c[12]) + zt * y5;
  c[5] = c[5] + zt * (c[17] + z5);
  const F p3 = c[13] + pi_ * c[9];
  c[14] = c[14] + pi_ * (c[13] + p3);
  c[13] = p3;
  c[19] = c[19] + pi_ * c[18];
  c[10] = x4 + pi_ * x3;
  c[11] = y4 + pi_ * y3;
  c[12] = z4 + pi_ * z3;
  c[6] = x3;
  c[7] = y3;
  c[8] = z3;
  c[15] = x5;
  c[16] = y5;
  c[17] = z5;
}

// State and covariance along the arc.
template <class F>
SITECAP_FN void transport(State<F>& s, Heading<F>& h, const Arc<F>& arc) {
  const Jacobian<F> jacobian = move(s, h, arc);
  move_covariance(s.c, jacobian);
}

// The covariance of where the track crosses the plane parallel to the beam line with this normal through its
// state.
template <class F>
SITECAP_FN void project(State<F>& s, const Heading<F>& h, F nx, F ny) {
  F* c = s.c;
  const F inverse = 1.f / (nx * h.cos_phi + ny * h.sin_phi);
  const F mx = nx * inverse, my = ny * inverse;
  F v0 = mx * c[0] + my * c[1], v1 = mx * c[1] + my * c[2], v2 = mx * c[3] + my * c[4];
  F v3 = mx * c[6] + my * c[7], v4 = mx * c[10] + my * c[11], v5 = mx * c[15] + my * c[16];
  const F variance = mx * v0 + my * v1;  // of the length of path to the plane
  const F half = 0.5f * variance;
  const F fx = h.cos_phi, fy = h.sin_phi, fz = h.cot_theta, fp = h.curvature;
  v0 = v0 - half * fx, v1 = v1 - half * fy, v2 = v2 - half * fz, v4 = v4 - half * fp;
  c[0] = c[0] - 2.f * fx * v0;
  c[1] = c[1] - fx * v1 - fy * v0;
  c[2] = c[2] - 2.f * fy * v1;
  c[3] = c[3] - fx * v2 - fz * v0;
  c[4] = c[4] - fy * v2 - fz * v1;
  c[5] = c[5] - 2.f * fz * v2;
  c[6] = c[6] - fx * v3;
  c[7] = c[7] - fy * v3;
  c[8] = c[8] - fz * v3;
  c[10] = c[10] - fx * v4 - fp * v0;
  c[11] = c[11] - fy * v4 - fp * v1;
  c[12] = c[12] - fz * v4 - fp * v2;
  c[13] = c[13] - fp * v3;
  c[14] = c[14] - 2.f * fp * v4;
  c[15] = c[15] - fx * v5;
  c[16] = c[16] - fy * v5;
  c[17] = c[17] - fz * v5;
  c[19] = c[19] - fp * v5;
}

}  // namespace sitecap::mkfit
