#include "simulation/generator/hard.h"

#include "simulation/generator/minimum_bias.h"
#include "simulation/streams.h"

namespace sitecap::simulation {

namespace {

// As many objects as a top pair leaves; the leptons and photons are more than it leaves, so that every event
// has signals for electron seeding and for the endcap calorimeter.
constexpr int least_jets = 4;         // two of b quarks, two of a W
constexpr double further_jets = 2.0;  // radiated, mean
constexpr double least_jet_gev = 25.0, jet_slope_gev = 45.0;
constexpr double jet_eta_spread = 1.4;
constexpr double least_lepton_gev = 20.0, lepton_slope_gev = 30.0, largest_lepton_gev = 100.0;
constexpr double largest_lepton_eta = 3.0;
// The soft part of a hard collision is busier than a mean collision: the underlying event.
constexpr double underlying_activity = 2.5, underlying_shape = 5.0;
// Each hadron takes a part z of what is left of the jet, density (1 + a) (1 - z)^a (R. Field and R. Feynman,
// Nucl. Phys. B 136 (1978) 1), with a Gaussian momentum across the axis.
constexpr double fragmentation_a = 2.2, across_gev = 0.33, least_hadron_gev = 0.6;

struct Share {
  Hadron kind;
  double part;
};
constexpr Share shares[] = {
    {Hadron::charged_pion, 0.53}, {Hadron::neutral_pion, 0.27}, {Hadron::charged_kaon, 0.06},
    {Hadron::neutral_kaon, 0.06}, {Hadron::proton, 0.03},       {Hadron::neutron, 0.03},
    {Hadron::lambda, 1.0},
};

Hadron some_hadron(Random& random) {
  double u = random.uniform();
  for (const Share& share : shares) {
    if (u < share.part) return share.kind;
    u -= share.part;
  }
  return Hadron::charged_pion;
}

void emit_jet(Emission& emission, Random& random) {
  const double pt = least_jet_gev + jet_slope_gev * random.exponential();
  const double eta = jet_eta_spread * random.normal();
  const double phi = random.uniform(-precise::pi, precise::pi);
  const Momentum axis = at_pseudorapidity(pt, phi, eta, 0.0);
  // two unit vectors across the axis
  const double ax = -axis.py / pt, ay = axis.px / pt;
  const double bx = -axis.pz * ay / axis.e, by = axis.pz * ax / axis.e, bz = pt / axis.e;
  // longitudinal momenta scale with cosh(eta), so the least one does too
  const double least = least_hadron_gev * axis.e / pt;
  for (double left = axis.e; left > least;) {
    const double z = 1.0 - precise::power(random.uniform(), 1.0 / (1.0 + fragmentation_a));
    const double along = z * left / axis.e;
    left -= z * left;
    const double a = across_gev * random.normal(), b = across_gev * random.normal();
    const Hadron kind = some_hadron(random);
    emission.add(kind,
                 of_mass(along * axis.px + a * ax + b * bx, along * axis.py + a * ay + b * by,
                         along * axis.pz + b * bz, mass_of(kind)),
                 random);
  }
}

// Transverse momentum 20 to 100 GeV, falling; flat in pseudorapidity.
Momentum isolated(Random& random, double mass_gev) {
  double pt = largest_lepton_gev + 1.0;
  while (pt > largest_lepton_gev) pt = least_lepton_gev + lepton_slope_gev * random.exponential();
  const double eta = random.uniform(-largest_lepton_eta, largest_lepton_eta);
  return at_pseudorapidity(pt, random.uniform(-precise::pi, precise::pi), eta, mass_gev);
}

}  // namespace

void emit_hard(Emission& emission, const Run& run, u32 event, Random& soft) {
  Random random(run.seed, stream::hard_collision, event, 0);
  for (int sign = -1; sign <= 1; sign += 2) {
    emission.add(-11 * sign, sign, isolated(random, mass::electron), mass::electron);
    emission.add(-13 * sign, sign, isolated(random, mass::muon), mass::muon);
    emission.add(22, 0, isolated(random, 0.0), 0.0);
  }
  const i32 jets = least_jets + random.poisson(further_jets);
  for (i32 jet = 0; jet < jets; ++jet) {
    Random of_jet(run.seed, stream::hard_collision, event, static_cast<u32>(jet + 1));
    emit_jet(emission, of_jet);
  }
  emit_soft(emission, underlying_activity * soft.gamma(underlying_shape) / underlying_shape, soft);
}

}  // namespace sitecap::simulation
