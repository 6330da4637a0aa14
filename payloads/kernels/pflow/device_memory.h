// All that an event in flight needs on a device, for the largest one. Host only.
#pragma once
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/pflow/clustering.h"
#include "kernels/pflow/gpu.cu"
#include "kernels/pflow/results.h"

namespace sitecap::pflow {

struct Event {
  Cells cells;
  Tracks tracks;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("rechit_channel", cells.channel, cells.count);
    visit("rechit_energy", cells.energy_gev, cells.count);
    visit("track_q_over_pt", tracks.q_over_pt, tracks.count);
    visit("track_phi", tracks.phi, tracks.count);
    visit("track_cot_theta", tracks.cot_theta, tracks.count);
    visit("track_d0", tracks.d0_cm, tracks.count);
    visit("track_z0", tracks.z0_cm, tracks.count);
    visit("track_covariance_00", tracks.q_over_pt_variance, tracks.count);
  }
};

// Most of anything that an event of a set has.
struct Most {
  i64 channels, cells, tracks, clusters, slots, fractions;
};

struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, const Most& most)
      : SlotOf(device, input_bytes),
        primitives(memory, stream, std::max({most.cells, most.tracks, most.clusters}),
                   std::max({most.cells, most.clusters, i64{2 * phi_bins}}) + 1) {
    take_grouping(most);
    take_sharing(most);
    take_clusters(most);
    take_links(most);
    const auto count = [](i64 entries) { return static_cast<i32>(entries); };
    output = pinned.take<u8>(packed_bytes(Found{
        count(most.fractions), count(most.clusters), count(most.clusters), count(most.tracks),
        count(most.tracks + 2 * most.clusters), clusters, showers, links.ecal, links.hcal, candidates}));
    totals = pinned.take<Totals>(1);
  }

  // How many there are of what is found, where scans leave it.
  struct Totals {
    i32 shares, clusters, showers, charged, photons, neutrals;
  };

  Primitives primitives;
  // topological clusters
  Topology topology{};
  Grouping grouping{};
  Group* groups = nullptr;
  // sharing
  Slots slots{};
  Places places{};
  float* fraction = nullptr;
  // clusters and showers
  Clusters clusters{};
  Showers showers{};
  float* depth = nullptr;
  i32 *first_of_hcal = nullptr, *shower_number = nullptr, *member_offset = nullptr, *member = nullptr;
  // links
  Sheet sheet{};
  Links links{};
  Candidates candidates{};
  float *track_eta = nullptr, *track_phi = nullptr, *hcal_distance2 = nullptr;
  i32 *sheet_bin = nullptr, *sheet_offset = nullptr, *track_bin = nullptr, *ecal_offset = nullptr,
      *ecal_track = nullptr, *block_offset = nullptr, *block_shower = nullptr, *block_track_offset = nullptr,
      *block_track = nullptr, *photon_number = nullptr, *neutral_number = nullptr;
  // on the host
  u8* output = nullptr;
  Totals* totals = nullptr;

 private:
  template <class T>
  void take(i64 count, std::initializer_list<T**> arrays) {
    for (T** array : arrays) *array = memory.take<T>(count);
  }

  void take_grouping(const Most& most) {
    Grouping& w = grouping;
    take(most.channels, {&topology.cell_at});
    stream.fill(topology.cell_at, none, most.channels);  // each event leaves it so
    take(8 * most.cells, {&topology.beside});
    take(most.cells + 1,
         {&topology.root, &topology.is_seed, &w.bin, &w.cell, &w.seed_cell, &w.cluster_bin, &w.cluster,
          &w.number, &w.first_cell, &w.first_slot, &w.first_fraction, &w.slot_of_cell});
    take(most.cells + 2, {&w.cell_offset, &w.cluster_offset});
    take(most.clusters, {&groups});
  }
  void take_sharing(const Most& most) {
    take(most.slots, {&slots.x_cm, &slots.y_cm, &slots.z_cm, &slots.energy_gev, &slots.inverse_total});
    take(most.slots, {&slots.owner, &slots.cell});
    take(most.clusters, {&places.x_cm, &places.y_cm, &places.z_cm, &places.energy_gev});
    take(most.clusters, {&places.seed, &places.iterations});
    take(partial_sums * most.clusters, {&places.near});
    take(most.fractions, {&fraction});
  }
  void take_clusters(const Most& most) {
    Clusters& k = clusters;
    take(most.clusters, {&k.x_cm, &k.y_cm, &k.z_cm, &k.eta, &k.phi, &k.energy_gev, &k.eta_width2,
                         &k.phi_width2, &depth, &showers.energy_gev, &showers.eta, &showers.phi});
    take(most.clusters + 2, {&k.seed, &k.layer, &k.iterations, &k.parent, &k.shower, &k.share_offset,
                             &showers.is_hcal, &shower_number, &member_offset, &member});
    take(most.fractions, {&k.share_cell, &k.share_cluster});
    take(most.fractions, {&k.share_fraction});
    take(1, {&first_of_hcal});
  }
  void take_links(const Most& most) {
    take(most.clusters, {&sheet.eta, &sheet.phi, &links.photon_gev, &links.neutral_gev});
    take(most.clusters + 2, {&sheet.shower, &sheet_bin, &ecal_offset, &links.block, &block_offset,
                             &block_shower, &block_track_offset, &photon_number, &neutral_number});
    take(2 * phi_bins + 2, {&sheet_offset});
    take(most.tracks, {&track_eta, &track_phi, &links.ecal_distance2, &hcal_distance2});
    take(most.tracks + 1, {&links.ecal, &links.hcal, &links.block_of_track, &links.kept, &track_bin,
                           &ecal_track, &block_track});
    const i64 most_candidates = most.tracks + 2 * most.clusters;
    take(most_candidates, {&candidates.kind, &candidates.track, &candidates.shower});
    take(most_candidates, {&candidates.pt_gev, &candidates.eta, &candidates.phi, &candidates.energy_gev});
  }
};

}  // namespace sitecap::pflow
