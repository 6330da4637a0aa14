// Energy of one arrival shared among crystals.
#pragma once
#include "simulation/ecal/flight.h"

namespace sitecap::simulation::ecal {

// Lateral profile of an electromagnetic shower: two terms 2 r R^2 / (r^2 + R^2)^2, a core and a tail (G.
// Grindhammer and S. Peters, hep-ex/0001020), in Moliere radii; 90 % lies within one, as the radius is
// defined.
inline constexpr double core_share = 0.90, core_radii = 0.22, tail_radii = 1.25;
// A hadron's early shower is wider.
inline constexpr double hadron_widening = 3.0;

// Energies of an event's crystals with the particle that gave each the most.
class Deposits {
 public:
  Deposits() : total_(crystals, 0.0), most_(crystals, 0.0), own_(crystals, 0.0), particle_(crystals, -1) {}

  void clear() {
    for (const int crystal : touched_) {
      total_[at(crystal)] = most_[at(crystal)] = own_[at(crystal)] = 0.0;
      particle_[at(crystal)] = -1;
    }
    touched_.clear();
  }
  void add(int crystal, double energy_gev) {
    if (own_[at(crystal)] == 0.0) recent_.push_back(crystal);
    own_[at(crystal)] += energy_gev;
  }
  // All that was added since the last call is this particle's.
  void close(i32 particle) {
    for (const int crystal : recent_) {
      if (total_[at(crystal)] == 0.0) touched_.push_back(crystal);
      if (own_[at(crystal)] > most_[at(crystal)]) {
        most_[at(crystal)] = own_[at(crystal)];
        particle_[at(crystal)] = particle;
      }
      total_[at(crystal)] += own_[at(crystal)];
      own_[at(crystal)] = 0.0;
    }
    recent_.clear();
  }
  double energy_gev(int crystal) const { return total_[at(crystal)]; }
  i32 particle(int crystal) const { return particle_[at(crystal)]; }

 private:
  static std::size_t at(int crystal) { return static_cast<std::size_t>(crystal); }
  std::vector<double> total_, most_, own_;
  std::vector<i32> particle_;
  std::vector<int> touched_, recent_;
};

// Shares `energy_gev` in equal spots around the arrival. What falls into no crystal is lost. Returns what is
// kept.
inline double share_shower(const Arrival& arrival, double energy_gev, double widening, Random& random,
                           Deposits& deposits) {
  using namespace precise;
  const int spots = static_cast<int>(clamp(30.0 + 20.0 * energy_gev, 30.0, 400.0));
  Vector first, second;
  front_axes(arrival.in_barrel, arrival.position, first, second);
  double kept = 0.0;
  for (int spot = 0; spot < spots; ++spot) {
    const double radius = (random.uniform() < core_share ? core_radii : tail_radii) * moliere_cm * widening;
    const double u = random.uniform();
    // the inverse of r^2 / (r^2 + R^2); beyond 8 R the shower is cut
    const double r = radius * min_of(square_root(u / (1.0 - u)), 8.0);
    double sine, cosine;
    sine_cosine(random.uniform(-pi, pi), sine, cosine);
    const Vector point = arrival.position + r * cosine * first + r * sine * second;
    const int crystal = arrival.in_barrel ? barrel_crystal(point) : endcap_crystal(point);
    if (crystal < 0) continue;
    deposits.add(crystal, energy_gev / spots);
    kept += energy_gev / spots;
  }
  return kept;
}

// What an electron's or photon's shower of this energy is measured as: 2.8 % / sqrt(E) and 0.3 % (JINST 3
// S08004, 1.3.3; the noise term is the crystals').
inline double measured_shower_gev(double energy_gev, Random& random) {
  const double share = precise::square_root(0.028 * 0.028 / energy_gev + 0.003 * 0.003);
  const double measured = energy_gev * (1.0 + share * random.normal());
  return measured < 0.0 ? 0.0 : measured;
}

// A particle that only ionises: 0.24 GeV along 23 cm, with a tail towards more.
inline double ionisation_gev(Random& random) {
  return 0.22 + 0.02 * random.normal() + 0.02 * random.exponential();
}

// A hadron's energy in the crystals: two of three interact within their 1.1 interaction lengths and leave, on
// average, a third of their energy.
inline double hadron_gev(double energy_gev, bool charged, Random& random, bool& interacted) {
  interacted = random.uniform() < 0.67;
  const double ionisation = charged ? ionisation_gev(random) : 0.0;
  if (!interacted) return ionisation < energy_gev ? ionisation : energy_gev;
  const double u = random.uniform();
  return 0.5 * ionisation + energy_gev * u * u;
}

}  // namespace sitecap::simulation::ecal
