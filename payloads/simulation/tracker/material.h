// What a layer's material does to a charged particle.
#pragma once
#include "simulation/tracker/flight.h"
#include "sitecap/random.h"

namespace sitecap::simulation::tracker {

// Mean energy loss in GeV per radiation length of silicon (21.82 g/cm2; Bethe with the density effect of its
// asymptotic form: Particle Data Group, "Passage of particles through matter").
inline double mean_loss_gev(double momentum_gev, double mass_gev) {
  const double ratio = momentum_gev / mass_gev;
  const double beta2 = ratio * ratio / (1.0 + ratio * ratio);
  const double log_ratio = precise::logarithm(ratio);
  const double density = log_ratio - 2.2177;  // ln(31.05 eV / 173 eV) - 1/2
  const double bracket =
      8.6838 + 2.0 * log_ratio - beta2 - (density > 0.0 ? density : 0.0);  // ln(2 m_e / 173 eV)
  return 3.336e-3 / beta2 * (bracket > 1.0 ? bracket : 1.0);
}

// Scatters (Highland: 13.6 MeV / (beta p) sqrt(x) (1 + 0.038 ln x)) and slows; false if the particle stops
// or, a hadron, interacts with a nucleus. `cosine` is that of the angle to the layer's normal.
inline bool pass_material(Flight& flight, double mass_gev, bool hadron, double radiation_lengths,
                          double cosine, Random& random) {
  const double x = radiation_lengths / (cosine > 0.1 ? cosine : 0.1);
  double sine, along;
  precise::sine_cosine(flight.theta, sine, along);
  const double momentum = flight.pt_gev / sine;
  const double energy = precise::square_root(momentum * momentum + mass_gev * mass_gev);
  const double angle = 0.0136 * energy / (momentum * momentum) * precise::square_root(x) *
                       (1.0 + 0.038 * precise::logarithm(x));
  // seven tenths of the mean surely and the rest as an exponential: a Landau tail of sorts, with the right
  // mean
  const double loss = mean_loss_gev(momentum, mass_gev) * x * (0.7 + 0.3 * random.exponential());
  const double polar = angle * random.normal(), azimuthal = angle * random.normal();
  // 0.3: tracker materials have some 0.3 nuclear interaction lengths to a radiation length (S08004,
  // figure 3.3)
  const bool interacts = hadron && random.uniform() < 1.0 - precise::exponential(-0.3 * x);
  const double left = energy - loss;
  if (interacts || left < 1.05 * mass_gev + 0.01) return false;
  flight.theta += polar;
  flight.phi += azimuthal / sine;
  if (flight.theta < 0.01 || flight.theta > precise::pi - 0.01) return false;
  precise::sine_cosine(flight.theta, sine, along);
  flight.pt_gev = precise::square_root(left * left - mass_gev * mass_gev) * sine;
  return true;
}

}  // namespace sitecap::simulation::tracker
