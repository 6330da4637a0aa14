// How well and how often a CMS-like tracker measures a charged particle: parametrised, not simulated.
//
// Figures are read from the CMS tracking paper (JINST 9 (2014) P10009, TRK-11-001: at 100 GeV 2.8 % in pT, 10
// um across and 30 um along the beam in the barrel; at 1 GeV some ten times that; efficiency 94 % in the
// barrel and 85 % beyond) with the smaller multiple scattering of the phase-1 pixel detector, whose first
// layer lies at 2.9 instead of 4.4 cm (JINST 16 (2021) P02027). The form, a constant term and one of multiple
// scattering, is the usual one: the scattering term goes as 1/(pT sqrt(sin theta)) across the track.
#pragma once
#include "simulation/tracks/perigee.h"
#include "sitecap/random.h"

namespace sitecap::simulation::tracks {

inline constexpr double largest_eta = 2.5;

struct Resolution {
  double sigma[parameters];  // of the five parameters, in their units
};

inline double quadratic(double a, double b) {
  return precise::square_root(a * a + b * b);
}

inline Resolution resolution_of(double pt_gev, double cot) {
  const double inverse_sine = precise::square_root(1.0 + cot * cot);  // 1 / sin(theta)
  const double root = precise::square_root(inverse_sine);
  const double scatter = root / pt_gev;
  Resolution r{};
  r.sigma[q_over_pt] = quadratic(0.007 * root, 0.00028 * pt_gev * (1.0 + 0.05 * cot * cot)) / pt_gev;
  r.sigma[azimuth] = quadratic(1.0e-4, 1.6e-3 * scatter);
  r.sigma[cot_theta] = quadratic(4.0e-4 * inverse_sine, 1.5e-3 * scatter * inverse_sine * inverse_sine);
  r.sigma[d0] = quadratic(10e-4, 75e-4 * scatter);
  r.sigma[z0] =
      quadratic(25e-4 * precise::square_root(1.0 + 0.25 * cot * cot), 75e-4 * scatter * inverse_sine);
  return r;
}

// The innermost hit is a few cm from the beam line, so the angles and the impact parameters that are
// extrapolated with them go together; the transverse and the longitudinal view are independent.
inline constexpr double correlation[parameters][parameters] = {
    {1.00, 0.40, 0.00, -0.30, 0.00},   // q/pT
    {0.40, 1.00, 0.00, -0.85, 0.00},   // phi
    {0.00, 0.00, 1.00, 0.00, -0.80},   // cot theta
    {-0.30, -0.85, 0.00, 1.00, 0.00},  // d0
    {0.00, 0.00, -0.80, 0.00, 1.00},   // z0
};

// Five numbers of unit variance with these correlations: the matrix's Cholesky factor times independent ones.
inline void correlated_normals(Random& random, double (&values)[parameters]) {
  double factor[parameters][parameters] = {};
  for (int i = 0; i < parameters; ++i) {
    for (int j = 0; j <= i; ++j) {
      double sum = correlation[i][j];
      for (int k = 0; k < j; ++k) sum -= factor[i][k] * factor[j][k];
      factor[i][j] = i == j ? precise::square_root(sum) : sum / factor[j][j];
    }
  }
  double independent[parameters];
  for (double& value : independent) value = random.normal();
  for (int i = 0; i < parameters; ++i) {
    values[i] = 0.0;
    for (int j = 0; j <= i; ++j) values[i] += factor[i][j] * independent[j];
  }
}

// Probability that a particle becomes a track, by transverse momentum, pseudorapidity, distance of its origin
// from the beam line, and whether it is a muon (which does not interact in the tracker's material).
inline double efficiency_of(double pt_gev, double eta, double origin_radius_cm, bool muon) {
  const double a = precise::absolute(eta);
  if (a > largest_eta) return 0.0;
  const double plateau = muon ? 0.99 : (a < 0.9 ? 0.94 : 0.85);
  const double turn_on = 1.0 / (1.0 + precise::exponential((0.20 - pt_gev) / 0.06));
  // displaced tracks: full within the first pixel layer, none from beyond the inner strip layers
  const double displaced =
      origin_radius_cm < 2.9
          ? 1.0
          : (origin_radius_cm < 40.0 ? precise::exponential((2.9 - origin_radius_cm) / 12.0) : 0.0);
  return plateau * turn_on * displaced;
}

}  // namespace sitecap::simulation::tracks
