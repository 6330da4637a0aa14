// Section `calorimeters`: what particle flow gets of one set of collisions: crystals, cells of the hadron
// calorimeter, tracks.
#include "simulation/section.h"

#include "simulation/calorimeters/channels.h"
#include "simulation/calorimeters/showers.h"
#include "simulation/geometry/material.h"
#include "simulation/streams.h"

namespace sitecap::simulation {

namespace ecal {
Columns simulate(const Run& run);
}
namespace tracks {
Columns simulate(const Run& run);
}

namespace calorimeters {

namespace {

// Noise a cell, our choice: a third of CMSSW's thresholds for clustering (particleFlowClusterHBHE_cfi); cells
// are given above two standard deviations.
constexpr double noise_share = 1.0 / 3.0, read_out_sigmas = 2.0;
constexpr double thresholds_hb_gev[] = {0.1, 0.2, 0.3, 0.3};
double noise_gev(const Cell& cell) {
  if (cell.in_barrel) return noise_share * thresholds_hb_gev[cell.depth - 1];
  return noise_share * (cell.depth == 1 ? 0.1 : 0.2);
}
constexpr double least_gev = 0.3;  // of a hadron that is followed into the brass

// Energies of an event's cells, and the particle that gave each the most.
class Deposits {
 public:
  explicit Deposits(int cells)
      : total_(static_cast<std::size_t>(cells)), own_(total_), most_(total_), particle_(total_.size(), -1) {}
  void clear() {
    for (std::size_t i = 0; i < total_.size(); ++i) {
      total_[i] = own_[i] = most_[i] = 0.0;
      particle_[i] = -1;
    }
  }
  void add(int cell, double energy_gev) {
    if (own_[at(cell)] == 0.0) recent_.push_back(cell);
    own_[at(cell)] += energy_gev;
  }
  // All that was added since the last call is this particle's. Returns its sum, GeV.
  double close(i32 particle) {
    double sum = 0.0;
    for (const int cell : recent_) {
      const std::size_t i = at(cell);
      if (own_[i] > most_[i]) {
        most_[i] = own_[i];
        particle_[i] = particle;
      }
      total_[i] += own_[i];
      sum += own_[i];
      own_[i] = 0.0;
    }
    recent_.clear();
    return sum;
  }
  double energy_gev(int cell) const { return total_[at(cell)]; }
  i32 particle(int cell) const { return particle_[at(cell)]; }

