#include "simulation/generator/minimum_bias.h"

namespace sitecap::simulation {

namespace {

// Rapidity is flat up to about 6 and falls over one unit: CMS and TOTEM, Eur. Phys. J. C 74 (2014) 3053, see
// dN/deta fall from 3.9 at 5.3 to 2.7 at 6.4, with 5.6 to 6 in the centre.
constexpr double plateau_end = 6.0, plateau_fall = 1.0;

// One kind of hadron: how many a collision makes at all rapidities, and its Tsallis-Levy spectrum
// dN/dmT = mT (1 + (mT - m) / (n T))^-n.
struct Yield {
  Hadron kind;
  double mean;
  double temperature_gev;
  double n;
};
// Ratios and mean transverse momenta follow CMS, Phys. Rev. D 96 (2017) 112003 (pi, K, p at 13 TeV) and
// ALICE, Eur. Phys. J. C 81 (2021) 256 (K0S, Lambda); the scale is fixed by 39.1 charged particles with |eta|
// < 2.9, of mean 0.56 GeV, that PYTHIA 8.318 makes an inelastic collision (README.md beside the simulation's
// folders).
constexpr Yield yields[] = {
    {Hadron::charged_pion, 66.4, 0.146, 7.2}, {Hadron::neutral_pion, 36.3, 0.146, 7.2},
    {Hadron::charged_kaon, 8.8, 0.190, 7.4},  {Hadron::neutral_kaon, 8.8, 0.190, 7.4},
    {Hadron::proton, 4.5, 0.215, 8.6},        {Hadron::neutron, 4.1, 0.215, 8.6},
    {Hadron::lambda, 2.2, 0.235, 8.6},
};

// Mean transverse momentum rises with multiplicity: CMS, J. High Energy Phys. 01 (2011) 079.
constexpr double hardening = 0.10;

// Exact sampling of the spectrum above. With w = (mT - m) / (n T) the density m (1+w)^-n + n T w (1+w)^-n is
// a mixture of two, of which 1 + w is a product of powers of uniform numbers.
double transverse_momentum(double mass_gev, double temperature_gev, double n, Random& random) {
  const double scale = n * temperature_gev;
  const double mass_part = mass_gev, slope_part = scale / (n - 2.0);  // their integrals, times n - 1
  double exponent = random.exponential() / (n - 1.0);
  if (random.uniform() * (mass_part + slope_part) > mass_part) exponent += random.exponential() / (n - 2.0);
  const double kinetic = scale * (precise::exponential(exponent) - 1.0);
  return precise::square_root(kinetic * (kinetic + 2.0 * mass_gev));
}

// Inverse of the integral of 1 / (1 + exp((|y| - end) / fall)).
double rapidity(Random& random) {
  const double q = precise::exponential(-plateau_end / plateau_fall);
  const double whole = plateau_end + plateau_fall * precise::logarithm(1.0 + q);
  const double u = random.uniform(-1.0, 1.0);
  const double part = precise::absolute(u) * whole;
  const double y =
      -plateau_fall * precise::logarithm(precise::exponential(-part / plateau_fall) * (1.0 + q) - q);
  return u < 0 ? -y : y;
}

}  // namespace

double minimum_bias_activity(Random& random) {
  const bool diffractive = random.uniform() < 0.22;  // single and double, of the inelastic cross-section
  const double shape = diffractive ? 1.0 : 1.9;
  const double mean = diffractive ? 0.25 : (1.0 - 0.22 * 0.25) / 0.78;
  return mean * random.gamma(shape) / shape;
}

void emit_soft(Emission& emission, double activity, Random& random) {
  const double harder = precise::power(activity > 1e-3 ? activity : 1e-3, hardening);
  for (const Yield& yield : yields) {
    const i32 number = random.poisson(yield.mean * activity);
    const double mass_gev = mass_of(yield.kind);
    for (i32 i = 0; i < number; ++i) {
      const double pt = transverse_momentum(mass_gev, yield.temperature_gev * harder, yield.n, random);
      const double phi = random.uniform(-precise::pi, precise::pi);
      emission.add(yield.kind, at_rapidity(pt, phi, rapidity(random), mass_gev), random);
    }
  }
}

}  // namespace sitecap::simulation
