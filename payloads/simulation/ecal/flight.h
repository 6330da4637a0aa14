// From a collision to the calorimeter: in the field, electrons radiating in the tracker's material on their
// way.
#pragma once
#include <vector>

#include "simulation/ecal/crystals.h"
#include "simulation/generator.h"
#include "sitecap/random.h"

namespace sitecap::simulation::ecal {

// What hits the front of the calorimeter.
struct Arrival {
  Vector position;  // cm
  Vector direction;
  double energy_gev;
  bool in_barrel;
};

// To the barrel's cylinder or, past its ends, to an endcap's disc; false if the particle curls up or misses
// both.
inline bool arrives(const State& state, Arrival& arrival) {
  const Helix helix(state);
  for (const bool in_barrel : {true, false}) {
    const double way = in_barrel ? helix.to_cylinder(barrel_radius_cm, 0.0)
                                 : helix.to_disc(state.direction.z < 0.0 ? -endcap_z_cm : endcap_z_cm, 0.0);
    if (way >= never) continue;
    State there = state;
    helix.move(there, way);
    const double eta = precise::absolute(eta_of(there.position));
    if (in_barrel ? eta >= barrel_eta : eta <= barrel_eta || eta >= endcap_eta) continue;
    arrival = {there.position, there.direction, state.energy_gev(), in_barrel};
    return true;
  }
  return false;
}

// Material before the calorimeter in radiation lengths: 0.4 in the centre, 1.8 at |eta| = 1.4, 1.3 beyond 2
// (CMS, JINST 16 (2021) P05014, figure 1).
inline double radiation_lengths(double eta) {
  const double a = precise::absolute(eta);
  if (a < 0.8) return 0.4 + 0.25 * a;
  if (a < 1.4) return 0.6 + 2.0 * (a - 0.8);
  return a < 2.0 ? 1.8 - 0.8 * (a - 1.4) : 1.3;
}

// Follows an electron through twelve thin cylinders, each with its part of the material. Photons that take a
// fraction y > 0.01 leave it along its direction: (4/3 - 4/3 y + y^2) dy / y a radiation length (B. Rossi,
// High-Energy Particles, 1952), so that an electron keeps e^-t of its energy on average. Appends arrivals,
// the electron's own first if it arrives. Photons do not convert.
inline void radiate(State state, Random& random, std::vector<Arrival>& arrivals) {
  constexpr double least_fraction = 0.01;
  constexpr int layers = 12;
  const double thickness =
      radiation_lengths(precise::inverse_hyperbolic_sine(
          state.direction.z / precise::square_root(state.direction.x * state.direction.x +
                                                   state.direction.y * state.direction.y))) /
      layers;
  const double spread = -precise::logarithm(least_fraction);
  std::vector<Arrival> photons;
  for (int layer = 0; layer < layers; ++layer) {
    const Helix helix(state);
    const double way = helix.to_cylinder(4.0 + 9.0 * layer, 0.0);
    if (way >= never || precise::absolute(state.position.z + way * state.direction.z) > 280.0) continue;
    helix.move(state, way);
    const i32 emitted = random.poisson(4.0 / 3.0 * spread * thickness);
    for (i32 i = 0; i < emitted; ++i) {
      const double fraction = precise::exponential(-spread * random.uniform());
      if (random.uniform() > 1.0 - fraction + 0.75 * fraction * fraction) continue;
      const double energy = fraction * state.p_gev;
      if (state.p_gev - energy < 0.1) continue;
      state.p_gev -= energy;
      Arrival photon;
      if (arrives({state.position, state.direction, energy, 0.0, 0}, photon)) photons.push_back(photon);
    }
  }
  Arrival electron;
  if (arrives(state, electron)) arrivals.push_back(electron);
  arrivals.insert(arrivals.end(), photons.begin(), photons.end());
}

}  // namespace sitecap::simulation::ecal