 private:
  static std::size_t at(int cell) { return static_cast<std::size_t>(cell); }
  std::vector<double> total_, own_, most_;
  std::vector<i32> particle_;
  std::vector<int> recent_;
};

State state_of(const Particle& p) {
  const Vector momentum{p.px_gev, p.py_gev, p.pz_gev};
  const double size = norm(momentum);
  return {{p.x_cm, p.y_cm, p.z_cm}, (1.0 / size) * momentum, size, p.mass_gev, p.charge};
}

bool is_hadron(int pdg_id) {
  const int kind = pdg_id < 0 ? -pdg_id : pdg_id;
  return kind > 100;
}

// What it left in the crystals: the first draws of section `ecal` for this particle, drawn again.
double in_crystals_gev(const Run& run, u32 event, const Particle& p, u32 index, bool& interacted) {
  interacted = false;
  ecal::Arrival arrival;
  if (!ecal::arrives(state_of(p), arrival)) return 0.0;
  Random random(run.seed, stream::ecal_shower, event, index);
  return ecal::hadron_gev(arrival.energy_gev, p.charge != 0, random, interacted);
}

// Energy that a hadron can leave: without the mass of a baryon, with that of an antibaryon's partner.
double free_energy_gev(const Particle& p, double energy_gev) {
  const bool baryon = p.pdg_id > 1000 || p.pdg_id < -1000;
  if (!baryon) return energy_gev;
  return p.pdg_id > 0 ? energy_gev - p.mass_gev : energy_gev + p.mass_gev;
}

// Adds what one particle leaves; the sums that the truth tells of it, GeV.
struct Left {
  double in_crystals = 0.0, in_brass = 0.0;
};
Left add_particle(const Run& run, u32 event, const Particle& p, u32 index, const Towers& towers,
                  Deposits& deposits) {
  Left left;
  const bool muon = p.pdg_id == 13 || p.pdg_id == -13;
  const double pt = precise::square_root(p.px_gev * p.px_gev + p.py_gev * p.py_gev);
  if ((!muon && !is_hadron(p.pdg_id)) || pt < 0.02) return left;
  const State state = state_of(p);
  bool interacted = false;
  if (!muon) left.in_crystals = in_crystals_gev(run, event, p, index, interacted);
  Vector entry, direction;
  if (!enters(state, entry, direction)) return left;
  Random random(run.seed, stream::hcal_shower, event, index);
  const auto put = [&](const Vector& point, double energy) {
    const int cell = towers.at(point);
    if (cell >= 0) deposits.add(cell, energy);
  };
  if (muon) {
    share_muon(entry, direction, random, put);
  } else {
    const double energy = free_energy_gev(p, state.energy_gev()) - left.in_crystals;
    if (energy < least_gev) return left;
    const double share = precise::square_root(stochastic * stochastic / energy + constant * constant);
    const double shape = 1.0 / (share * share);
    const double visible =
        energy * groom_response(energy) / groom_response(scale_gev) * random.gamma(shape) / shape;
    const double start = interacted ? 0.0 : random.exponential();
    share_hadron(entry, direction, energy, visible, start, random, put);
  }
  left.in_brass = deposits.close(static_cast<i32>(index));
  return left;
}

struct Table {
  std::vector<i32> offset{0}, channel, particle;
  std::vector<float> energy, in_crystals, in_brass;
};

void read_out(Table& table, const Towers& towers, const Deposits& deposits, const Run& run, u32 event) {
  for (int cell = 0; cell < towers.count(); ++cell) {
    Random random(run.seed, stream::hcal_noise, event, static_cast<u32>(cell));
    const double sigma = noise_gev(towers[cell]);
    const double energy = deposits.energy_gev(cell) + sigma * random.normal();
    if (energy < read_out_sigmas * sigma) continue;
    table.channel.push_back(ecal::crystals + cell);
    table.energy.push_back(static_cast<float>(energy));
    table.particle.push_back(deposits.particle(cell));
  }
}

void put_crystals(Table& table, const Columns& crystals, int event) {
  const Span<const i32> offset = crystals.offsets("ecal");
  const Span<const i32> index = crystals.get<i32>("ecal_index"),
                        particle = crystals.get<i32>("ecal_particle");
  const Span<const float> energy = crystals.get<float>("ecal_energy");
  for (i32 i = offset[event]; i < offset[event + 1]; ++i) {
    table.channel.push_back(index[i]);
    table.energy.push_back(energy[i]);
    table.particle.push_back(particle[i]);
  }
}

}  // namespace

Columns simulate(const Run& run) {
  const Towers towers;
  const Columns crystals = ecal::simulate(run), tracked = tracks::simulate(run);
  Columns columns;
  for (const auto& [name, column] : tracked.all())  // the truth is the same in all sections
    columns.put(name, column);
  Table table;
  Deposits deposits(towers.count());
  for (int i = 0; i < run.events; ++i) {
    const u32 event = static_cast<u32>(run.first_event + i);
    const Truth truth = generate(run, run.first_event + i);
    deposits.clear();
    for (std::size_t k = 0; k < truth.particles.size(); ++k) {
      const Left left = add_particle(run, event, truth.particles[k], static_cast<u32>(k), towers, deposits);
      table.in_crystals.push_back(static_cast<float>(left.in_crystals));
      table.in_brass.push_back(static_cast<float>(left.in_brass));
    }
    put_crystals(table, crystals, i);
    read_out(table, towers, deposits, run, event);
    table.offset.push_back(static_cast<i32>(table.channel.size()));
  }
  columns.put("rechit_offset", std::move(table.offset));
  columns.put("rechit_channel", std::move(table.channel));
  columns.put("rechit_energy", std::move(table.energy));
  columns.put("rechit_particle", std::move(table.particle));
  columns.put("particle_in_crystals", std::move(table.in_crystals));
  columns.put("particle_in_brass", std::move(table.in_brass));
  put_channels(columns, towers);
  return columns;
}

}  // namespace calorimeters
}  // namespace sitecap::simulation
