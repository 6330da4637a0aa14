// Memory of one copy of the kernel on a CPU: made once, for the largest event. Host only.
#pragma once
#include "host/arena.h"
#include "kernels/eseeding/events.h"
#include "kernels/eseeding/results.h"

namespace sitecap::eseeding {

// How many there are of what an event has and of what is found.
struct Counts {
  i32 crystals = 0, clusters = 0, candidates = 0, candidate_seeds = 0, superclusters = 0, firsts = 0,
      seeds = 0;
  i32 overflow = 0;  // what the workspace did not hold
};

struct Workspace {
  explicit Workspace(const Events& events) {
    const i32 crystals = events.most_crystals() + spare, of_hits = events.most_hits() + spare;
    grid.rechit = arena.make<i32>(cells);
    each({&climbing.cell, &climbing.parent, &climbing.root, &climbing.cluster, &climbing.seeds, &bin, &cursor,
          &members.rechit, &members.cluster, &clusters.offset, &chosen},
         crystals + 1);
    each({&climbing.level, &members.weight, &clusters.energy, &clusters.x, &clusters.y, &clusters.z,
          &clusters.eta, &clusters.phi, &clusters.et, &chosen_et},
         crystals + 1);
    each({&candidates.cluster, &owner}, most_candidates + 32);
    each({&candidates.energy, &candidates.eta, &candidates.phi, &candidates.et, &candidates.depth,
          &candidates.x, &candidates.y, &candidates.z, &candidates.reach[0], &candidates.reach[1],
          &candidates.reach[2], &candidates.reach[3]},
         most_candidates + 32);
    rows = arena.make<u32>(static_cast<i64>(most_seeds) * (most_candidates / 32));
    used = arena.make<u32>(most_candidates / 32);
    each({&superclusters.seed}, most_superclusters);
    each({&superclusters.energy, &superclusters.x, &superclusters.y, &superclusters.z, &superclusters.eta,
          &superclusters.phi, &superclusters.behind},
         most_superclusters);
    superclusters.selected = arena.make<u8>(most_superclusters);
    each({&tower_energy, &tower_eta, &tower_phi}, events.most_towers() + spare);
    each({&hits.bin, &hits.order}, of_hits);
    each({&hits.offset, &hits.cursor}, hit_bins + 1);
    each({&hits.r_raw, &hits.phi_raw, &hits.r, &hits.phi, &hits.z}, of_hits);
    each({&first_count}, most_superclusters * layers + 1);
    targets = arena.make<Target>(most_superclusters);
    ways = arena.make<Way>(most_firsts);
    each({&firsts.target, &firsts.hit, &firsts.charges, &nexts.count, &nexts.layers_passed, &seed_count},
         most_firsts + 1);
    each({&firsts.dphi_negative, &firsts.dphi_positive}, most_firsts);
    each({&nexts.hit, &nexts.charges, &nexts.layer}, most_firsts * slots);
    each({&nexts.dphi_negative, &nexts.dphi_positive, &nexts.drz}, most_firsts * slots);
    each({&seeds.target, &seeds.hit0, &seeds.hit1, &seeds.hit2, &seeds.charges}, most_found);
    for (auto& of_hit : seeds.dphi) each({&of_hit[0], &of_hit[1]}, most_found);
    each({&seeds.drz[0], &seeds.drz[1]}, most_found);
  }

  Arena arena;
  Grid grid{};
  Climb climbing{};
  Members members{};
  Clusters clusters{};
  Candidates candidates{};
  Superclusters superclusters{};
  Hits hits{};
  Firsts firsts{};
  Nexts nexts{};
  Seeds seeds{};
  i32 *bin = nullptr, *cursor = nullptr, *chosen = nullptr, *owner = nullptr, *first_count = nullptr,
      *seed_count = nullptr;
  float *chosen_et = nullptr, *tower_energy = nullptr, *tower_eta = nullptr, *tower_phi = nullptr;
  u32 *rows = nullptr, *used = nullptr;
  Target* targets = nullptr;
  Way* ways = nullptr;

 private:
  template <class T>
  void each(std::initializer_list<T**> arrays, i64 count) {
    for (T** array : arrays) *array = arena.make<T>(count);
  }
};

}  // namespace sitecap::eseeding
