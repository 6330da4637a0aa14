#include "simulation/outertracker/transport.h"

#include "simulation/generator/kinematics.h"

namespace sitecap::simulation::outertracker {

namespace {

// Nothing is followed beyond the last disc, or so long: what curls further is as soft as background.
constexpr double end_cm = 269.0, longest_path_cm = 500.0;
constexpr int most_steps = 100;
// Matter is met at most so obliquely.
constexpr double least_cosine = 0.05;
// Radiation lengths in one nuclear interaction length, of a mixture of carbon, silicon and copper.
constexpr double interaction_lengths = 0.35;
// Below this momentum a particle does not leave the inner tracker: half the bend to 22 cm in 3.8 T.
constexpr double least_pt_gev = 0.12, least_photon_gev = 0.2;
constexpr double step_back_cm = 1e-6;

bool is_hadron(int pdg_id) {
  return (pdg_id < 0 ? -pdg_id : pdg_id) > 100;
}

double oblique(double cosine) {
  return 1.0 / (cosine > least_cosine ? cosine : least_cosine);
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
  const auto& tubes = cylinders();
  const auto& discs_and_matter = planes();
  // how many cylinders are inside of the particle, and how many planes at lower z
  const double r2 = state.position.x * state.position.x + state.position.y * state.position.y;
  std::size_t tube = 0, plane = 0;
  while (tube < tubes.size() && tubes[tube].at_cm * tubes[tube].at_cm < r2) ++tube;
  while (plane < discs_and_matter.size() && discs_and_matter[plane].at_cm < state.position.z) ++plane;
  double path_cm = 0.0;
  for (int step = 0; step < most_steps && tube < tubes.size(); ++step) {
    const Helix helix(state);
    double s = never;
    enum class Next { nothing, inner, outer, disc } next = Next::nothing;
    if (tube > 0) {
      const double inward = helix.to_cylinder(tubes[tube - 1].at_cm, step_back_cm);
      if (inward < s) s = inward, next = Next::inner;
    }
    const double outward = helix.to_cylinder(tubes[tube].at_cm, step_back_cm);
    if (outward < s) s = outward, next = Next::outer;
    const bool forward = state.direction.z > 0;
    if (forward ? plane < discs_and_matter.size() : plane > 0) {
      const double along = helix.to_disc(discs_and_matter[forward ? plane : plane - 1].at_cm, 0.0);
      if (along < s) s = along, next = Next::disc;
    }
    path_cm += s;
    if (next == Next::nothing || path_cm > longest_path_cm) return;
    Vector position, direction;
    helix.at(s, position, direction);
    if (precise::absolute(position.z) > end_cm) return;
    const double r = precise::square_root(position.x * position.x + position.y * position.y);
    const Surface* surface = nullptr;
    double cosine = 1.0, place = r;
    if (next == Next::disc) {
      surface = &discs_and_matter[forward ? plane : plane - 1];
      plane = forward ? plane + 1 : plane - 1;
      cosine = precise::absolute(direction.z);
    } else {
      surface = &tubes[next == Next::outer ? tube : tube - 1];
      tube = next == Next::outer ? tube + 1 : tube - 1;
      cosine = precise::absolute(position.x * direction.x + position.y * direction.y) / r;
      place = precise::absolute(position.z);
    }
    // sensors lie to either side of the surface: one that ends beyond it is looked for as well
    if (surface->layer >= 0 && place > surface->low_cm - 3.0 && place < surface->high_cm + 8.0)
      cross_layer(helix, s, surface->layer, now.particle, crossings);
    state.position = position;
    state.direction = direction;
    if (place < surface->low_cm || place > surface->high_cm) continue;
    const double thicker = oblique(cosine);
    if (now.hadron && random.uniform() < surface->matter.radiation_lengths * thicker * interaction_lengths)
      return;
    if (!pass(state, surface->matter, thicker, random)) return;
  }
}

// Photons make pairs; the energy is shared evenly distributed, along the photon.
void Transport::follow_photon(const Pending& now, Random& random) {
  const Helix line(now.state);
  const double e = now.state.p_gev;
  const auto converts = [&](const Surface& surface, double s, bool disc) {
    if (s == never) return false;
    Vector position, direction;
    line.at(s, position, direction);
    const double r = precise::square_root(position.x * position.x + position.y * position.y);
    const double place = disc ? r : precise::absolute(position.z);
    if (place < surface.low_cm || place > surface.high_cm) return false;
    const double cosine = disc ? precise::absolute(direction.z)
                               : precise::absolute(position.x * direction.x + position.y * direction.y) / r;
    // 7/9 of a radiation length, less at low energy (NIST XCOM, carbon: a third at 10 MeV, 0.75 at 100 MeV)
    const double lengths = surface.matter.radiation_lengths * oblique(cosine);
    if (random.uniform() > 1.0 - precise::exponential(-7.0 / 9.0 * lengths * e / (e + 0.025))) return false;
    const Particle photon = truth_.particles[static_cast<std::size_t>(now.particle)];
    const double part = random.uniform();
    const Vector at =
        position + 1e-5 * direction;  // off the surface, so that rounding does not decide its side
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
  };
  // every surface once: cylinders from the inside, then planes
  for (const Surface& tube : cylinders())
    if (converts(tube, line.to_cylinder(tube.at_cm, 0.0), false)) return;
  const auto& all = planes();
  const bool forward = now.state.direction.z > 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Surface& plane = all[forward ? i : all.size() - 1 - i];
    if (converts(plane, line.to_disc(plane.at_cm, 0.0), true)) return;
  }
}

}  // namespace sitecap::simulation::outertracker
