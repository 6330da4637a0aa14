// From the end of the pixel volume to the calorimeters: what an event leaves in crystals and in towers
// behind.
#pragma once
#include <vector>

#include "simulation/ecal/shower.h"
#include "simulation/pixel/transport.h"

namespace sitecap::simulation::electron {

// Towers of the hadronic calorimeter: 0.0873 x 0.0873 in eta and phi, as CMS's up to |eta| of 1.7; here they
// are as large up to |eta| = 3.
inline constexpr int tower_rings = 68, tower_sectors = 72;
inline constexpr double tower_eta = 2.967;

// What one particle of the generator left, by itself and by all that came of it.
struct Left {
  double crystals_gev = 0.0;
  double own_gev = 0.0;  // energy that the particle itself still had when it came to the crystals
};

class Calorimeters {
 public:
  Calorimeters() : towers_(tower_rings * tower_sectors, 0.0) {}
  void clear();
  // All that left the pixel volume because of the generator's particle `index`.
  Left add(const Truth& truth, int index, const std::vector<pixel::Departure>& departures, Random& random);

  const ecal::Deposits& crystals() const { return crystals_; }
  const std::vector<double>& towers_gev() const { return towers_; }

 private:
  void fly(const pixel::Departure& departure, Random& random);
  double shower(const ecal::Arrival& arrival, Random& random);
  double absorb_hadron(const ecal::Arrival& arrival, bool charged, Random& random);
  void add_tower(const Vector& at, double energy_gev);

  ecal::Deposits crystals_;
  std::vector<double> towers_;
  std::vector<ecal::Arrival> arrivals_;  // of one departure: itself first, then what it radiated
};

}  // namespace sitecap::simulation::electron
