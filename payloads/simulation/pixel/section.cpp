// Section "pixel": digis of CMS's phase-1 pixel detector.
//
// Groups of an event set: `digi` (module, row, column, adc, particle), `crossing` (particle, module, x, y, z:
// the mid-plane point), and the truth. Secondaries that the detector's matter makes follow the generator's
// particles in the group `particle`; `particle_parent` names the particle that each comes from, -1 for the
// generator's. Frames without offsets: module_layer, module_x, module_y, module_z (cm), module_rotation (9 a
// module: local x, local y, normal), module_lorentz_x, module_lorentz_y (cm; add to where charge is
// collected), module_thickness (cm).
#include "simulation/section.h"

#include "simulation/pixel/readout.h"
#include "simulation/streams.h"

namespace sitecap::simulation::pixel {

namespace {

// Crossings that leave no trace, of busy or dead columns (J. Instrum. 16 (2021) P02027: 97.5 % in layer 1 at
// high rate, more than 99 % elsewhere).
constexpr double lost_first_layer = 0.025, lost_others = 0.01;

struct Crossings {
  std::vector<i32> particle;
  std::vector<u16> module;
  std::vector<float> x, y, z;
};

void put_modules(Columns& columns) {
  std::vector<u8> layer;
  std::vector<float> x, y, z, rotation, lorentz_x, lorentz_y, thickness;
  for (const Module& module : modules()) {
    layer.push_back(static_cast<u8>(module.layer));
    x.push_back(static_cast<float>(module.centre.x));
    y.push_back(static_cast<float>(module.centre.y));
    z.push_back(static_cast<float>(module.centre.z));
    for (const Vector& axis : {module.x, module.y, module.normal})
      for (const double component : {axis.x, axis.y, axis.z})
        rotation.push_back(static_cast<float>(component));
    lorentz_x.push_back(static_cast<float>(module.lorentz_x_cm));
    lorentz_y.push_back(static_cast<float>(module.lorentz_y_cm));
    thickness.push_back(static_cast<float>(module.thickness_cm));
  }
  columns.put("module_layer", std::move(layer));
  columns.put("module_x", std::move(x));
  columns.put("module_y", std::move(y));
  columns.put("module_z", std::move(z));
  columns.put("module_rotation", std::move(rotation));
  columns.put("module_lorentz_x", std::move(lorentz_x));
  columns.put("module_lorentz_y", std::move(lorentz_y));
  columns.put("module_thickness", std::move(thickness));
}

}  // namespace

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  std::vector<i32> parents, digi_offset{0}, crossing_offset{0};
  Digis digis;
  Crossings known;
  std::vector<Crossing> crossings;
  std::vector<Deposit> deposits;
  for (int i = 0; i < run.events; ++i) {
    const int event = run.first_event + i;
    Truth truth = generate(run, event);
    std::vector<i32> parent(truth.particles.size(), -1);
    Transport transport(truth, parent);
    deposits.clear();
    const int primaries = static_cast<int>(truth.particles.size());
    for (int p = 0; p < primaries; ++p) {
      Random random(run.seed, stream::pixel_crossing, static_cast<u32>(event), static_cast<u32>(p));
      crossings.clear();
      transport.follow(p, random, crossings);
      for (const Crossing& crossing : crossings) {
        known.particle.push_back(crossing.particle);
        known.module.push_back(static_cast<u16>(crossing.module));
        known.x.push_back(static_cast<float>(crossing.position.x));
        known.y.push_back(static_cast<float>(crossing.position.y));
        known.z.push_back(static_cast<float>(crossing.position.z));
        const int layer = modules()[static_cast<std::size_t>(crossing.module)].layer;
        if (random.uniform() < (layer == 0 ? lost_first_layer : lost_others)) continue;
        ionise(crossing, random, deposits);
      }
    }
    read_out(run, static_cast<u32>(event), deposits, digis);
    parents.insert(parents.end(), parent.begin(), parent.end());
    digi_offset.push_back(static_cast<i32>(digis.module.size()));
    crossing_offset.push_back(static_cast<i32>(known.particle.size()));
    events.push_back(std::move(truth));
  }
  Columns columns;
  put_truth(columns, events);
  columns.put("particle_parent", std::move(parents));
  columns.put("digi_offset", std::move(digi_offset));
  columns.put("digi_module", std::move(digis.module));
  columns.put("digi_row", std::move(digis.row));
  columns.put("digi_column", std::move(digis.column));
  columns.put("digi_adc", std::move(digis.adc));
  columns.put("digi_particle", std::move(digis.particle));
  columns.put("crossing_offset", std::move(crossing_offset));
  columns.put("crossing_particle", std::move(known.particle));
  columns.put("crossing_module", std::move(known.module));
  columns.put("crossing_x", std::move(known.x));
  columns.put("crossing_y", std::move(known.y));
  columns.put("crossing_z", std::move(known.z));
  put_modules(columns);
  return columns;
}

}  // namespace sitecap::simulation::pixel
