// What matter does to a particle that passes a thin layer of it: scattering, loss of energy, radiation.
#pragma once
#include "simulation/helix.h"
#include "sitecap/random.h"

namespace sitecap::simulation {

// A layer of matter as a particle at normal incidence sees it.
struct Matter {
  double radiation_lengths;
  double grams_per_cm2;
};

// Energy of one electron mass, GeV; mean excitation energy of carbon, GeV (trackers are mostly carbon and
// silicon, whose losses per g/cm^2 differ by 5 %).
inline constexpr double electron_mass_gev = 0.000510999, excitation_gev = 81e-9;

// Standard deviation of the projected angle, radians: Highland's formula (Particle Data Group, "Passage of
// particles through matter", eq. 34.16) for unit charge.
inline double scattering_angle(double p_gev, double mass_gev, double radiation_lengths) {
  if (radiation_lengths <= 0.0) return 0.0;
  const double energy = precise::square_root(p_gev * p_gev + mass_gev * mass_gev);
  const double correction = 1.0 + 0.038 * precise::logarithm(radiation_lengths);
  return 0.0136 * energy / (p_gev * p_gev) * precise::square_root(radiation_lengths) *
         (correction > 0.3 ? correction : 0.3);
}

// Two unit vectors across a direction.
inline void axes_across(const Vector& u, Vector& first, Vector& second) {
  const double across = precise::square_root(u.x * u.x + u.y * u.y);
  if (across > 1e-6) {
    first = {-u.y / across, u.x / across, 0.0};
    second = {-u.z * u.x / across, -u.z * u.y / across, across};
  } else {
    first = {1.0, 0.0, 0.0};
    second = {0.0, 1.0, 0.0};
  }
}

// Turns a direction by Gaussian angles of this standard deviation in both planes.
inline void scatter(Vector& direction, double angle, Random& random) {
  const double a = angle * random.normal(), b = angle * random.normal();
  Vector first, second;
  axes_across(direction, first, second);
  direction = unit(direction + a * first + b * second);
}

// Turns a direction by a polar angle, given by its cosine, and an azimuth about it.
inline void turn(Vector& direction, double cosine, double azimuth) {
  Vector first, second;
  axes_across(direction, first, second);
  const double sine = precise::square_root(1.0 - cosine * cosine);
  double s, c;
  precise::sine_cosine(azimuth, s, c);
  direction = unit(cosine * direction + (sine * c) * first + (sine * s) * second);
}

// Mean loss by ionisation, GeV: Bethe's formula without density effect, per g/cm^2 of matter with Z/A = 0.5.
inline double ionisation_loss_gev(double p_gev, double mass_gev, double grams_per_cm2) {
  const double square = (p_gev / mass_gev) * (p_gev / mass_gev);  // (beta gamma)^2
  const double beta2 = square / (1.0 + square);
  // the density effect keeps the logarithm from growing beyond beta gamma of about 100
  const double bounded = square < 1e4 ? square : 1e4;
  return 0.5 * 0.307075e-3 / beta2 *
         (precise::logarithm(2.0 * electron_mass_gev * bounded / excitation_gev) - beta2) * grams_per_cm2;
}

// Takes energy away. False if the particle stops.
inline bool slow_down(State& state, double loss_gev) {
  const double energy = state.energy_gev() - loss_gev;
  const double p2 = energy * energy - state.mass_gev * state.mass_gev;
  if (energy <= state.mass_gev || p2 < 1e-8) return false;  // 0.1 MeV
  state.p_gev = precise::square_root(p2);
  return true;
}

// All of it for a charged particle that passes `matter` of which it sees `thicker` times the normal
// thickness. Electrons lose energy to photons (Bethe and Heitler: -ln of the part kept is gamma distributed
// with shape t / ln 2); those photons are the caller's to follow. False if the particle stops.
inline bool pass(State& state, const Matter& matter, double thicker, Random& random) {
  const double lengths = matter.radiation_lengths * thicker;
  scatter(state.direction, scattering_angle(state.p_gev, state.mass_gev, lengths), random);
  if (state.mass_gev < 0.001) {
    const double kept = precise::exponential(-random.gamma(lengths / 0.69314718055994531));
    if (!slow_down(state, (1.0 - kept) * state.energy_gev())) return false;
  }
  return slow_down(state, ionisation_loss_gev(state.p_gev, state.mass_gev, matter.grams_per_cm2 * thicker));
}

}  // namespace sitecap::simulation
