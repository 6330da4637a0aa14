#include "simulation/generator.h"

#include "simulation/generator/hard.h"
#include "simulation/generator/minimum_bias.h"
#include "simulation/generator/singles.h"
#include "simulation/streams.h"

namespace sitecap::simulation {

namespace {

// The luminous region that CMS simulates for Run 3's flat optics, centred here (CMSSW,
// VtxSmearedParameters_cfi.py, Run3FlatOpticsGaussVtxSigmaZ4p2cm).
constexpr double spread_x_cm = 0.00118, spread_y_cm = 0.00055, spread_z_cm = 4.2;

}  // namespace

Truth generate(const Run& run, int event) {
  const u32 e = static_cast<u32>(event);
  Random random(run.seed, stream::collisions, e, 0);
  const int collisions = 1 + random.poisson(run.pile_up);
  Truth truth;
  truth.collisions.reserve(static_cast<std::size_t>(collisions));
  truth.particles.reserve(static_cast<std::size_t>(200 * collisions));
  for (int index = 0; index < collisions; ++index) {
    Collision collision{};
    collision.x_cm = spread_x_cm * random.normal();
    collision.y_cm = spread_y_cm * random.normal();
    collision.z_cm = spread_z_cm * random.normal();
    collision.first_particle = static_cast<int>(truth.particles.size());
    Random own(run.seed, stream::particles, e, static_cast<u32>(index));
    Emission emission(truth.particles, collision, index);
    if (index == 0 && run.first == First::singles)
      emit_singles(emission, own);
    else if (index == 0)
      emit_hard(emission, run, e, own);
    else
      emit_soft(emission, minimum_bias_activity(own), own);
    collision.particles = static_cast<int>(truth.particles.size()) - collision.first_particle;
    truth.collisions.push_back(collision);
  }
  return truth;
}

void put_truth(Columns& columns, const std::vector<Truth>& events) {
  std::vector<i32> collision_offset{0}, particle_offset{0}, collision, pdg_id;
  std::vector<float> collision_x, collision_y, collision_z, pt, eta, phi, x, y, z;
  std::vector<i8> charge;
  for (const Truth& truth : events) {
    for (const Collision& c : truth.collisions) {
      collision_x.push_back(static_cast<float>(c.x_cm));
      collision_y.push_back(static_cast<float>(c.y_cm));
      collision_z.push_back(static_cast<float>(c.z_cm));
    }
    for (const Particle& p : truth.particles) {
      const Momentum momentum{p.px_gev, p.py_gev, p.pz_gev, 0.0};
      collision.push_back(p.collision);
      pdg_id.push_back(p.pdg_id);
      charge.push_back(static_cast<i8>(p.charge));
      pt.push_back(static_cast<float>(transverse(momentum)));
      eta.push_back(static_cast<float>(pseudorapidity(momentum)));
      phi.push_back(static_cast<float>(precise::arc_tangent(p.py_gev, p.px_gev)));
      x.push_back(static_cast<float>(p.x_cm));
      y.push_back(static_cast<float>(p.y_cm));
      z.push_back(static_cast<float>(p.z_cm));
    }
    collision_offset.push_back(static_cast<i32>(collision_x.size()));
    particle_offset.push_back(static_cast<i32>(pt.size()));
  }
  columns.put("collision_offset", std::move(collision_offset));
  columns.put("collision_x", std::move(collision_x));
  columns.put("collision_y", std::move(collision_y));
  columns.put("collision_z", std::move(collision_z));
  columns.put("particle_offset", std::move(particle_offset));
  columns.put("particle_collision", std::move(collision));
  columns.put("particle_pdg_id", std::move(pdg_id));
  columns.put("particle_charge", std::move(charge));
  columns.put("particle_pt", std::move(pt));
  columns.put("particle_eta", std::move(eta));
  columns.put("particle_phi", std::move(phi));
  columns.put("particle_x", std::move(x));
  columns.put("particle_y", std::move(y));
  columns.put("particle_z", std::move(z));
}

}  // namespace sitecap::simulation
