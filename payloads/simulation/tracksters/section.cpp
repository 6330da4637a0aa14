// Section `tracksters`: layer clusters and tracksters of both endcaps, as the kernel clue makes them of
// section `hgcal`, and what is true of each trackster.
//
// Columns: cluster_energy in GeV, cluster_eta, cluster_phi, cluster_layer i32 (0 .. 46 at z < 0, 47 .. 93 at
// z > 0), cluster_trackster i32 (-1 none); trackster_x, trackster_y, trackster_z in cm (barycentre) and
// trackster_energy in GeV: all as clue names them. trackster_particle i32, index of the particle that left
// most in it, -1 for noise alone; trackster_share, that particle's share of the trackster's energy;
// trackster_held, the share of that particle's visible energy that is in this trackster. And the truth.
#include <string>

#include "host/payload.h"
#include "simulation/generator.h"

namespace sitecap::clue {
std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes);
}
namespace sitecap::simulation::hgcal {
Columns simulate(const Run& run);
}

namespace sitecap::simulation::tracksters {

namespace {

// One group of columns of several events, as they come.
template <class T>
class Gathered {
 public:
  explicit Gathered(std::vector<std::string> names) : names_(std::move(names)), values_(names_.size()) {}
  void add(const Columns& event) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const Span<const T> column = event.get<T>(names_[i]);
      values_[i].insert(values_[i].end(), column.begin(), column.end());
    }
  }
  void put(Columns& columns) {
    for (std::size_t i = 0; i < names_.size(); ++i) columns.put(names_[i], std::move(values_[i]));
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<T>> values_;
};

// What is true of tracksters: from the cells, the energies that particles left in them.
class TrueTracksters {
 public:
  explicit TrueTracksters(const Columns& cells)
      : cell_offset_(cells.offsets("rechit")),
        energy_(cells.get<float>("rechit_energy")),
        fraction_(cells.get<float>("rechit_fraction")),
        particle_(cells.get<i32>("rechit_particle")),
        particle_offset_(cells.offsets("particle")) {}

  void add(int event, const Columns& found) {
    const i32 first = cell_offset_[event], cells = cell_offset_[event + 1] - first;
    const std::size_t particles =
        static_cast<std::size_t>(particle_offset_[event + 1] - particle_offset_[event]);
    const Span<const i32> cluster = found.get<i32>("rechit_cluster");
    const Span<const i32> trackster_of = found.get<i32>("cluster_trackster");
    const std::size_t tracksters = static_cast<std::size_t>(found.get<float>("trackster_energy").size);
    std::vector<double> visible(particles, 0.0), all(tracksters, 0.0), of(particles, 0.0);
    std::vector<std::vector<i32>> members(tracksters);
    for (i32 i = 0; i < cells; ++i) {
      const i32 p = particle_[first + i];
      if (p >= 0) visible[static_cast<std::size_t>(p)] += left(first + i);
      const i32 t = cluster[i] < 0 ? -1 : trackster_of[cluster[i]];
      if (t < 0) continue;
      all[static_cast<std::size_t>(t)] += static_cast<double>(energy_[first + i]);
      if (p >= 0) members[static_cast<std::size_t>(t)].push_back(first + i);
    }
    for (std::size_t t = 0; t < tracksters; ++t) {
      for (const i32 i : members[t]) of[static_cast<std::size_t>(particle_[i])] += left(i);
      i32 main = -1;
      double most = 0.0;
      for (const i32 i : members[t]) {  // of equal ones, the one of the first cell
        double& sum = of[static_cast<std::size_t>(particle_[i])];
        if (sum > most) {
          most = sum;
          main = particle_[i];
        }
      }
      for (const i32 i : members[t]) of[static_cast<std::size_t>(particle_[i])] = 0.0;
      particle.push_back(main);
      share.push_back(main < 0 ? 0.f : static_cast<float>(most / all[t]));
      held.push_back(main < 0 ? 0.f : static_cast<float>(most / visible[static_cast<std::size_t>(main)]));
    }
  }

  std::vector<i32> particle;
  std::vector<float> share, held;

 private:
  double left(i64 cell) const {
    return static_cast<double>(energy_[cell]) * static_cast<double>(fraction_[cell]);
  }

  Span<const i32> cell_offset_;
  Span<const float> energy_, fraction_;
  Span<const i32> particle_, particle_offset_;
};

}  // namespace

Columns simulate(const Run& run) {
  Columns columns;
  Gathered<float> cluster_floats({"cluster_energy", "cluster_eta", "cluster_phi"});
  Gathered<i32> cluster_ints({"cluster_layer", "cluster_trackster"});
  Gathered<float> trackster_floats({"trackster_x", "trackster_y", "trackster_z", "trackster_energy"});
  std::vector<i32> cluster_offset{0}, trackster_offset{0}, particle;
  std::vector<float> share, held;
  std::vector<Truth> truths;
  for (int event = run.first_event; event < run.first_event + run.events; ++event) {
    Run one = run;
    one.first_event = event;
    one.events = 1;  // cells of one event at a time: they are 16 MB each at 200 collisions
    const Columns cells = hgcal::simulate(one);
    const std::unique_ptr<Payload> clue = sitecap::clue::open(cells, {}, SITECAP_LANES_WIDE);
    clue->process(0, nullptr);
    const Columns found = clue->results();
    TrueTracksters truth(cells);
    truth.add(0, found);
    cluster_floats.add(found);
    cluster_ints.add(found);
    trackster_floats.add(found);
    cluster_offset.push_back(cluster_offset.back() +
                             static_cast<i32>(found.get<float>("cluster_energy").size));
    trackster_offset.push_back(trackster_offset.back() + static_cast<i32>(truth.particle.size()));
    particle.insert(particle.end(), truth.particle.begin(), truth.particle.end());
    share.insert(share.end(), truth.share.begin(), truth.share.end());
    held.insert(held.end(), truth.held.begin(), truth.held.end());
    truths.push_back(generate(run, event));
  }
  cluster_floats.put(columns);
  cluster_ints.put(columns);
  trackster_floats.put(columns);
  columns.put("cluster_offset", std::move(cluster_offset));
  columns.put("trackster_offset", std::move(trackster_offset));
  columns.put("trackster_particle", std::move(particle));
  columns.put("trackster_share", std::move(share));
  columns.put("trackster_held", std::move(held));
  put_truth(columns, truths);
  return columns;
}

}  // namespace sitecap::simulation::tracksters
