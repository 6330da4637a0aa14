// Charge that a particle leaves in the pixels of a module.
#pragma once
#include "simulation/pixel/transport.h"

namespace sitecap::simulation::pixel {

// Electrons that one particle brought to one pixel.
struct Deposit {
  i32 module;
  i32 pixel;  // row * columns + column
  i32 particle;
  float electrons;
};

// Ionises along the crossing, drifts, spreads and shares; adds a deposit for every pixel that gets any.
void ionise(const Crossing& crossing, Random& random, std::vector<Deposit>& deposits);

}  // namespace sitecap::simulation::pixel
