// The kernel on a device: what is launched in which order. Its arrays: device_memory.h.
//
// Nothing waits until the result is fetched: how many clusters, candidates, first hits and seeds there are
// stays on the device, where scans leave it at the end of their arrays, or in DeviceCounts where there is
// room for a given number only.
#include "kernels/eseeding/device_memory.h"

namespace sitecap::eseeding {

namespace {

class SeedingOnDevice : public SlottedPayload<Slot> {
 public:
  SeedingOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), o_(options_of(settings)) {
    const Events events(columns);
    beam_ = events.beam();
    for (int event = 0; event < events.events(); ++event)
      events_.add({events.crystals(event), events.hits(event), events.towers(event)});
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), events.most_crystals(), events.most_hits());
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    s.stream.fill(&s.counts->candidates, 0, sizeof(DeviceCounts) / sizeof(i32));
    climb_crystals(s);
    make_clusters(s);
    choose_candidates(s);
    make_superclusters(s);
    sort_hits(s);
    find_firsts(s);
    make_seeds(s);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    const i32 crystals = s.event.crystals.count;
    s.stream.copy_out(s.cluster_total, clusters_of(s).written, 1);
    s.stream.copy_out(s.totals, s.counts, 1);
    s.stream.wait();
    s.bring_back({crystals, *s.cluster_total, s.totals->superclusters, s.totals->seeds, s.climbing.cluster,
                  s.clusters, s.supercluster, s.superclusters, s.seeds, &s.counts->overflow},
                 s.output);
    s.stream.wait();
  }

 private:
  static Count clusters_of(const Slot& s) {
    const i32 crystals = s.event.crystals.count;
    return {s.climbing.seeds + crystals, crystals};
  }
  static Count candidates_of(const Slot& s) { return {&s.counts->candidates, most_candidates}; }
  static Count superclusters_of(const Slot& s) { return {&s.counts->superclusters, most_superclusters}; }
  static Count firsts_of(const Slot& s) { return {&s.counts->firsts, most_firsts}; }

  void climb_crystals(Slot& s) const {
    const Rechits& r = s.event.crystals;
    SITECAP_LAUNCH(s.stream, eseeding_place_crystals, r.count, r, o_, s.grid, s.climbing);
    SITECAP_LAUNCH(s.stream, eseeding_climb, r.count, r, s.grid, s.climbing);
    SITECAP_LAUNCH(s.stream, eseeding_find_roots, r.count, r, o_, s.grid, s.climbing);
    s.primitives.exclusive_scan(s.climbing.seeds, r.count);
    SITECAP_LAUNCH(s.stream, eseeding_name_clusters, r.count, r, s.climbing, s.bin);
  }

  void make_clusters(Slot& s) const {
    const Rechits& r = s.event.crystals;
    const Count clusters = clusters_of(s), used{s.clusters.offset + r.count, r.count};
    s.primitives.sort_by_bin(s.bin, Count{nullptr, r.count}, r.count, s.clusters.offset, s.members.rechit);
    SITECAP_LAUNCH(s.stream, eseeding_sum_clusters, r.count, clusters, r, s.members, s.clusters);
    SITECAP_LAUNCH(s.stream, eseeding_weigh_members, r.count, used, r, o_, s.members, s.clusters);
    SITECAP_LAUNCH(s.stream, eseeding_place_clusters, r.count, clusters, r, s.members, s.clusters);
  }

  void choose_candidates(Slot& s) const {
    const i32 most = s.event.crystals.count;
    const Count clusters = clusters_of(s), beginning{s.begins + most, most},
                following{s.follows + most, most}, candidates = candidates_of(s);
    s.stream.fill(s.begins, 0, most);
    s.stream.fill(s.follows, 0, most);
    SITECAP_LAUNCH(s.stream, eseeding_choose, most, clusters, s.clusters, o_, s.begins, s.follows);
    s.primitives.compact(s.begins, most, s.beginning);
    s.primitives.compact(s.follows, most, s.following);
    SITECAP_LAUNCH(s.stream, eseeding_count_candidates, 1, beginning.written, following.written, s.counts);
    SITECAP_LAUNCH(s.stream, eseeding_tell_et, most, beginning, s.beginning, s.clusters, s.beginning_et);
    SITECAP_LAUNCH(s.stream, eseeding_rank, most, beginning, s.clusters, s.beginning, s.beginning_et,
                   s.candidates);
    SITECAP_LAUNCH(s.stream, eseeding_follow, most, following, beginning.written, s.clusters, s.following,
                   s.candidates);
    SITECAP_LAUNCH(s.stream, eseeding_shape, most_candidates, candidates, o_, s.candidates);
  }

  void make_superclusters(Slot& s) const {
    const Count candidates = candidates_of(s), superclusters = superclusters_of(s);
    const Shape block{1, std::min(s.stream.device().block_threads(), static_cast<u32>(most_words))};
    SITECAP_LAUNCH(s.stream, eseeding_mustaches, i64{most_seeds} * most_words, s.counts, o_, s.candidates,
                   s.rows);
    SITECAP_LAUNCH_BLOCKS(s.stream, eseeding_join, block, s.counts, s.rows, s.owner);
    s.primitives.sort_by_bin(s.owner, candidates, most_seeds, s.member_offset, s.member);
    SITECAP_LAUNCH(s.stream, eseeding_sum_superclusters, most_seeds, s.counts, o_, s.candidates,
                   s.member_offset, s.member, s.sums, s.kept);
    s.primitives.exclusive_scan(s.kept, most_seeds);
    SITECAP_LAUNCH(s.stream, eseeding_put_superclusters, most_seeds, s.counts, s.candidates, s.sums, s.kept,
                   s.superclusters);
    s.stream.fill(s.supercluster, -1, s.event.crystals.count);
    SITECAP_LAUNCH(s.stream, eseeding_name_superclusters, most_candidates, candidates, s.candidates, s.owner,
                   s.kept, s.supercluster);
    SITECAP_LAUNCH(s.stream, eseeding_bound, 1, s.kept + most_seeds, most_superclusters,
                   &s.counts->superclusters, s.counts);
    SITECAP_LAUNCH(s.stream, eseeding_look_behind, most_superclusters, superclusters, s.superclusters,
                   s.event.towers, o_, beam_, s.targets);
  }

  void sort_hits(Slot& s) const {
    const EventHits& e = s.event.hits;
    SITECAP_LAUNCH(s.stream, eseeding_round_hits, e.count, e, beam_, s.hits);
    s.primitives.sort_by_bin(s.hits.bin, Count{nullptr, e.count}, hit_bins, s.hits.offset, s.hits.order);
    SITECAP_LAUNCH(s.stream, eseeding_place_hits, e.count, e, s.hits);
  }

  void find_firsts(Slot& s) const {
    const Count superclusters = superclusters_of(s);
    SITECAP_LAUNCH(s.stream, eseeding_count_firsts, first_items, superclusters, s.superclusters, s.targets,
                   beam_, o_, s.hits, s.first_count);
    s.primitives.exclusive_scan(s.first_count, first_items);
    SITECAP_LAUNCH(s.stream, eseeding_bound, 1, s.first_count + first_items, most_firsts, &s.counts->firsts,
                   s.counts);
    SITECAP_LAUNCH(s.stream, eseeding_fill_firsts, first_items, superclusters, s.superclusters, s.targets,
                   beam_, o_, s.hits, s.first_count, s.firsts, most_firsts);
  }

  void make_seeds(Slot& s) const {
    const Count firsts = firsts_of(s);
    SITECAP_LAUNCH(s.stream, eseeding_nexts, most_firsts, firsts, s.targets, s.hits, s.firsts, s.nexts,
                   s.counts);
    SITECAP_LAUNCH(s.stream, eseeding_count_seeds, most_firsts, firsts, s.nexts, o_, s.seed_count);
    s.primitives.exclusive_scan(s.seed_count, most_firsts);
    SITECAP_LAUNCH(s.stream, eseeding_bound, 1, s.seed_count + most_firsts, most_found, &s.counts->seeds,
                   s.counts);
    SITECAP_LAUNCH(s.stream, eseeding_fill_seeds, most_firsts, firsts, s.firsts, s.nexts, s.hits, o_,
                   s.seed_count, s.seeds, most_found);
  }

  Options o_;
  Beam beam_{};
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<SeedingOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::eseeding
