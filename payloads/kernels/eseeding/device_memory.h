// All that an event in flight needs on a device, for the largest one. Host only.
#pragma once
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/eseeding/events.h"
#include "kernels/eseeding/gpu.cu"
#include "kernels/eseeding/results.h"

namespace sitecap::eseeding {

struct Event {
  Rechits crystals;
  EventHits hits;
  Towers towers;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("ecal_index", crystals.index, crystals.count);
    visit("ecal_energy", crystals.energy, crystals.count);
    visit("ecal_x", crystals.x, crystals.count);
    visit("ecal_y", crystals.y, crystals.count);
    visit("ecal_z", crystals.z, crystals.count);
    visit("hit_x", hits.x, hits.count);
    visit("hit_y", hits.y, hits.count);
    visit("hit_z", hits.z, hits.count);
    visit("hit_layer", hits.layer, hits.count);
    visit("tower_energy", towers.energy, towers.count);
    visit("tower_eta", towers.eta, towers.count);
    visit("tower_phi", towers.phi, towers.count);
  }
};

inline constexpr i32 first_items = most_superclusters * layers;

struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, i32 crystals, i32 of_hits)
      : SlotOf(device, input_bytes),
        primitives(memory, stream, std::max({crystals, of_hits, most_candidates}),
                   std::max({crystals, hit_bins, most_firsts, first_items}) + 1) {
    take_clusters(crystals);
    take_superclusters(crystals);
    take_hits(of_hits);
    take_seeds();
    output = pinned.take<u8>(
        packed_bytes(Found{crystals, crystals, most_superclusters, most_found, climbing.cluster, clusters,
                           supercluster, superclusters, seeds, &counts->overflow}));
    totals = pinned.take<DeviceCounts>(1);
    cluster_total = pinned.take<i32>(1);
  }

  Primitives primitives;
  DeviceCounts* counts = nullptr;
  // crystals to clusters
  Grid grid{};
  Climb climbing{};
  Members members{};
  Clusters clusters{};
  i32* bin = nullptr;
  // clusters to super-clusters
  Candidates candidates{};
  Superclusters superclusters{};
  i32 *begins = nullptr, *follows = nullptr, *beginning = nullptr, *following = nullptr, *owner = nullptr,
      *member_offset = nullptr, *member = nullptr, *kept = nullptr, *supercluster = nullptr;
  float* beginning_et = nullptr;
  u32* rows = nullptr;
  EnergySum* sums = nullptr;
  Target* targets = nullptr;
  // hits to seeds
  Hits hits{};
  Firsts firsts{};
  Nexts nexts{};
  Seeds seeds{};
  i32 *first_count = nullptr, *seed_count = nullptr;
  // on the host
  u8* output = nullptr;
  DeviceCounts* totals = nullptr;
  i32* cluster_total = nullptr;

 private:
  template <class T>
  void take(i64 count, std::initializer_list<T**> arrays) {
    for (T** array : arrays) *array = memory.take<T>(count);
  }

  void take_clusters(i32 crystals) {
    take(cells, {&grid.rechit});
    stream.fill(grid.rechit, 0, cells);  // each event leaves it so
    take(crystals + 2, {&climbing.cell, &climbing.parent, &climbing.root, &climbing.cluster, &climbing.seeds,
                        &bin, &members.rechit, &members.cluster, &clusters.offset});
    take(crystals + 1, {&climbing.level, &members.weight, &clusters.energy, &clusters.x, &clusters.y,
                        &clusters.z, &clusters.eta, &clusters.phi, &clusters.et});
    stream.fill(reinterpret_cast<i32*>(climbing.level), 0, 1);  // of no crystal
  }
  void take_superclusters(i32 crystals) {
    Candidates& c = candidates;
    take(1, {&counts});
    take(crystals + 1, {&begins, &follows, &beginning, &following, &supercluster});
    take(crystals, {&beginning_et});
    take(most_candidates, {&c.cluster, &owner, &member});
    take(most_candidates, {&c.energy, &c.eta, &c.phi, &c.et, &c.depth, &c.x, &c.y, &c.z, &c.reach[0],
                           &c.reach[1], &c.reach[2], &c.reach[3]});
    take(i64{most_seeds} * most_words, {&rows});
    take(most_seeds + 2, {&member_offset, &kept});
    take(most_seeds, {&sums});
    take(most_superclusters, {&superclusters.seed});
    take(most_superclusters, {&superclusters.energy, &superclusters.x, &superclusters.y, &superclusters.z,
                              &superclusters.eta, &superclusters.phi, &superclusters.behind});
    take(most_superclusters, {&superclusters.selected});
    take(most_superclusters, {&targets});
  }
  void take_hits(i32 of_hits) {
    take(of_hits, {&hits.bin, &hits.order});
    take(of_hits, {&hits.r_raw, &hits.phi_raw, &hits.r, &hits.phi, &hits.z});
    take(hit_bins + 2, {&hits.offset});
  }
  void take_seeds() {
    take(first_items + 1, {&first_count});
    take(most_firsts + 1,
         {&firsts.target, &firsts.hit, &firsts.charges, &nexts.count, &nexts.layers_passed, &seed_count});
    take(most_firsts, {&firsts.dphi_negative, &firsts.dphi_positive});
    const i64 places = i64{most_firsts} * slots;
    take(places, {&nexts.hit, &nexts.charges, &nexts.layer});
    take(places, {&nexts.dphi_negative, &nexts.dphi_positive, &nexts.drz});
    take(most_found, {&seeds.target, &seeds.hit0, &seeds.hit1, &seeds.hit2, &seeds.charges});
    for (auto& of_hit : seeds.dphi) take(most_found, {&of_hit[0], &of_hit[1]});
    take(most_found, {&seeds.drz[0], &seeds.drz[1]});
  }
};

}  // namespace sitecap::eseeding
