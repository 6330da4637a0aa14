// A Z boson that decays to an electron and a positron, overlaid on a bunch crossing as a collision of its
// own.
#pragma once
#include "simulation/generator.h"
#include "sitecap/random.h"

namespace sitecap::simulation::electron {

// Adds the last collision of the event, its particles after all others: what the generator made keeps its
// place. `random` belongs to this event.
void add_boson(Truth& truth, Random& random);

}  // namespace sitecap::simulation::electron
