#include "simulation/tracker/seeds.h"

#include "simulation/streams.h"
#include "simulation/tracker/geometry.h"
#include "sitecap/random.h"

namespace sitecap::simulation::tracker {

namespace {

constexpr double least_pt_gev = 0.5;
constexpr double twice_share = 0.1, wrong_share = 0.2;

// A state smeared about `truth` on the surface of `layer`, with the errors of a fit to pixel hits alone: 10 %
// of pT at 10 GeV, 2 % at 1 GeV; angles of some mrad at 1 GeV by scattering (CMS, "Pixel tracking", JINST 15
// (2020) P10017).
Seed smeared(const Flight& truth, const Layer& layer, Random& random) {
  const double tangential = 15e-4, longitudinal = 30e-4;
  const double inverse = 1.0 / truth.pt_gev;
  const double inverse_sigma = precise::square_root(4e-4 * inverse * inverse + 1e-4);
  const double phi_sigma = precise::square_root(1e-6 * inverse * inverse + 6.4e-7);
  const double theta_sigma = precise::square_root(1e-6 * inverse * inverse + 1e-6);
  const double radius = precise::square_root(truth.x_cm * truth.x_cm + truth.y_cm * truth.y_cm);
  const double ux = truth.x_cm / radius, uy = truth.y_cm / radius;
  const double t = tangential * random.normal(), l = longitudinal * random.normal();
  // second direction on the surface: along z on a cylinder, along the radius on a disc
  const double lx = layer.is_disc ? ux : 0.0, ly = layer.is_disc ? uy : 0.0, lz = layer.is_disc ? 0.0 : 1.0;
  Seed seed{};
  seed.x_cm = truth.x_cm - uy * t + lx * l;
  seed.y_cm = truth.y_cm + ux * t + ly * l;
  seed.z_cm = truth.z_cm + lz * l;
  seed.inverse_pt = inverse + inverse_sigma * random.normal();
  seed.charge = truth.charge;
  if (seed.inverse_pt < 0.0) {  // so stiff that the sign of its curvature is lost
    seed.inverse_pt = -seed.inverse_pt;
    seed.charge = -seed.charge;
  }
  seed.inverse_pt = max_of(seed.inverse_pt, 1e-4);
  seed.phi = truth.phi + phi_sigma * random.normal();
  seed.theta = truth.theta + theta_sigma * random.normal();
  const double t2 = tangential * tangential, l2 = longitudinal * longitudinal;
  const double direction_t[] = {-uy, ux, 0.0}, direction_l[] = {lx, ly, lz};
  int place = 0;
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j <= i; ++j, ++place)
      if (i < 3)
        seed.covariance[place] = t2 * direction_t[i] * direction_t[j] + l2 * direction_l[i] * direction_l[j];
  seed.covariance[9] = inverse_sigma * inverse_sigma;
  seed.covariance[14] = phi_sigma * phi_sigma;
  seed.covariance[20] = theta_sigma * theta_sigma;
  return seed;
}

// One passage a layer, from inside to outside, at most four.
std::vector<PixelPassage> one_a_layer(const std::vector<PixelPassage>& passages) {
  std::vector<PixelPassage> kept;
  for (const PixelPassage& passage : passages)
    if ((kept.empty() || kept.back().layer != passage.layer) && kept.size() < 4) kept.push_back(passage);
  return kept;
}

void put_hits(Seed& seed, const std::vector<PixelPassage>& passages, std::size_t first) {
  seed.hits = {-1, -1, -1, -1};
  for (std::size_t i = first; i < passages.size(); ++i) seed.hits[i - first] = passages[i].hit;
}

// The hit of another particle that is nearest in the layer of `wanted`, or -1.
int nearest_other(const Event& measured, int wanted) {
  const Hit& own = measured.hits[static_cast<std::size_t>(wanted)];
  int best = -1;
  double least = 4.0;  // cm2: farther away no seed is built
  for (int step = -1; step <= 1; step += 2)
    for (int i = wanted + step; i >= 0 && i < static_cast<int>(measured.hits.size()); i += step) {
      const Hit& other = measured.hits[static_cast<std::size_t>(i)];
      if (other.layer != own.layer || other.module != own.module) break;
      if (other.particle == own.particle) continue;
      const double dx = other.x_cm - own.x_cm, dy = other.y_cm - own.y_cm, dz = other.z_cm - own.z_cm;
      const double distance2 = dx * dx + dy * dy + dz * dz;
      if (distance2 < least) {
        least = distance2;
        best = i;
      }
    }
  return best;
}

}  // namespace

std::vector<Seed> make_seeds(const Run& run, int event_index, const Event& measured) {
  std::vector<Seed> seeds;
  for (std::size_t particle = 0; particle < measured.passages.size(); ++particle) {
    const std::vector<PixelPassage> passages = one_a_layer(measured.passages[particle]);
    if (passages.size() < 3 || passages.front().truth.pt_gev < least_pt_gev) continue;
    Random random(run.seed, stream::tracker_seed, static_cast<u32>(event_index), static_cast<u32>(particle));
    const PixelPassage& last = passages.back();
    const Layer& layer = layers()[static_cast<std::size_t>(last.layer)];
    Seed seed = smeared(last.truth, layer, random);
    seed.particle = static_cast<int>(particle);
    put_hits(seed, passages, 0);
    seeds.push_back(seed);
    if (passages.size() == 4 && random.uniform() < twice_share) {
      Seed second = smeared(last.truth, layer, random);
      second.particle = seed.particle;
      put_hits(second, passages, 1);
      seeds.push_back(second);
    }
    if (random.uniform() > wrong_share) continue;
    const int strange = nearest_other(measured, last.hit);
    if (strange < 0) continue;
    // the direction that the hit before it and the strange one give
    const Hit& before = measured.hits[static_cast<std::size_t>(passages[passages.size() - 2].hit)];
    const Hit& end = measured.hits[static_cast<std::size_t>(strange)];
    Flight guess = last.truth;
    guess.x_cm = end.x_cm;
    guess.y_cm = end.y_cm;
    guess.z_cm = end.z_cm;
    const double dx = end.x_cm - before.x_cm, dy = end.y_cm - before.y_cm, dz = end.z_cm - before.z_cm;
    const double length = precise::square_root(dx * dx + dy * dy);
    const double turn = -0.5 * length * bending_gev_per_cm * guess.charge / guess.pt_gev;
    guess.phi = precise::arc_tangent(dy, dx) + turn;
    guess.theta = precise::arc_tangent(length, dz);
    Seed wrong = smeared(guess, layer, random);
    wrong.particle = -1;
    put_hits(wrong, passages, 0);
    wrong.hits[passages.size() - 1] = strange;
    seeds.push_back(wrong);
  }
  return seeds;
}

}  // namespace sitecap::simulation::tracker
