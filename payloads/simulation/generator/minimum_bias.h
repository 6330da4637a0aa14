// Soft collisions of protons at 13 TeV, parametrised.
#pragma once
#include "simulation/generator/hadrons.h"

namespace sitecap::simulation {

// How much of everything an inelastic collision makes, in units of the mean: a mixture of diffractive and
// non-diffractive collisions, each of gamma-distributed activity, so that multiplicities are negative
// binomial.
double minimum_bias_activity(Random& random);

// The hadrons of a collision of this activity.
void emit_soft(Emission& emission, double activity, Random& random);

}  // namespace sitecap::simulation
