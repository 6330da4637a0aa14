// Charge that a particle leaves in the pixels of a module.
#pragma once
#include "simulation/pixel/transport.h"

namespace sitecap::simulation::pixel {

// About normal, mean 0 and standard deviation 1: the sum of four bytes. Enough for what a sum over many
// pieces is made of, and cheap.
inline double nearly_normal(Random& random) {
  const u32 word = random.word();
  const u32 sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
  return (static_cast<double>(sum) - 510.0) * (1.0 / 147.80054127099804);
}

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
