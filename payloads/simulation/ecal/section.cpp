// Section `ecal`: crystals above threshold of a CMS-like electromagnetic calorimeter, and what electrons and
// photons left there in truth, for the seeding of electrons.
#include "simulation/ecal/shower.h"
#include "simulation/streams.h"

namespace sitecap::simulation::ecal {

namespace {

// Noise a crystal: 42 MeV in the barrel, some 150 MeV in the endcaps (JINST 3 S08004, 4.7); crystals are read
// out above three standard deviations.
constexpr double noise_barrel_gev = 0.042, noise_endcap_gev = 0.150, threshold_sigmas = 3.0;
constexpr double share_above_threshold = 1.349898e-3;  // of a Gaussian above three standard deviations
constexpr double least_cluster_gev = 4.0;              // transverse energy of a true electron or photon

struct Table {
  std::vector<i32> offset{0}, index, particle, sc_offset{0}, sc_particle;
  std::vector<u8> region;
  std::vector<i16> first, second;  // ieta and iphi, or ix and iy
  std::vector<float> energy, eta, phi;
  std::vector<float> sc_energy, sc_eta, sc_phi, sc_x, sc_y, sc_z, sc_radiated;

  void add_crystal(int crystal, double energy_gev, i32 particle_of) {
    const Vector p = centre_of(crystal);
    index.push_back(crystal);
    region.push_back(region_of(crystal));
    if (region_of(crystal) == barrel) {
      const int ring = crystal / sectors - rings / 2;  // no ring 0: -85 .. -1, 1 .. 85
      first.push_back(static_cast<i16>(ring < 0 ? ring : ring + 1));
      second.push_back(static_cast<i16>(crystal % sectors + 1));
    } else {
      const int cell = (crystal - barrel_crystals) % (side_cells * side_cells);
      first.push_back(static_cast<i16>(cell % side_cells + 1));
      second.push_back(static_cast<i16>(cell / side_cells + 1));
    }
    energy.push_back(static_cast<float>(energy_gev));
    eta.push_back(static_cast<float>(eta_of(p)));
    phi.push_back(static_cast<float>(precise::arc_tangent(p.y, p.x)));
    particle.push_back(particle_of);
  }
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

// A Gaussian's tail above three standard deviations, by rejection (G. Marsaglia, Technometrics 6 (1964) 101).
double noise_above_threshold(Random& random) {
  for (;;) {
    const double x = precise::square_root(threshold_sigmas * threshold_sigmas + 2.0 * random.exponential());
    if (random.uniform() * x < threshold_sigmas) return x;
  }
}

// Crystals in the order of their number: those that were hit, with noise, and those that noise alone lifts.
void read_out(Table& table, const Deposits& deposits, const Run& run, u32 event) {
  Random random(run.seed, stream::ecal_noise, event, 0);
  int next_noise = -1;
  const auto draw_noise = [&] {
    next_noise += 1 + static_cast<int>(random.exponential() / share_above_threshold);
  };
  draw_noise();
  for (int crystal = 0; crystal < crystals; ++crystal) {
    const double sigma = region_of(crystal) == barrel ? noise_barrel_gev : noise_endcap_gev;
    const double hit = deposits.energy_gev(crystal);
    if (hit > 0.0) {
      const double energy = hit + sigma * random.normal();
      if (energy > threshold_sigmas * sigma) table.add_crystal(crystal, energy, deposits.particle(crystal));
    } else if (crystal == next_noise) {
      const double eta = precise::absolute(eta_of(centre_of(crystal)));
      const bool real = region_of(crystal) == barrel || (eta > barrel_eta && eta < endcap_eta);
      if (real) table.add_crystal(crystal, sigma * noise_above_threshold(random), -1);
    }
    if (crystal >= next_noise) draw_noise();
  }
  table.offset.push_back(static_cast<i32>(table.index.size()));
  table.sc_offset.push_back(static_cast<i32>(table.sc_particle.size()));
}

void put_table(Columns& columns, Table& table) {
  columns.put("ecal_offset", std::move(table.offset));
  columns.put("ecal_index", std::move(table.index));
  columns.put("ecal_region", std::move(table.region));
  columns.put("ecal_ieta", std::move(table.first));
  columns.put("ecal_iphi", std::move(table.second));
  columns.put("ecal_energy", std::move(table.energy));
  columns.put("ecal_eta", std::move(table.eta));
  columns.put("ecal_phi", std::move(table.phi));
  columns.put("ecal_particle", std::move(table.particle));
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
    read_out(table, deposits, run, static_cast<u32>(event));
  }
  Columns columns;
  put_truth(columns, events);
  put_table(columns, table);
  return columns;
}

}  // namespace sitecap::simulation::ecal
