// From the generator's particles, and from those that they make in matter, to crossings of modules.
#pragma once
#include "simulation/generator.h"
#include "simulation/pixel/geometry.h"

namespace sitecap::simulation::pixel {

// A charged particle at the mid-plane of a module.
struct Crossing {
  int module;
  int particle;  // in the truth's particles, secondaries included
  Vector position;
  double x_cm, y_cm;        // local
  double slope_x, slope_y;  // per cm along the normal
  double p_gev, mass_gev;
};

// What leaves the volume that is followed, on its way outward.
struct Departure {
  State state;
  int particle;  // in the truth's particles, secondaries included; a radiated photon has its electron's
  double radiation_lengths;  // passed so far
};

class Transport {
 public:
  // Secondaries are added at the end of the truth's particles; `parent` gets an entry for each of its
  // particles, -1 for those of the generator. With `departures`, what leaves is added there, and photons of
  // bremsstrahlung are followed.
  Transport(Truth& truth, std::vector<i32>& parent, std::vector<Departure>* departures = nullptr)
      : truth_(truth), parent_(parent), departures_(departures) {}

  // Adds all crossings of particle `index` and of what comes from it.
  void follow(int index, Random& random, std::vector<Crossing>& crossings);

 private:
  struct Pending {
    State state;
    int particle;
    bool hadron;
    double path_cm;
    double radiation_lengths = 0.0;
  };
  void follow_charged(Pending& pending, Random& random, std::vector<Crossing>& crossings);
  void follow_neutral(Pending& pending, Random& random);
  bool interact(const Pending& pending, const Matter& matter, double thicker, Random& random);
  void nuclear(const Pending& pending, Random& random);
  void knock_on(const Pending& now, const Matter& matter, double thicker, Random& random);
  void convert(const Pending& pending, Random& random);
  bool pass_matter(Pending& now, const Matter& matter, double thicker, Random& random);
  void depart(const Pending& now);
  void add_secondary(const Pending& parent, const Vector& direction, double p_gev, double mass_gev,
                     int pdg_id, int charge);

  Truth& truth_;
  std::vector<i32>& parent_;
  std::vector<Departure>* departures_;
  std::vector<Pending> pending_;
};

}  // namespace sitecap::simulation::pixel
