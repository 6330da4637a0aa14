// Hadrons on their way into the truth: which kinds there are, and which decay at once or in flight.
#pragma once
#include "simulation/generator/kinematics.h"

namespace sitecap::simulation {

// pion_minus_or_plus stands for both charges, and so on; neutral kaons are K0S or K0L by even chance.
enum class Hadron { charged_pion, neutral_pion, charged_kaon, neutral_kaon, proton, neutron, lambda };

double mass_of(Hadron kind);

// What leaves one collision, appended to a list of particles.
class Emission {
 public:
  Emission(std::vector<Particle>& particles, const Collision& collision, int index)
      : particles_(particles), collision_(collision), index_(index) {}

  // A stable particle from the collision's own point.
  void add(int pdg_id, int charge, const Momentum& p, double mass_gev) {
    add_at(pdg_id, charge, p, mass_gev, collision_.x_cm, collision_.y_cm, collision_.z_cm);
  }
  // A hadron and, where it decays within the tracker, its daughters: pi0 -> gamma gamma at the collision,
  // K0S -> pi pi and Lambda -> p pi (the other channels are left out: those K0S and Lambda stay whole) in
  // flight. Charges alternate, so that a collision is neutral to within one unit.
  void add(Hadron kind, const Momentum& p, Random& random);

 private:
  void add_at(int pdg_id, int charge, const Momentum& p, double mass_gev, double x_cm, double y_cm,
              double z_cm);
  bool decay_in_flight(Hadron kind, int sign, const Momentum& p, Random& random);

  std::vector<Particle>& particles_;
  const Collision& collision_;
  int index_;
  int next_charge_ = 1;
};

}  // namespace sitecap::simulation
