// The hard collision of an event: jets, isolated leptons and photons, and more soft hadrons than a mean
// collision.
#pragma once
#include "simulation/generator/hadrons.h"

namespace sitecap::simulation {

void emit_hard(Emission& emission, const Run& run, u32 event, Random& soft);

}  // namespace sitecap::simulation
