// What an event came to, as named arrays. Host only.
#pragma once
#include "kernels/eseeding/workspace.h"

namespace sitecap::eseeding {

struct Counts {
  i32 crystals = 0, clusters = 0, candidates = 0, candidate_seeds = 0, superclusters = 0, firsts = 0,
      seeds = 0;
  i32 overflow = 0;  // what the workspace did not hold
};

// Arrays of a result by name, in a fixed order, to `put(name, data, count)`.
template <class Put>
void each_result(const Workspace& s, const Counts& n, const Put& put) {
  put("ecal_cluster", s.climbing.cluster, n.crystals);
  put("cluster_energy", s.clusters.energy, n.clusters);
  put("cluster_eta", s.clusters.eta, n.clusters);
  put("cluster_phi", s.clusters.phi, n.clusters);
  put("cluster_sc", s.chosen, n.clusters);
  put("sc_seed", s.superclusters.seed, n.superclusters);
  put("sc_energy", s.superclusters.energy, n.superclusters);
  put("sc_eta", s.superclusters.eta, n.superclusters);
  put("sc_phi", s.superclusters.phi, n.superclusters);
  put("sc_x", s.superclusters.x, n.superclusters);
  put("sc_y", s.superclusters.y, n.superclusters);
  put("sc_z", s.superclusters.z, n.superclusters);
  put("sc_behind", s.superclusters.behind, n.superclusters);
  put("sc_selected", s.superclusters.selected, n.superclusters);
  put("seed_sc", s.seeds.target, n.seeds);
  put("seed_hit0", s.seeds.hit0, n.seeds);
  put("seed_hit1", s.seeds.hit1, n.seeds);
  put("seed_hit2", s.seeds.hit2, n.seeds);
  put("seed_charges", s.seeds.charges, n.seeds);
  put("seed_dphi1_negative", s.seeds.dphi[0][0], n.seeds);
  put("seed_dphi1_positive", s.seeds.dphi[0][1], n.seeds);
  put("seed_dphi2_negative", s.seeds.dphi[1][0], n.seeds);
  put("seed_dphi2_positive", s.seeds.dphi[1][1], n.seeds);
  put("seed_dphi3_negative", s.seeds.dphi[2][0], n.seeds);
  put("seed_dphi3_positive", s.seeds.dphi[2][1], n.seeds);
  put("seed_drz2", s.seeds.drz[0], n.seeds);
  put("seed_drz3", s.seeds.drz[1], n.seeds);
}

// Columns, of which README.md tells the meaning.
inline Columns results_of(const Workspace& s, const Counts& n) {
  Columns columns;
  each_result(s, n, [&](const char* name, const auto* values, i32 count) {
    using T = std::remove_const_t<std::remove_reference_t<decltype(*values)>>;
    columns.put(name, std::vector<T>(values, values + count));
  });
  columns.put("overflow", std::vector<i32>{n.overflow});
  return columns;
}

inline u64 digest_of(const Workspace& s, const Counts& n) {
  Digest digest;
  each_result(s, n, [&](const char*, const auto* values, i32 count) { digest.add(values, count); });
  digest.add(&n.overflow, 1);
  return digest.value();
}

}  // namespace sitecap::eseeding
