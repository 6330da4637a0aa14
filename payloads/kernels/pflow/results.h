// What the kernel tells of an event, wherever it ran. Host only.
#pragma once
#include "host/found.h"
#include "kernels/pflow/stages.h"

namespace sitecap::pflow {

struct Found {
  i32 share_count, cluster_count, shower_count, track_count, candidate_count;
  Clusters clusters;
  Showers showers;
  const i32 *track_ecal, *track_hcal;
  Candidates candidates;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("share_cell", clusters.share_cell, share_count);
    visit("share_cluster", clusters.share_cluster, share_count);
    visit("share_fraction", clusters.share_fraction, share_count);
    visit("cluster_seed", clusters.seed, cluster_count);
    visit("cluster_layer", clusters.layer, cluster_count);
    visit("cluster_iterations", clusters.iterations, cluster_count);
    visit("cluster_shower", clusters.shower, cluster_count);
    visit("cluster_energy", clusters.energy_gev, cluster_count);
    visit("cluster_x", clusters.x_cm, cluster_count);
    visit("cluster_y", clusters.y_cm, cluster_count);
    visit("cluster_z", clusters.z_cm, cluster_count);
    visit("shower_is_hcal", showers.is_hcal, shower_count);
    visit("shower_energy", showers.energy_gev, shower_count);
    visit("shower_eta", showers.eta, shower_count);
    visit("shower_phi", showers.phi, shower_count);
    visit("track_ecal", track_ecal, track_count);
    visit("track_hcal", track_hcal, track_count);
    visit("candidate_kind", candidates.kind, candidate_count);
    visit("candidate_track", candidates.track, candidate_count);
    visit("candidate_shower", candidates.shower, candidate_count);
    visit("candidate_pt", candidates.pt_gev, candidate_count);
    visit("candidate_eta", candidates.eta, candidate_count);
    visit("candidate_phi", candidates.phi, candidate_count);
    visit("candidate_energy", candidates.energy_gev, candidate_count);
  }
};

}  // namespace sitecap::pflow
