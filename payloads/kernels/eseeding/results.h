// What an event came to, wherever it was reconstructed, as named arrays; README.md tells their meaning. Host
// only.
#pragma once
#include "host/found.h"
#include "kernels/eseeding/stages.h"

namespace sitecap::eseeding {

// Most first hits and seeds of an event.
inline constexpr i32 most_firsts = 8192, most_found = 65536;

struct Found {
  i32 crystal_count, cluster_count, supercluster_count, seed_count;
  const i32* cluster_of_crystal;
  Clusters clusters;
  const i32* supercluster_of_cluster;
  Superclusters superclusters;
  Seeds seeds;
  const i32* overflow;  // one: what there was no room for

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("ecal_cluster", cluster_of_crystal, crystal_count);
    visit("cluster_energy", clusters.energy, cluster_count);
    visit("cluster_eta", clusters.eta, cluster_count);
    visit("cluster_phi", clusters.phi, cluster_count);
    visit("cluster_sc", supercluster_of_cluster, cluster_count);
    visit("sc_seed", superclusters.seed, supercluster_count);
    visit("sc_energy", superclusters.energy, supercluster_count);
    visit("sc_eta", superclusters.eta, supercluster_count);
    visit("sc_phi", superclusters.phi, supercluster_count);
    visit("sc_x", superclusters.x, supercluster_count);
    visit("sc_y", superclusters.y, supercluster_count);
    visit("sc_z", superclusters.z, supercluster_count);
    visit("sc_behind", superclusters.behind, supercluster_count);
    visit("sc_selected", superclusters.selected, supercluster_count);
    visit("seed_sc", seeds.target, seed_count);
    visit("seed_hit0", seeds.hit0, seed_count);
    visit("seed_hit1", seeds.hit1, seed_count);
    visit("seed_hit2", seeds.hit2, seed_count);
    visit("seed_charges", seeds.charges, seed_count);
    visit("seed_dphi1_negative", seeds.dphi[0][0], seed_count);
    visit("seed_dphi1_positive", seeds.dphi[0][1], seed_count);
    visit("seed_dphi2_negative", seeds.dphi[1][0], seed_count);
    visit("seed_dphi2_positive", seeds.dphi[1][1], seed_count);
    visit("seed_dphi3_negative", seeds.dphi[2][0], seed_count);
    visit("seed_dphi3_positive", seeds.dphi[2][1], seed_count);
    visit("seed_drz2", seeds.drz[0], seed_count);
    visit("seed_drz3", seeds.drz[1], seed_count);
    visit("overflow", overflow, 1);
  }
};

}  // namespace sitecap::eseeding
