// What hadrons and muons leave in the hadron calorimeter.
#pragma once
#include "simulation/calorimeters/towers.h"
#include "simulation/ecal/shower.h"
#include "simulation/generator.h"
#include "simulation/geometry/material.h"
#include "sitecap/random.h"

namespace sitecap::simulation::calorimeters {

// Brass with tiles: 5.8 interaction lengths in the 108 cm of the barrel at eta = 0 (CMS, JINST 3 (2008)
// S08004, 5.1); a radiation length in the same proportion as in brass (16.4 and 1.49 cm).
inline constexpr double interaction_length_cm = 18.5, radiation_length_cm = 1.68;
// Non-compensation: electromagnetic share 1 - (E / 1 GeV)^-0.18 (D. Groom, NIM A 572 (2007) 633), e/h = 1.4
// (CMS, EPJ C 60 (2009) 359); the scale is right for 50 GeV.
inline constexpr double groom_power = -0.18, h_over_e = 1.0 / 1.4, scale_gev = 50.0;
// Resolution of hadrons, EPJ C 60 (2009) 359: 85 %/sqrt(E) + 7 % together with the crystals, of which these
// make a part themselves (ecal/shower.h).
inline constexpr double stochastic = 0.85, constant = 0.05;
// Two parts along the shower (R. Bock, T. Hansl-Kozanecka, T. Shah, NIM 186 (1981) 533): gamma distributions
// of shape 0.62 + 0.32 ln E, rates 0.22 a radiation length and 0.91 - 0.02 ln E an interaction length.
inline constexpr double em_part = 0.46;
// Across: 2 r R^2 / (r^2 + R^2)^2; 90 % within 3 R. A shower's 90 % lie within about an interaction length.
inline constexpr double em_radius_cm = 2.0, hadron_radius_cm = 6.0;
// A muon loses some 2.2 GeV on 108 cm (JINST 3 S08004, 5.1).
inline constexpr double muon_gev_per_cm = 0.02;

inline double groom_response(double energy_gev) {
  const double hadronic =
      energy_gev < 1.0 ? 1.0 : precise::exponential(groom_power * precise::logarithm(energy_gev));
  return 1.0 - hadronic * (1.0 - h_over_e);
}

// Where a particle enters; false if it does not.
inline bool enters(const State& state, Vector& position, Vector& direction) {
  const Helix helix(state);
  const double to_barrel = helix.to_cylinder(barrel_r_cm[0], 0.0);
  if (to_barrel < never) {
    helix.at(to_barrel, position, direction);
    if (precise::absolute(position.z) < barrel_end_cm) return true;
  }
  const double to_endcap = helix.to_disc(state.direction.z < 0.0 ? -endcap_z_cm[0] : endcap_z_cm[0], 0.0);
  if (to_endcap >= never) return false;
  helix.at(to_endcap, position, direction);
  const double eta = precise::absolute(ecal::eta_of(position));
  return eta > ring_eta[barrel_rings - 1] && eta < ring_eta[rings];
}

// Shares a shower of this visible energy in equal spots. Calls put(point, energy).
template <class Put>
void share_hadron(const Vector& entry, const Vector& direction, double true_gev, double visible_gev,
                  double start_lengths, Random& random, Put&& put) {
  using namespace precise;
  const int spots = static_cast<int>(clamp(20.0 + 10.0 * visible_gev, 20.0, 300.0));
  const double log_energy = logarithm(true_gev < 1.0 ? 1.0 : true_gev);
  const double shape = 0.62 + 0.32 * log_energy;
  const double rate = 0.91 - 0.02 * log_energy;
  Vector first, second;
  axes_across(direction, first, second);
  for (int spot = 0; spot < spots; ++spot) {
    const bool em = random.uniform() < em_part;
    const double depth = em ? random.gamma(shape) / 0.22 * radiation_length_cm
                            : random.gamma(shape) / rate * interaction_length_cm;
    const double u = random.uniform();
    const double r = (em ? em_radius_cm : hadron_radius_cm) * min_of(square_root(u / (1.0 - u)), 8.0);
    double sine, cosine;
    sine_cosine(random.uniform(-pi, pi), sine, cosine);
    put(entry + (start_lengths * interaction_length_cm + depth) * direction + r * cosine * first +
            r * sine * second,
        visible_gev / spots);
  }
}

// A muon's way to the back, in steps of 3 cm with gamma-distributed losses.
template <class Put>
void share_muon(const Vector& entry, const Vector& direction, Random& random, Put&& put) {
  for (double s = 1.5; s < 160.0; s += 3.0)
    put(entry + s * direction, 3.0 * muon_gev_per_cm * random.gamma(2.0) / 2.0);
}

}  // namespace sitecap::simulation::calorimeters
