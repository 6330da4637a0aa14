// Single particles in place of the hard collision, far enough from each other to be told apart.
#pragma once
#include "simulation/generator/hadrons.h"

namespace sitecap::simulation {

void emit_singles(Emission& emission, Random& random);

}  // namespace sitecap::simulation
