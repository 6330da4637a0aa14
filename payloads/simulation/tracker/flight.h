// A charged particle between two surfaces, in double precision: a helix in 3.8 T along z.
#pragma once
#include "sitecap/maths_double.h"

namespace sitecap::simulation::tracker {

// c * 3.8 T: GeV/c per cm of radius
inline constexpr double bending_gev_per_cm = 0.00299792458 * 3.8;

struct Flight {
  double x_cm, y_cm, z_cm;
  double phi, theta;  // of the momentum
  double pt_gev;
  int charge;
};

// Turned by the angle `turn` (in azimuth); a positive charge turns clockwise.
inline Flight turned(const Flight& from, double turn) {
  const double radius_cm = -from.pt_gev / (bending_gev_per_cm * from.charge);
  double sine, cosine, half_sine, half_cosine;
  precise::sine_cosine(from.phi + 0.5 * turn, sine, cosine);
  precise::sine_cosine(0.5 * turn, half_sine, half_cosine);
  const double chord = 2.0 * radius_cm * half_sine;
  precise::sine_cosine(from.theta, half_sine, half_cosine);
  Flight to = from;
  to.x_cm += chord * cosine;
  to.y_cm += chord * sine;
  to.z_cm += radius_cm * turn * half_cosine / half_sine;
  to.phi += turn;
  return to;
}

// To a disc at z; false if it would turn by more than `largest_turn` before.
inline bool to_z(const Flight& from, double z_cm, double largest_turn, Flight& to) {
  double sine, cosine;
  precise::sine_cosine(from.theta, sine, cosine);
  if (precise::absolute(cosine) < 1e-6) return false;
  const double turn = -(z_cm - from.z_cm) * sine / cosine * bending_gev_per_cm * from.charge / from.pt_gev;
  if (precise::absolute(turn) > largest_turn) return false;
  to = turned(from, turn);
  return true;
}

// To where it leaves a cylinder; false if it does not reach it within `largest_turn`.
//
// With u = 2 R tan(turn / 2): u^2 (1 + b/R - d/(4 R^2)) + 2 a u - d = 0, a and b the components of the
// position along and across the momentum, d = r^2 - r0^2: no difference of large numbers for stiff tracks.
inline bool to_radius(const Flight& from, double radius_cm, double largest_turn, Flight& to) {
  double sine, cosine;
  precise::sine_cosine(from.phi, sine, cosine);
  const double curvature = -bending_gev_per_cm * from.charge / from.pt_gev;
  const double a = from.x_cm * cosine + from.y_cm * sine, b = from.y_cm * cosine - from.x_cm * sine;
  const double d = radius_cm * radius_cm - from.x_cm * from.x_cm - from.y_cm * from.y_cm;
  const double factor = 1.0 + curvature * b - 0.25 * d * curvature * curvature;
  const double root2 = a * a + factor * d;
  if (root2 <= 0.0) return false;
  const double u = d / (a + precise::square_root(root2));
  const double turn = 2.0 * precise::arc_tangent(0.5 * u * curvature, 1.0);
  if (precise::absolute(turn) > largest_turn) return false;
  to = turned(from, turn);
  return true;
}

}  // namespace sitecap::simulation::tracker
