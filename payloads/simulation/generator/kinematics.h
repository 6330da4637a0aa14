// Momenta: what the parts of the generator share.
#pragma once
#include "simulation/generator.h"
#include "sitecap/random.h"

namespace sitecap::simulation {

// Masses in GeV (Particle Data Group 2022).
namespace mass {
inline constexpr double electron = 0.000510999, muon = 0.105658, pion = 0.139570, neutral_pion = 0.134977;
inline constexpr double kaon = 0.493677, neutral_kaon = 0.497611, proton = 0.938272, neutron = 0.939565;
inline constexpr double lambda = 1.115683;
}  // namespace mass

struct Momentum {
  double px, py, pz, e;  // GeV
};

inline Momentum of_mass(double px, double py, double pz, double mass_gev) {
  return {px, py, pz, precise::square_root(px * px + py * py + pz * pz + mass_gev * mass_gev)};
}
inline double transverse(const Momentum& p) {
  return precise::square_root(p.px * p.px + p.py * p.py);
}
inline double pseudorapidity(const Momentum& p) {
  const double pt = transverse(p);
  return precise::inverse_hyperbolic_sine(p.pz / (pt > 1e-12 ? pt : 1e-12));
}

// From transverse momentum, azimuth and rapidity.
inline Momentum at_rapidity(double pt_gev, double phi, double rapidity, double mass_gev) {
  double sine, cosine;
  precise::sine_cosine(phi, sine, cosine);
  const double mt = precise::square_root(pt_gev * pt_gev + mass_gev * mass_gev);
  return of_mass(pt_gev * cosine, pt_gev * sine, mt * precise::hyperbolic_sine(rapidity), mass_gev);
}
// From transverse momentum, azimuth and pseudorapidity.
inline Momentum at_pseudorapidity(double pt_gev, double phi, double eta, double mass_gev) {
  double sine, cosine;
  precise::sine_cosine(phi, sine, cosine);
  return of_mass(pt_gev * cosine, pt_gev * sine, pt_gev * precise::hyperbolic_sine(eta), mass_gev);
}

// `p`, given in the rest frame of `parent` (of mass `parent_mass_gev`), as the laboratory sees it.
inline Momentum boosted(const Momentum& p, const Momentum& parent, double parent_mass_gev) {
  const double along = parent.px * p.px + parent.py * p.py + parent.pz * p.pz;
  const double factor = (along / (parent.e + parent_mass_gev) + p.e) / parent_mass_gev;
  return {p.px + parent.px * factor, p.py + parent.py * factor, p.pz + parent.pz * factor,
          (parent.e * p.e + along) / parent_mass_gev};
}

// Isotropic decay into two of the given masses.
inline void decay(Random& random, const Momentum& parent, double parent_mass_gev, double first_mass_gev,
                  double second_mass_gev, Momentum& first, Momentum& second) {
  const double m2 = parent_mass_gev * parent_mass_gev;
  const double sum = first_mass_gev + second_mass_gev, difference = first_mass_gev - second_mass_gev;
  const double p =
      precise::square_root((m2 - sum * sum) * (m2 - difference * difference)) / (2.0 * parent_mass_gev);
  const double z = random.uniform(-1.0, 1.0);
  const double r = precise::square_root(1.0 - z * z);
  double sine, cosine;
  precise::sine_cosine(random.uniform(-precise::pi, precise::pi), sine, cosine);
  const double px = p * r * cosine, py = p * r * sine, pz = p * z;
  first = boosted(of_mass(px, py, pz, first_mass_gev), parent, parent_mass_gev);
  second = boosted(of_mass(-px, -py, -pz, second_mass_gev), parent, parent_mass_gev);
}

}  // namespace sitecap::simulation
