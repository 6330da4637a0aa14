#include "simulation/generator/singles.h"

namespace sitecap::simulation {

namespace {

// One particle a cell in (eta, phi), in its middle half: half a cell, 0.4 and 0.52, lies between neighbours.
constexpr int rows = 6, columns = 6;
constexpr double largest_eta = 2.4;
// Flat in the logarithm of the transverse momentum: as many at the low end, where most hadrons of jets are,
// as at the high end. Charged ones of less would curl into the next cell before the calorimeters.
constexpr double least_pt_gev = 5.0, largest_pt_gev = 100.0;
constexpr double charged_share = 0.4, neutral_share = 0.4;  // pions and K0L; electrons are the rest

double in_middle(double low, double size, Random& random) {
  return low + size * (0.25 + 0.5 * random.uniform());
}

}  // namespace

void emit_singles(Emission& emission, Random& random) {
  constexpr double high = 2.0 * largest_eta / rows, wide = 2.0 * precise::pi / columns;
  const double span = precise::logarithm(largest_pt_gev / least_pt_gev);
  for (int cell = 0; cell < rows * columns; ++cell) {
    const double eta = in_middle(-largest_eta + high * (cell / columns), high, random);
    const double phi = in_middle(-precise::pi + wide * (cell % columns), wide, random);
    const double pt = least_pt_gev * precise::exponential(span * random.uniform());
    const double kind = random.uniform();
    const int charge = random.uniform() < 0.5 ? -1 : 1;
    if (kind < charged_share)
      emission.add(211 * charge, charge, at_pseudorapidity(pt, phi, eta, mass::pion), mass::pion);
    else if (kind < charged_share + neutral_share)
      emission.add(130, 0, at_pseudorapidity(pt, phi, eta, mass::neutral_kaon), mass::neutral_kaon);
    else
      emission.add(-11 * charge, charge, at_pseudorapidity(pt, phi, eta, mass::electron), mass::electron);
  }
}

}  // namespace sitecap::simulation
