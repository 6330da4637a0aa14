#include "simulation/generator/hadrons.h"

namespace sitecap::simulation {

namespace {

// All that CMS could see: the edge of its forward calorimeter.
constexpr double largest_eta = 5.2;
// Decays in flight further out leave no hit in a tracker and stay undecayed.
constexpr double tracker_radius_cm = 110.0, tracker_half_length_cm = 280.0;
// c tau and share of the two-body channel with charged daughters (Particle Data Group 2022)
constexpr double kaon_ctau_cm = 2.6844, kaon_to_charged = 0.692;
constexpr double lambda_ctau_cm = 7.89, lambda_to_charged = 0.639;

}  // namespace

double mass_of(Hadron kind) {
  switch (kind) {
    case Hadron::charged_pion:
      return mass::pion;
    case Hadron::neutral_pion:
      return mass::neutral_pion;
    case Hadron::charged_kaon:
      return mass::kaon;
    case Hadron::neutral_kaon:
      return mass::neutral_kaon;
    case Hadron::proton:
      return mass::proton;
    case Hadron::neutron:
      return mass::neutron;
    case Hadron::lambda:
      return mass::lambda;
  }
  return 0.0;
}

void Emission::add_at(int pdg_id, int charge, const Momentum& p, double mass_gev, double x_cm, double y_cm,
                      double z_cm) {
  if (precise::absolute(pseudorapidity(p)) > largest_eta) return;
  particles_.push_back({index_, pdg_id, charge, p.px, p.py, p.pz, mass_gev, x_cm, y_cm, z_cm});
}

void Emission::add(Hadron kind, const Momentum& p, Random& random) {
  const int sign = next_charge_;
  const bool charged = kind == Hadron::charged_pion || kind == Hadron::charged_kaon || kind == Hadron::proton;
  if (charged) next_charge_ = -next_charge_;
  switch (kind) {
    case Hadron::charged_pion:
      return add(211 * sign, sign, p, mass::pion);
    case Hadron::charged_kaon:
      return add(321 * sign, sign, p, mass::kaon);
    case Hadron::proton:
      return add(2212 * sign, sign, p, mass::proton);
    case Hadron::neutron:
      return add(random.uniform() < 0.5 ? 2112 : -2112, 0, p, mass::neutron);
    case Hadron::neutral_pion: {
      Momentum first, second;
      decay(random, p, mass::neutral_pion, 0.0, 0.0, first, second);
      add(22, 0, first, 0.0);
      add(22, 0, second, 0.0);
      return;
    }
    case Hadron::neutral_kaon: {
      if (random.uniform() < 0.5) return add(130, 0, p, mass::neutral_kaon);
      if (!decay_in_flight(kind, 1, p, random)) add(310, 0, p, mass::neutral_kaon);
      return;
    }
    case Hadron::lambda: {
      const int baryon = random.uniform() < 0.5 ? 1 : -1;
      if (!decay_in_flight(kind, baryon, p, random)) add(3122 * baryon, 0, p, mass::lambda);
      return;
    }
  }
}

bool Emission::decay_in_flight(Hadron kind, int sign, const Momentum& p, Random& random) {
  const bool kaon = kind == Hadron::neutral_kaon;
  const double parent_mass = mass_of(kind);
  const double way =
      random.exponential() * (kaon ? kaon_ctau_cm : lambda_ctau_cm) / parent_mass;  // cm per GeV
  const bool to_charged = random.uniform() < (kaon ? kaon_to_charged : lambda_to_charged);
  const double x = collision_.x_cm + way * p.px, y = collision_.y_cm + way * p.py,
               z = collision_.z_cm + way * p.pz;
  if (!to_charged || x * x + y * y > tracker_radius_cm * tracker_radius_cm ||
      precise::absolute(z) > tracker_half_length_cm)
    return false;
  const double heavy_mass = kaon ? mass::pion : mass::proton;
  Momentum heavy, light;
  decay(random, p, parent_mass, heavy_mass, mass::pion, heavy, light);
  add_at((kaon ? 211 : 2212) * sign, sign, heavy, heavy_mass, x, y, z);
  add_at(-211 * sign, -sign, light, mass::pion, x, y, z);
  return true;
}

}  // namespace sitecap::simulation
