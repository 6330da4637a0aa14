// Section `ecal`: crystals above threshold of a CMS-like electromagnetic calorimeter, and what electrons and
// photons left there in truth, for the seeding of electrons.
#include "simulation/ecal/readout.h"

namespace sitecap::simulation::ecal {

namespace {

constexpr double least_cluster_gev = 4.0;  // transverse energy of a true electron or photon

struct Table {
  Crystals crystals;
  std::vector<i32> sc_offset{0}, sc_particle;
  std::vector<float> sc_energy, sc_eta, sc_phi, sc_x, sc_y, sc_z, sc_radiated;
};

State state_of(const Particle& p) {
  const Vector momentum{p.px_gev, p.py_gev, p.pz_gev};
  const double size = norm(momentum);
  return {{p.x_cm, p.y_cm, p.z_cm}, (1.0 / size) * momentum, size, p.mass_gev, p.charge};
}

// Energy and energy-weighted place of what one electron or photon left.
struct Cluster {
  double energy_gev = 0.0, radiated_gev = 0.0;
  Vector moment{0.0, 0.0, 0.0};
  void add(const Arrival& arrival, double energy, bool radiated) {
    energy_gev += energy;
    if (radiated) radiated_gev += energy;
    moment = moment + energy * arrival.position;
  }
};

void put_cluster(Table& table, const Cluster& cluster, i32 particle) {
  const Vector p = (1.0 / cluster.energy_gev) * cluster.moment;
  table.sc_particle.push_back(particle);
  table.sc_energy.push_back(static_cast<float>(cluster.energy_gev));
  table.sc_eta.push_back(static_cast<float>(eta_of(p)));
  table.sc_phi.push_back(static_cast<float>(precise::arc_tangent(p.y, p.x)));
  table.sc_x.push_back(static_cast<float>(p.x));
  table.sc_y.push_back(static_cast<float>(p.y));
  table.sc_z.push_back(static_cast<float>(p.z));
  table.sc_radiated.push_back(static_cast<float>(cluster.radiated_gev / cluster.energy_gev));
}

void add_particle(Table& table, Deposits& deposits, const Run& run, u32 event, const Particle& p, i32 index) {
  const int kind = p.pdg_id < 0 ? -p.pdg_id : p.pdg_id;
  if (kind == 12 || kind == 14 || kind == 16) return;
  const double pt = precise::square_root(p.px_gev * p.px_gev + p.py_gev * p.py_gev);
  if (pt < 0.02) return;
  Random random(run.seed, stream::ecal_shower, event, static_cast<u32>(index));
  const State state = state_of(p);
  std::vector<Arrival> arrivals;
  if (kind == 11) {
    radiate(state, random, arrivals);
  } else {
    Arrival arrival;
    if (arrives(state, arrival)) arrivals.push_back(arrival);
  }
  if (arrivals.empty()) return;
  if (kind == 11 || kind == 22) {
    Cluster cluster;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      const double measured = measured_shower_gev(arrivals[i].energy_gev, random);
      const double kept = share_shower(arrivals[i], measured, 1.0, random, deposits);
      cluster.add(arrivals[i], kept, i > 0);
    }
    const double et = pt * cluster.energy_gev / state.energy_gev();
    if (et > least_cluster_gev) put_cluster(table, cluster, index);
  } else {
    bool interacted = false;
    const double energy = kind == 13 ? ionisation_gev(random)
                                     : hadron_gev(arrivals[0].energy_gev, p.charge != 0, random, interacted);
    if (interacted) {
      share_shower(arrivals[0], energy, hadron_widening, random, deposits);
    } else if (energy > 0.0) {
      const Vector& at = arrivals[0].position;
      const int crystal = arrivals[0].in_barrel ? barrel_crystal(at) : endcap_crystal(at);
      if (crystal >= 0) deposits.add(crystal, energy);
    }
  }
  deposits.close(index);
}

void put_table(Columns& columns, Table& table) {
  table.crystals.put(columns);
  columns.put("sc_offset", std::move(table.sc_offset));
  columns.put("sc_particle", std::move(table.sc_particle));
  columns.put("sc_energy", std::move(table.sc_energy));
  columns.put("sc_eta", std::move(table.sc_eta));
  columns.put("sc_phi", std::move(table.sc_phi));
  columns.put("sc_x", std::move(table.sc_x));
  columns.put("sc_y", std::move(table.sc_y));
  columns.put("sc_z", std::move(table.sc_z));
  columns.put("sc_radiated", std::move(table.sc_radiated));
}

}  // namespace

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  Table table;
  Deposits deposits;
  for (int i = 0; i < run.events; ++i) {
    const int event = run.first_event + i;
    events.push_back(generate(run, event));
    const Truth& truth = events.back();
    deposits.clear();
    for (std::size_t k = 0; k < truth.particles.size(); ++k)
      add_particle(table, deposits, run, static_cast<u32>(event), truth.particles[k], static_cast<i32>(k));
    read_out(table.crystals, deposits, run, static_cast<u32>(event));
    table.sc_offset.push_back(static_cast<i32>(table.sc_particle.size()));
  }
  Columns columns;
  put_truth(columns, events);
  put_table(columns, table);
  return columns;
}

}  // namespace sitecap::simulation::ecal
