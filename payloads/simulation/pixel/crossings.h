// Which modules of a layer a helix meets.
#pragma once
#include "simulation/pixel/transport.h"

namespace sitecap::simulation::pixel {

// Adds the crossings of all modules of this layer that lie around the point where the helix meets the layer's
// surface at path s.
void cross_layer(const Helix& helix, double s, const State& state, int layer, int particle,
                 std::vector<Crossing>& crossings);

}  // namespace sitecap::simulation::pixel
