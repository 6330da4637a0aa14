// Where a charged particle comes closest to the beam line: the five parameters that a tracker's fit gives.
#pragma once
#include "simulation/generator.h"
#include "sitecap/maths_double.h"

namespace sitecap::simulation::tracks {

// Solenoid along +z: curvature of the circle in the transverse plane, 1/cm, of a unit charge with 1 GeV.
inline constexpr double field_tesla = 3.8;
inline constexpr double curvature_per_inverse_gev = -0.00299792458 * field_tesla;

// In the order of the covariance matrix. d0 = -x sin(phi) + y cos(phi) of the point of closest approach to
// the beam line, which is CMS's dxy; z0 is that point's z.
enum Parameter { q_over_pt, azimuth, cot_theta, d0, z0, parameters };

struct Perigee {
  double value[parameters];  // 1/GeV, rad, 1, cm, cm
};

// Of a helix through (x, y, z) to the line (0, 0). Stable for straight tracks: nothing is divided by the
// curvature.
inline Perigee perigee_of(const Particle& p) {
  using namespace precise;
  const double pt = square_root(p.px_gev * p.px_gev + p.py_gev * p.py_gev);
  const double sine = p.py_gev / pt, cosine = p.px_gev / pt;
  const double cot = p.pz_gev / pt;
  const double curvature = curvature_per_inverse_gev * p.charge / pt;
  // from the particle to the line
  const double dx = -p.x_cm, dy = -p.y_cm;
  const double vx = curvature * dx + sine, vy = curvature * dy - cosine;
  const double length = square_root(vx * vx + vy * vy);
  const double across = (curvature * (dx * dx + dy * dy) + 2.0 * (sine * dx - cosine * dy)) / (1.0 + length);
  const double new_sine = vx / length, new_cosine = -vy / length;
  const double turn =
      arc_tangent(new_sine * cosine - new_cosine * sine, new_cosine * cosine + new_sine * sine);
  // sin(turn) / turn -> 1: the arc is the chord's projection for the small turns that matter
  const double chord = (dx * cosine + dy * sine) / length;
  const double way = absolute(turn) < 1e-6 ? chord : turn / curvature;
  Perigee perigee{};
  perigee.value[q_over_pt] = p.charge / pt;
  perigee.value[azimuth] = arc_tangent(new_sine, new_cosine);
  perigee.value[cot_theta] = cot;
  perigee.value[d0] = across;
  perigee.value[z0] = p.z_cm + cot * way;
  return perigee;
}

}  // namespace sitecap::simulation::tracks
