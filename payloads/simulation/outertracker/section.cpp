// Section "outertracker": hits in the two sensors of each module of CMS's Phase-2 outer tracker.
//
// Groups of an event set: `hit` (module, sensor 0 or 1, x, y, z in cm, particle), sorted by module and
// sensor, then by cell; and the truth. Electrons of conversions follow the generator's particles in the group
// `particle`; `particle_parent` names the photon, -1 for the generator's. Frames without offsets: README.md.
#include "simulation/section.h"

#include <algorithm>

#include "simulation/outertracker/transport.h"
#include "simulation/streams.h"

namespace sitecap::simulation::outertracker {

namespace {

// Of a sensor (beam tests of 2S modules: 99.75 %, arXiv:2404.08794; a little is left for dead chips).
constexpr double efficiency = 0.995;
// Hits of secondaries that are not followed (nuclear interactions, knock-on electrons), in one sensor each:
// at a radius of 25 cm and pile-up 200, falling with the square of the radius. Ours: a fifth of what
// primaries leave.
constexpr double background_per_cm2 = 0.03, background_radius_cm = 25.0, background_pile_up = 200.0;

// What is read out: one strip or macro-pixel.
struct Cell {
  int sensor;  // 2 * module + sensor
  int along, across;
  int particle;

  bool before(const Cell& other) const {
    if (sensor != other.sensor) return sensor < other.sensor;
    if (along != other.along) return along < other.along;
    if (across != other.across) return across < other.across;
    return static_cast<u32>(particle) <
           static_cast<u32>(other.particle);  // the first of the truth; noise last
  }
  bool same_place(const Cell& other) const {
    return sensor == other.sensor && along == other.along && across == other.across;
  }
};

struct Hits {
  std::vector<i32> offset{0}, particle;
  std::vector<u16> module;
  std::vector<u8> sensor;
  std::vector<float> x, y, z;
};

Cell cell_at(int index, int sensor, double x_cm, double y_cm, int particle) {
  const Module& module = modules()[static_cast<std::size_t>(index)];
  return {2 * index + sensor,
          static_cast<int>((y_cm + module.half_length_cm) / module.cell_length_cm(sensor)),
          static_cast<int>((x_cm + module.half_width_cm) / module.pitch_cm()), particle};
}

void add_background(const Run& run, u32 event, std::vector<Cell>& cells) {
  for (std::size_t m = 0; m < modules().size(); ++m) {
    const Module& module = modules()[m];
    Random random(run.seed, stream::outertracker_noise, event, static_cast<u32>(m));
    const double r2 = module.centre.x * module.centre.x + module.centre.y * module.centre.y;
    const double area = 4.0 * module.half_width_cm * module.half_length_cm;
    const double mean = area * background_per_cm2 * (background_radius_cm * background_radius_cm / r2) *
                        (run.pile_up / background_pile_up);
    for (int sensor = 0; sensor < 2; ++sensor)
      for (int i = random.poisson(mean); i > 0; --i) {
        const double x = random.uniform(-module.half_width_cm, module.half_width_cm);
        const double y = random.uniform(-module.half_length_cm, module.half_length_cm);
        cells.push_back(cell_at(static_cast<int>(m), sensor, x, y, -1));
      }
  }
}

// The middle of each cell that fired, in order.
void read_out(std::vector<Cell>& cells, Hits& hits) {
  std::sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.before(b); });
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (i > 0 && cell.same_place(cells[i - 1])) continue;
    const Module& module = modules()[static_cast<std::size_t>(cell.sensor / 2)];
    const int sensor = cell.sensor % 2;
    const double x = (cell.across + 0.5) * module.pitch_cm() - module.half_width_cm;
    const double y = (cell.along + 0.5) * module.cell_length_cm(sensor) - module.half_length_cm;
    const Vector at = module.centre +
                      (sensor == 0 ? -0.5 * module.gap_cm : 0.5 * module.gap_cm) * module.normal +
                      x * module.x + y * module.y;
    hits.module.push_back(static_cast<u16>(cell.sensor / 2));
    hits.sensor.push_back(static_cast<u8>(sensor));
    hits.x.push_back(static_cast<float>(at.x));
    hits.y.push_back(static_cast<float>(at.y));
    hits.z.push_back(static_cast<float>(at.z));
    hits.particle.push_back(cell.particle);
  }
  hits.offset.push_back(static_cast<i32>(hits.x.size()));
}

void put_modules(Columns& columns) {
  std::vector<u8> layer, pixels;
  std::vector<float> x, y, z, rotation, gap;
  for (const Module& module : modules()) {
    layer.push_back(static_cast<u8>(module.layer));
    pixels.push_back(module.has_pixels ? 1 : 0);
    x.push_back(static_cast<float>(module.centre.x));
    y.push_back(static_cast<float>(module.centre.y));
    z.push_back(static_cast<float>(module.centre.z));
    for (const Vector& axis : {module.x, module.y, module.normal})
      for (const double component : {axis.x, axis.y, axis.z})
        rotation.push_back(static_cast<float>(component));
    gap.push_back(static_cast<float>(module.gap_cm));
  }
  columns.put("module_layer", std::move(layer));
  columns.put("module_has_pixels", std::move(pixels));
  columns.put("module_x", std::move(x));
  columns.put("module_y", std::move(y));
  columns.put("module_z", std::move(z));
  columns.put("module_rotation", std::move(rotation));
  columns.put("module_gap", std::move(gap));
}

}  // namespace

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  std::vector<i32> parents;
  Hits hits;
  std::vector<Crossing> crossings;
  std::vector<Cell> cells;
  for (int i = 0; i < run.events; ++i) {
    const u32 event = static_cast<u32>(run.first_event + i);
    Truth truth = generate(run, run.first_event + i);
    std::vector<i32> parent(truth.particles.size(), -1);
    Transport transport(truth, parent);
    cells.clear();
    const int primaries = static_cast<int>(truth.particles.size());
    for (int p = 0; p < primaries; ++p) {
      Random random(run.seed, stream::outertracker_crossing, event, static_cast<u32>(p));
      crossings.clear();
      transport.follow(p, random, crossings);
      for (const Crossing& crossing : crossings)
        if (random.uniform() < efficiency)
          cells.push_back(
              cell_at(crossing.module, crossing.sensor, crossing.x_cm, crossing.y_cm, crossing.particle));
    }
    add_background(run, event, cells);
    read_out(cells, hits);
    parents.insert(parents.end(), parent.begin(), parent.end());
    events.push_back(std::move(truth));
  }
  Columns columns;
  put_truth(columns, events);
  put_modules(columns);
  columns.put("particle_parent", std::move(parents));
  columns.put("hit_offset", std::move(hits.offset));
  columns.put("hit_module", std::move(hits.module));
  columns.put("hit_sensor", std::move(hits.sensor));
  columns.put("hit_x", std::move(hits.x));
  columns.put("hit_y", std::move(hits.y));
  columns.put("hit_z", std::move(hits.z));
  columns.put("hit_particle", std::move(hits.particle));
  return columns;
}

}  // namespace sitecap::simulation::outertracker
