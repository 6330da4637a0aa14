#include "simulation/electron/calorimeters.h"

#include "simulation/generator/kinematics.h"

namespace sitecap::simulation::electron {

namespace {

// What remains of the tracker's matter is met in so many pieces.
constexpr int pieces = 6;
constexpr double least_photon_gev = 0.02;
// Hadronic towers: 100 % / sqrt(E) and 5 % (CMS, JINST 3 (2008) S08004, 1.3.4), read out above 0.6 GeV; a
// muon's loss; what an electromagnetic shower of E GeV leaks behind 25.8 radiation lengths of crystal.
constexpr double stochastic = 1.0, constant = 0.05, muon_gev = 2.4, leaking_share = 0.006;

double along(const Helix& helix, const State& state) {
  const double to_barrel = helix.to_cylinder(ecal::barrel_radius_cm, 0.0);
  const double to_endcap =
      helix.to_disc(state.direction.z < 0.0 ? -ecal::endcap_z_cm : ecal::endcap_z_cm, 0.0);
  return to_barrel < to_endcap ? to_barrel : to_endcap;
}

}  // namespace

void Calorimeters::clear() {
  crystals_.clear();
  for (double& tower : towers_) tower = 0.0;
}

// Electrons radiate on in the matter between the pixel volume and the crystals: what section `ecal` says is
// there in all, less what they passed already (Bethe and Heitler, as in geometry/material.h). Photons do not
// convert there, hadrons do not interact.
void Calorimeters::fly(const pixel::Departure& departure, Random& random) {
  arrivals_.clear();
  State state = departure.state;
  std::vector<ecal::Arrival> photons;
  if (state.charge != 0 && state.mass_gev < 0.001) {
    const double eta = precise::inverse_hyperbolic_sine(
        state.direction.z / precise::square_root(state.direction.x * state.direction.x +
                                                 state.direction.y * state.direction.y + 1e-18));
    const double left = ecal::radiation_lengths(eta) - departure.radiation_lengths;
    for (int piece = 0; piece < pieces && left > 0.0; ++piece) {
      const Helix helix(state);
      const double way = along(helix, state);
      if (way >= never) return;
      helix.move(state, way / (pieces - piece + 0.5));
      const double kept = precise::exponential(-random.gamma(left / pieces / 0.69314718055994531));
      const double lost = (1.0 - kept) * state.p_gev;
      if (lost < least_photon_gev) continue;
      ecal::Arrival photon;
      if (ecal::arrives({state.position, state.direction, lost, 0.0, 0}, photon)) photons.push_back(photon);
      if (kept * state.p_gev < 0.005) break;
      state.p_gev *= kept;
    }
  }
  ecal::Arrival own;
  own.energy_gev = 0.0;
  if (ecal::arrives(state, own))
    arrivals_.push_back(own);
  else if (!photons.empty())
    arrivals_.push_back({photons[0].position, photons[0].direction, 0.0, photons[0].in_barrel});
  arrivals_.insert(arrivals_.end(), photons.begin(), photons.end());
}

double Calorimeters::shower(const ecal::Arrival& arrival, Random& random) {
  if (arrival.energy_gev <= 0.0) return 0.0;
  const double measured = ecal::measured_shower_gev(arrival.energy_gev, random);
  add_tower(arrival.position, arrival.energy_gev * leaking_share * random.exponential());
  return ecal::share_shower(arrival, measured, 1.0, random, crystals_);
}

double Calorimeters::absorb_hadron(const ecal::Arrival& arrival, bool charged, Random& random) {
  bool interacted = false;
  double energy = ecal::hadron_gev(arrival.energy_gev, charged, random, interacted);
  double kept = 0.0;
  if (interacted) {
    kept = ecal::share_shower(arrival, energy, ecal::hadron_widening, random, crystals_);
  } else if (energy > 0.0) {
    const Vector& at = arrival.position;
    const int crystal = arrival.in_barrel ? ecal::barrel_crystal(at) : ecal::endcap_crystal(at);
    if (crystal >= 0) crystals_.add(crystal, energy), kept = energy;
  }
  const double behind = arrival.energy_gev - energy;
  if (behind > 0.1) {
    const double spread = precise::square_root(stochastic * stochastic / behind + constant * constant);
    add_tower(arrival.position, behind * (1.0 + spread * random.normal()));
  }
  return kept;
}

void Calorimeters::add_tower(const Vector& at, double energy_gev) {
  if (!(energy_gev > 0.0)) return;
  const double ring = (ecal::eta_of(at) + tower_eta) * (tower_rings / (2.0 * tower_eta));
  if (!(ring >= 0.0 && ring < tower_rings)) return;
  const double turn = (precise::arc_tangent(at.y, at.x) + precise::pi) / (2.0 * precise::pi);
  const int sector = static_cast<int>(turn * tower_sectors);
  towers_[static_cast<std::size_t>(static_cast<int>(ring) * tower_sectors +
                                   (sector < tower_sectors ? sector : tower_sectors - 1))] += energy_gev;
}

Left Calorimeters::add(const Truth& truth, int index, const std::vector<pixel::Departure>& departures,
                       Random& random) {
  Left left;
  for (const pixel::Departure& departure : departures) {
    const Particle& particle = truth.particles[static_cast<std::size_t>(departure.particle)];
    const int kind = particle.pdg_id < 0 ? -particle.pdg_id : particle.pdg_id;
    if (kind == 12 || kind == 14 || kind == 16) continue;
    fly(departure, random);
    if (arrivals_.empty()) continue;
    const bool photon = departure.state.charge == 0 && departure.state.mass_gev < 0.001;
    if (photon || kind == 11) {
      for (const ecal::Arrival& arrival : arrivals_) left.crystals_gev += shower(arrival, random);
      if (departure.particle == index && (!photon || kind == 22)) left.own_gev += arrivals_[0].energy_gev;
    } else if (kind == 13) {
      const int crystal = arrivals_[0].in_barrel ? ecal::barrel_crystal(arrivals_[0].position)
                                                 : ecal::endcap_crystal(arrivals_[0].position);
      if (crystal >= 0) crystals_.add(crystal, ecal::ionisation_gev(random));
      add_tower(arrivals_[0].position, muon_gev * (0.7 + 0.3 * random.exponential()));
    } else {
      left.crystals_gev += absorb_hadron(arrivals_[0], departure.state.charge != 0, random);
    }
  }
  crystals_.close(static_cast<i32>(index));
  return left;
}

}  // namespace sitecap::simulation::electron
