#include "simulation/electron/boson.h"

#include "simulation/generator/minimum_bias.h"

namespace sitecap::simulation::electron {

namespace {

// Mass and width (Particle Data Group 2022); masses further out than this are drawn again.
constexpr double mass_gev = 91.1876, width_gev = 2.4952, largest_distance_gev = 30.0;
// Transverse momentum: a gamma distribution of shape 2 and mean 14 GeV, close to what CMS measures at 13 TeV
// below 60 GeV (JHEP 12 (2019) 061); rapidity flat as far as both electrons have a chance to be seen.
constexpr double pt_shape = 2.0, pt_scale_gev = 7.0, largest_rapidity = 2.4;
// Where the generator puts its collisions (generator.cpp), and a softer underlying event than a hard jet's.
constexpr double spread_x_cm = 0.00118, spread_y_cm = 0.00055, spread_z_cm = 4.2;
constexpr double underlying_activity = 1.7, underlying_shape = 5.0;

// Breit and Wigner's curve, by its inverse integral.
double drawn_mass_gev(Random& random) {
  for (;;) {
    double sine, cosine;
    precise::sine_cosine(precise::pi * (random.uniform() - 0.5), sine, cosine);
    if (cosine < 1e-6) continue;
    const double distance = 0.5 * width_gev * sine / cosine;
    if (precise::absolute(distance) < largest_distance_gev) return mass_gev + distance;
  }
}

}  // namespace

void add_boson(Truth& truth, Random& random) {
  Collision collision{};
  collision.x_cm = spread_x_cm * random.normal();
  collision.y_cm = spread_y_cm * random.normal();
  collision.z_cm = spread_z_cm * random.normal();
  collision.first_particle = static_cast<int>(truth.particles.size());
  const int index = static_cast<int>(truth.collisions.size());
  Emission emission(truth.particles, collision, index);
  const double drawn_gev = drawn_mass_gev(random);
  const double pt = pt_scale_gev * random.gamma(pt_shape);
  const double phi = random.uniform(-precise::pi, precise::pi);
  const double rapidity = random.uniform(-largest_rapidity, largest_rapidity);
  Momentum electron, positron;
  decay(random, at_rapidity(pt, phi, rapidity, drawn_gev), drawn_gev, mass::electron, mass::electron,
        electron, positron);
  emission.add(11, -1, electron, mass::electron);
  emission.add(-11, 1, positron, mass::electron);
  emit_soft(emission, underlying_activity * random.gamma(underlying_shape) / underlying_shape, random);
  collision.particles = static_cast<int>(truth.particles.size()) - collision.first_particle;
  truth.collisions.push_back(collision);
}

}  // namespace sitecap::simulation::electron
