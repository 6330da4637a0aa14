// Section `electron`: pixel hits, crystals and hadronic towers of the same collisions, for the seeding of
// electrons. A particle is followed once: the electron that leaves the pixel hits is the one whose remains,
// with the photons that it radiated on its way, arrive at the crystals. Columns: README.md.
#include "simulation/ecal/readout.h"
#include "simulation/electron/boson.h"
#include "simulation/electron/calorimeters.h"
#include "simulation/electron/hits.h"

namespace sitecap::simulation::electron {

namespace {

constexpr double least_tower_gev = 0.6;
constexpr double least_electron_gev = 4.0;  // transverse, of those whose fate is written down

struct Towers {
  std::vector<i32> offset{0};
  std::vector<float> energy, eta, phi;

  void add(const std::vector<double>& towers_gev) {
    for (int i = 0; i < tower_rings * tower_sectors; ++i) {
      const double energy_gev = towers_gev[static_cast<std::size_t>(i)];
      if (energy_gev < least_tower_gev) continue;
      energy.push_back(static_cast<float>(energy_gev));
      eta.push_back(
          static_cast<float>((i / tower_sectors + 0.5) * (2.0 * tower_eta / tower_rings) - tower_eta));
      phi.push_back(
          static_cast<float>((i % tower_sectors + 0.5) * (2.0 * precise::pi / tower_sectors) - precise::pi));
    }
    offset.push_back(static_cast<i32>(energy.size()));
  }
};

struct Electrons {
  std::vector<i32> offset{0}, particle;
  std::vector<float> crystals, carried;
};

void put_places(Columns& columns, const std::vector<i32>& index) {
  std::vector<float> x, y, z;
  for (const i32 crystal : index) {
    const Vector at = ecal::centre_of(crystal);
    x.push_back(static_cast<float>(at.x));
    y.push_back(static_cast<float>(at.y));
    z.push_back(static_cast<float>(at.z));
  }
  columns.put("ecal_x", std::move(x));
  columns.put("ecal_y", std::move(y));
  columns.put("ecal_z", std::move(z));
}

}  // namespace

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  std::vector<i32> parents;
  Hits hits;
  ecal::Crystals crystals;
  Towers towers;
  Electrons electrons;
  Calorimeters calorimeters;
  std::vector<pixel::Crossing> crossings;
  std::vector<pixel::Departure> departures;
  for (int i = 0; i < run.events; ++i) {
    const u32 event = static_cast<u32>(run.first_event + i);
    Truth truth = generate(run, run.first_event + i);
    Random of_boson(run.seed, stream::boson, event, 0);
    add_boson(truth, of_boson);
    std::vector<i32> parent(truth.particles.size(), -1);
    pixel::Transport transport(truth, parent, &departures);
    calorimeters.clear();
    crossings.clear();
    const int primaries = static_cast<int>(truth.particles.size());
    for (int p = 0; p < primaries; ++p) {
      Random on_the_way(run.seed, stream::pixel_crossing, event, static_cast<u32>(p));
      departures.clear();
      transport.follow(p, on_the_way, crossings);
      Random at_the_end(run.seed, stream::ecal_shower, event, static_cast<u32>(p));
      const Left left = calorimeters.add(truth, p, departures, at_the_end);
      const Particle& particle = truth.particles[static_cast<std::size_t>(p)];
      const double pt =
          precise::square_root(particle.px_gev * particle.px_gev + particle.py_gev * particle.py_gev);
      if ((particle.pdg_id != 11 && particle.pdg_id != -11) || pt < least_electron_gev) continue;
      const double energy = precise::square_root(pt * pt + particle.pz_gev * particle.pz_gev);
      electrons.particle.push_back(p);
      electrons.crystals.push_back(static_cast<float>(left.crystals_gev));
      electrons.carried.push_back(static_cast<float>(left.own_gev / energy));
    }
    Random of_hits(run.seed, stream::pixel_hit, event, 0);
    add_hits(crossings, of_hits, hits);
    ecal::read_out(crystals, calorimeters.crystals(), run, event);
    towers.add(calorimeters.towers_gev());
    electrons.offset.push_back(static_cast<i32>(electrons.particle.size()));
    parents.insert(parents.end(), parent.begin(), parent.end());
    events.push_back(std::move(truth));
  }
  Columns columns;
  put_truth(columns, events);
  columns.put("particle_parent", std::move(parents));
  columns.put("hit_offset", std::move(hits.offset));
  columns.put("hit_x", std::move(hits.x));
  columns.put("hit_y", std::move(hits.y));
  columns.put("hit_z", std::move(hits.z));
  columns.put("hit_layer", std::move(hits.layer));
  columns.put("hit_particle", std::move(hits.particle));
  put_places(columns, crystals.index);
  crystals.put(columns);
  columns.put("tower_offset", std::move(towers.offset));
  columns.put("tower_energy", std::move(towers.energy));
  columns.put("tower_eta", std::move(towers.eta));
  columns.put("tower_phi", std::move(towers.phi));
  for (const char* axis : {"beam_x", "beam_y", "beam_z"}) columns.put(axis, std::vector<float>{0.f});
  columns.put("electron_offset", std::move(electrons.offset));
  columns.put("electron_particle", std::move(electrons.particle));
  columns.put("electron_crystals", std::move(electrons.crystals));
  columns.put("electron_carried", std::move(electrons.carried));
  return columns;
}

}  // namespace sitecap::simulation::electron
