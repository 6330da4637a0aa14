// From the generator's particles, and from what photons convert to, to what sensors are crossed at.
#pragma once
#include "simulation/generator.h"
#include "simulation/outertracker/geometry.h"

namespace sitecap::simulation::outertracker {

// A charged particle in the middle of a sensor.
struct Crossing {
  int module, sensor;  // sensor 0: lower, 1: upper
  int particle;        // in the truth's particles, secondaries included
  double x_cm, y_cm;   // local
};

class Transport {
 public:
  // Electrons of conversions are added at the end of the truth's particles; `parent` gets an entry for each
  // of its particles, -1 for those of the generator.
  Transport(Truth& truth, std::vector<i32>& parent) : truth_(truth), parent_(parent) {}

  // Adds all crossings of particle `index` and of what comes from it.
  void follow(int index, Random& random, std::vector<Crossing>& crossings);

 private:
  struct Pending {
    State state;
    int particle;
    bool hadron;
  };
  void follow_charged(Pending& now, Random& random, std::vector<Crossing>& crossings);
  void follow_photon(const Pending& now, Random& random);

  Truth& truth_;
  std::vector<i32>& parent_;
  std::vector<Pending> pending_;
};

// Adds the crossings of this layer's sensors around the point where the helix meets the layer's surface at s.
void cross_layer(const Helix& helix, double s, int layer, int particle, std::vector<Crossing>& crossings);

}  // namespace sitecap::simulation::outertracker
