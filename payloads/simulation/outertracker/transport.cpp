#include "simulation/outertracker/transport.h"

#include "simulation/generator/kinematics.h"

namespace sitecap::simulation::outertracker {

namespace {

// Nothing is followed beyond the last disc, or so long: what curls further is as soft as background.
constexpr double end_cm = 269.0, longest_path_cm = 500.0;
constexpr int most_steps = 100;
// Radiation lengths in one nuclear interaction length, of a mixture of carbon, silicon and copper.
constexpr double interaction_lengths = 0.35;
// Below this momentum a particle does not leave the inner tracker: half the bend to 22 cm in 3.8 T.
constexpr double least_pt_gev = 0.12, least_photon_gev = 0.2;

bool is_hadron(int pdg_id) {
  return (pdg_id < 0 ? -pdg_id : pdg_id) > 100;
}

}  // namespace

void Transport::follow(int index, Random& random, std::vector<Crossing>& crossings) {
  const Particle particle = truth_.particles[static_cast<std::size_t>(index)];
  if (particle.charge == 0 && particle.pdg_id != 22) return;
  const Vector momentum{particle.px_gev, particle.py_gev, particle.pz_gev};
  const double pt2 = momentum.x * momentum.x + momentum.y * momentum.y, p = norm(momentum);
  if (particle.charge == 0 ? p < least_photon_gev : pt2 < least_pt_gev * least_pt_gev) return;
  if (precise::absolute(particle.z_cm) > end_cm) return;
  pending_.clear();
  pending_.push_back({{{particle.x_cm, particle.y_cm, particle.z_cm},
                       (1.0 / p) * momentum,
                       p,
                       particle.mass_gev,
                       particle.charge},
                      index,
                      is_hadron(particle.pdg_id)});
  while (!pending_.empty()) {
    Pending next = pending_.back();
    pending_.pop_back();
    if (next.state.charge != 0)
      follow_charged(next, random, crossings);
    else
      follow_photon(next, random);
  }
}

void Transport::follow_charged(Pending& now, Random& random, std::vector<Crossing>& crossings) {
  State& state = now.state;
  Walk walk(surfaces(), state.position);
  double path_cm = 0.0;
  for (int step = 0; step < most_steps && !walk.outside(); ++step) {
    const Helix helix(state);
    const auto met = walk.next(state, helix);
    if (!met) return;
    path_cm += met->path_cm;
    if (path_cm > longest_path_cm || precise::absolute(met->position.z) > end_cm) return;
    const Surface& surface = *met->surface;
    // sensors lie to either side of the surface: one that ends beyond it is looked for as well
    if (surface.layer >= 0 && met->place_cm() > surface.low_cm - 3.0 &&
        met->place_cm() < surface.high_cm + 8.0)
      cross_layer(helix, met->path_cm, surface.layer, now.particle, crossings);
    state.position = met->position;
    state.direction = met->direction;
    if (!met->hits()) continue;
    const double thicker = met->thicker();
    if (now.hadron && random.uniform() < surface.matter.radiation_lengths * thicker * interaction_lengths)
      return;
    if (!pass(state, surface.matter, thicker, random)) return;
  }
}

// Photons make pairs; the energy is shared evenly distributed, along the photon.
void Transport::follow_photon(const Pending& now, Random& random) {
  const double e = now.state.p_gev;
  along_line(surfaces(), now.state, [&](const Meeting& met) {
    // 7/9 of a radiation length, less at low energy (NIST XCOM, carbon: a third at 10 MeV, 0.75 at 100 MeV)
    const double lengths = met.surface->matter.radiation_lengths * met.thicker();
    if (random.uniform() > 1.0 - precise::exponential(-7.0 / 9.0 * lengths * e / (e + 0.025))) return false;
    const Particle photon = truth_.particles[static_cast<std::size_t>(now.particle)];
    const double part = random.uniform();
    const Vector& direction = met.direction;
    const Vector at =
        met.position + 1e-5 * direction;  // off the surface, so that rounding does not decide its side
    for (int sign = -1; sign <= 1; sign += 2) {
      const double p = e * (sign < 0 ? part : 1.0 - part);
      const double transverse =
          precise::square_root(direction.x * direction.x + direction.y * direction.y) * p;
      if (transverse < least_pt_gev) continue;
      const Vector momentum = p * direction;
      const int index = static_cast<int>(truth_.particles.size());
      truth_.particles.push_back({photon.collision, -11 * sign, sign, momentum.x, momentum.y, momentum.z,
                                  mass::electron, at.x, at.y, at.z});
      parent_.push_back(now.particle);
      pending_.push_back({State{at, direction, p, mass::electron, sign}, index, false});
    }
    return true;
  });
}

}  // namespace sitecap::simulation::outertracker
