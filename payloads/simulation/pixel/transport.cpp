#include "simulation/pixel/transport.h"

#include "simulation/generator/kinematics.h"
#include "simulation/pixel/crossings.h"

namespace sitecap::simulation::pixel {

namespace {

// Beyond the last disc nothing is followed.
constexpr double end_cm = 53.0;
// Knock-on electrons from further out do not come back.
constexpr double strips_begin_cm = 18.0;
// Steps end after so many surfaces, and after so much path: later crossings belong to another bunch crossing.
constexpr int most_steps = 400;
constexpr double longest_path_cm = 750.0;
// Radiation lengths in one nuclear interaction length, of a mixture of carbon, silicon and copper.
constexpr double interaction_lengths = 0.35;
// Secondaries below this curl up where they are made.
constexpr double least_secondary_gev = 0.0005;
// Knock-on electrons are seen if they leave the matter where they are made with this kinetic energy; on their
// way out they lose what minimum ionising particles do.
constexpr double least_knock_on_gev = 0.0003, loss_gev_per_gram = 0.0018;
// Photons of bremsstrahlung below this are not followed.
constexpr double least_photon_gev = 0.02;

bool is_hadron(int pdg_id) {
  const int kind = pdg_id < 0 ? -pdg_id : pdg_id;
  return kind > 100;
}

}  // namespace

void Transport::follow(int index, Random& random, std::vector<Crossing>& crossings) {
  const Particle particle = truth_.particles[static_cast<std::size_t>(index)];
  const Vector momentum{particle.px_gev, particle.py_gev, particle.pz_gev};
  const double p = norm(momentum);
  if (p < 1e-6) return;
  State state{{particle.x_cm, particle.y_cm, particle.z_cm},
              (1.0 / p) * momentum,
              p,
              particle.mass_gev,
              particle.charge};
  const Pending first{state, index, is_hadron(particle.pdg_id), 0.0};
  if (precise::absolute(state.position.z) > end_cm) return depart(first);
  pending_.clear();
  pending_.push_back(first);
  while (!pending_.empty()) {
    Pending next = pending_.back();
    pending_.pop_back();
    if (next.state.charge != 0)
      follow_charged(next, random, crossings);
    else
      follow_neutral(next, random);
  }
}

void Transport::follow_charged(Pending& now, Random& random, std::vector<Crossing>& crossings) {
  State& state = now.state;
  Walk walk(surfaces(), state.position);
  for (int step = 0; step < most_steps && !walk.outside(); ++step) {
    const Helix helix(state);
    const auto met = walk.next(state, helix);
    if (!met) return depart(now);
    now.path_cm += met->path_cm;
    if (now.path_cm > longest_path_cm) return;
    if (precise::absolute(met->position.z) > end_cm) return depart(now);
    const Surface& surface = *met->surface;
    if (met->hits() && surface.layer >= 0)
      cross_layer(helix, met->path_cm, state, surface.layer, now.particle, crossings);
    state.position = met->position;
    state.direction = met->direction;
    if (!met->hits()) continue;
    const double thicker = met->thicker();
    if (interact(now, surface.matter, thicker, random)) return;
    if (met->on_plane || surface.at_cm < strips_begin_cm) knock_on(now, surface.matter, thicker, random);
    if (!pass_matter(now, surface.matter, thicker, random)) return;
  }
  if (walk.outside()) depart(now);
}

// As pass(), and the photon that an electron radiates is followed where what leaves is asked for.
bool Transport::pass_matter(Pending& now, const Matter& matter, double thicker, Random& random) {
  State& state = now.state;
  now.radiation_lengths += matter.radiation_lengths * thicker;
  const double before = state.energy_gev();
  const bool goes_on = pass(state, matter, thicker, random);
  if (departures_ != nullptr && state.mass_gev < 0.001) {
    const double lost = before - (goes_on ? state.energy_gev() : 0.0) -
                        ionisation_loss_gev(before, state.mass_gev, matter.grams_per_cm2 * thicker);
    if (lost > least_photon_gev) {
      Pending photon = now;
      photon.state.p_gev = lost;
      photon.state.mass_gev = 0.0;
      photon.state.charge = 0;
      photon.state.position = state.position + 1e-5 * state.direction;
      photon.hadron = false;
      pending_.push_back(photon);
    }
  }
  return goes_on;
}

void Transport::depart(const Pending& now) {
  if (departures_ != nullptr) departures_->push_back({now.state, now.particle, now.radiation_lengths});
}

void Transport::follow_neutral(Pending& now, Random& random) {
  const bool ends = along_line(surfaces(), now.state, [&](const Meeting& met) {
    Pending here = now;
    here.state.position = met.position;
    here.state.direction = met.direction;
    here.path_cm += met.path_cm;
    now.radiation_lengths += met.surface->matter.radiation_lengths * met.thicker();
    return interact(here, met.surface->matter, met.thicker(), random);
  });
  if (!ends) depart(now);
}

bool Transport::interact(const Pending& now, const Matter& matter, double thicker, Random& random) {
  const double lengths = matter.radiation_lengths * thicker;
  if (now.hadron) {
    if (random.uniform() > lengths * interaction_lengths) return false;
    nuclear(now, random);
    return true;
  }
  if (now.state.charge == 0) {
    // 7/9 of a radiation length, less at low energy (NIST XCOM, carbon: a third at 10 MeV, 0.75 at 100 MeV)
    const double e = now.state.p_gev;
    const double chance = 1.0 - precise::exponential(-7.0 / 9.0 * lengths * e / (e + 0.025));
    if (random.uniform() > chance) return false;
    convert(now, random);
    return true;
  }
  return false;
}

void Transport::add_secondary(const Pending& parent, const Vector& direction, double p_gev, double mass_gev,
                              int pdg_id, int charge) {
  if (p_gev < least_secondary_gev) return;
  // off the surface where it is made, so that rounding does not decide on which side it is
  const Vector at = parent.state.position + 1e-5 * direction;
  const Particle& origin = truth_.particles[static_cast<std::size_t>(parent.particle)];
  const Vector p = p_gev * direction;
  const Particle made{origin.collision, pdg_id, charge, p.x, p.y, p.z, mass_gev, at.x, at.y, at.z};
  const int index = static_cast<int>(truth_.particles.size());
  truth_.particles.push_back(made);
  parent_.push_back(parent.particle);
  pending_.push_back(
      {State{at, direction, p_gev, mass_gev, charge}, index, is_hadron(pdg_id), parent.path_cm});
}

// Knock-on electrons have the spectrum 1/T^2 and start at the angle that elastic scattering off an electron
// at rest has (Particle Data Group, "Passage of particles through matter", section 34.2.5).
void Transport::knock_on(const Pending& now, const Matter& matter, double thicker, Random& random) {
  const double ratio = now.state.p_gev / now.state.mass_gev;
  const double beta2 = ratio * ratio / (1.0 + ratio * ratio);
  const double largest = min_of(2.0 * mass::electron * ratio * ratio, 0.5 * now.state.p_gev);
  if (largest < least_knock_on_gev) return;
  const double xi = 0.25 * 0.307075e-3 / beta2 * matter.grams_per_cm2 * thicker;
  const i32 number = random.poisson(xi * (1.0 / least_knock_on_gev - 1.0 / largest));
  for (i32 i = 0; i < number; ++i) {
    const double u = random.uniform();
    const double made = 1.0 / (u / largest + (1.0 - u) / least_knock_on_gev);
    const double kinetic = made - random.uniform() * thicker * matter.grams_per_cm2 * loss_gev_per_gram;
    if (kinetic < least_knock_on_gev) continue;
    const double p = precise::square_root(kinetic * (kinetic + 2.0 * mass::electron));
    const double cosine = precise::square_root(kinetic / (kinetic + 2.0 * mass::electron));
    Vector direction = now.state.direction;
    turn(direction, cosine, random.uniform(-precise::pi, precise::pi));
    add_secondary(now, direction, p, mass::electron, 11, -1);
  }
}

// Electron and positron share the energy evenly distributed, along the photon.
void Transport::convert(const Pending& photon, Random& random) {
  const double part = random.uniform();
  for (int sign = -1; sign <= 1; sign += 2) {
    const double p = photon.state.p_gev * (sign < 0 ? part : 1.0 - part);
    add_secondary(photon, photon.state.direction, p, mass::electron, -11 * sign, sign);
  }
}

// A hadron that breaks a nucleus: pions that share its momentum, and slow protons in all directions. Their
// numbers and spectra are a parametrisation of what emulsions show (shower and grey tracks of light nuclei).
void Transport::nuclear(const Pending& hadron, Random& random) {
  const double p = hadron.state.p_gev;
  const i32 fast = p < 0.3 ? 0 : random.poisson(0.5 + 0.9 * precise::logarithm(1.0 + p));
  double left = p;
  for (i32 i = 0; i < fast && left > 0.05; ++i) {
    const double share = left * (1.0 - precise::square_root(random.uniform()));
    left -= share;
    Vector direction = hadron.state.direction;
    scatter(direction, 0.3 / (share + 0.1), random);
    const int sign = random.uniform() < 0.5 ? -1 : 1;
    if (random.uniform() < 0.667) add_secondary(hadron, direction, share, mass::pion, 211 * sign, sign);
  }
  const i32 slow = random.poisson(1.4);
  for (i32 i = 0; i < slow; ++i) {
    const double z = random.uniform(-1.0, 1.0), r = precise::square_root(1.0 - z * z);
    double sine, cosine;
    precise::sine_cosine(random.uniform(-precise::pi, precise::pi), sine, cosine);
    add_secondary(hadron, {r * cosine, r * sine, z}, random.uniform(0.2, 0.7), mass::proton, 2212, 1);
  }
}

}  // namespace sitecap::simulation::pixel
