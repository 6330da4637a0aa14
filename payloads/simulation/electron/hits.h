// Hits of the pixel detector: what clusters of digis would be measured as, without the digis.
#pragma once
#include <vector>

#include "simulation/pixel/transport.h"
#include "sitecap/random.h"

namespace sitecap::simulation::electron {

struct Hits {
  std::vector<i32> offset{0}, particle;
  std::vector<u8> layer;
  std::vector<float> x, y, z;  // cm
};

// Adds the hits of one event's crossings, in the order of modules: those that leave one cluster are one hit,
// of the first particle.
void add_hits(const std::vector<pixel::Crossing>& crossings, Random& random, Hits& hits);

}  // namespace sitecap::simulation::electron
