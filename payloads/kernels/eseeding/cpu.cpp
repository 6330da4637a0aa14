// Electron seeding on a CPU: the loops over items, W lanes each.
#include <cstring>

#include "kernels/eseeding/workspace.h"

namespace sitecap::eseeding {

namespace {

template <class F>
class Seeding final : public Payload {
 public:
  Seeding(const Columns& columns, const Settings& settings)
      : events_(columns), o_(options_of(settings)), s_(events_) {}

  int events() const override { return events_.events(); }
  std::size_t workspace_bytes() const override { return s_.arena.bytes(); }

  void process(int event, StageClock* clock) override {
    rechits_ = events_.crystals(event);
    event_hits_ = events_.hits(event);
    n_ = {};
    n_.crystals = rechits_.count;
    const auto lap = [&](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    climb_crystals();
    lap("crystals: climb");
    make_clusters();
    lap("crystals: clusters");
    choose_candidates();
    lap("super-clusters: order");
    make_superclusters(event);
    lap("super-clusters: join");
    round_and_sort_hits();
    lap("hits: sort");
    find_firsts();
    lap("hits: first");
    find_nexts();
    lap("hits: next");
    make_seeds();
    lap("seeds");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

 private:
  static constexpr i32 width = width_of<F>;

  void climb_crystals() {
    const i32 n = rechits_.count;
    for (i32 i = 0; i < n; ++i) place_crystal(rechits_, o_, i, s_.grid, s_.climbing);
    for (i32 i = n; i < n + spare; ++i) {
      s_.climbing.cell[i] = quiet_cell;
      s_.climbing.level[i + 1] = 0.f;
    }
    for (i32 base = 0; base < n; base += width) climb<F>(s_.grid, s_.climbing, base);
    for (i32 i = 0; i < n; ++i) lift_crystal(rechits_, i, s_.grid, s_.climbing);
    for (i32 i = 0; i < n; ++i) find_root(rechits_, o_, i, s_.climbing);
    n_.clusters = exclusive_scan(s_.climbing.seeds, n);
    for (i32 i = 0; i < n; ++i) name_cluster(s_.climbing, i, n_.clusters, s_.bin);
  }

  void make_clusters() {
    const Clusters& c = s_.clusters;
    counting_sort(s_.bin, rechits_.count, n_.clusters + 1, c.offset, s_.cursor, s_.members.rechit);
    const i32 used = c.offset[n_.clusters];
    for (i32 k = 0; k < n_.clusters; ++k) sum_cluster(rechits_, s_.members, c, k);
    for (i32 at = used; at < used + spare; ++at) s_.members.rechit[at] = s_.members.cluster[at] = 0;
    for (i32 base = 0; base < used; base += width) weigh_members<F>(rechits_, o_, s_.members, c, base);
    for (i32 k = 0; k < n_.clusters; ++k) place_cluster(rechits_, s_.members, c, k);
    for (i32 base = 0; base < n_.clusters; base += width) direct_clusters<F>(c, base);
  }

  void choose_candidates() {
    const Clusters& c = s_.clusters;
    i32 seeds = 0, n = 0;
    for (i32 k = 0; k < n_.clusters; ++k) {
      if (!(c.energy[k] > o_.least_cluster_gev)) continue;
      if (c.et[k] < o_.least_seed_et_gev) {
        s_.chosen[n++] = k;
      } else {
        s_.bin[seeds] = k;
        s_.chosen_et[seeds++] = c.et[k];
      }
    }
    n_.candidates = min_of(seeds + n, most_candidates);
    n_.candidate_seeds = min_of(seeds, most_seeds);
    n_.overflow += seeds + n - n_.candidates + seeds - n_.candidate_seeds;
    for (i32 k = 0; k < seeds; ++k) {
      const i32 rank = rank_of<F>(s_.chosen_et, seeds, k);
      if (rank < most_candidates) place_candidate(c, s_.bin[k], s_.candidates, rank);
    }
    for (i32 k = 0; seeds + k < n_.candidates; ++k)
      place_candidate(c, s_.chosen[k], s_.candidates, seeds + k);
    for (i32 base = 0; base < n_.candidates; base += width) shape_candidates<F>(o_, s_.candidates, base);
  }

  void make_superclusters(int event) {
    const Candidates& c = s_.candidates;
    const i32 words = (n_.candidates + 31) / 32, seeds = n_.candidate_seeds;
    for (i32 k = 0; k < seeds; ++k) {
      const Mustache mustache = mustache_of(c.eta[k], c.phi[k]);
      for (i32 w = k / 32; w < words; ++w)
        s_.rows[static_cast<i64>(k) * words + w] = mustache_word<F>(mustache, o_, c, n_.candidates, w);
    }
    n_.superclusters = join_clusters(c, o_, n_.candidates, seeds, s_.rows, words, s_.used, s_.owner,
                                     s_.superclusters, &n_.overflow);
    for (i32 k = 0; k < n_.clusters; ++k) s_.chosen[k] = -1;
    for (i32 k = 0; k < n_.candidates; ++k) s_.chosen[c.cluster[k]] = s_.owner[k];
    const Towers raw = events_.towers(event);
    const auto bytes = static_cast<std::size_t>(raw.count) * sizeof(float);
    std::memcpy(s_.tower_energy, raw.energy, bytes);
    std::memcpy(s_.tower_eta, raw.eta, bytes);
    std::memcpy(s_.tower_phi, raw.phi, bytes);
    const Towers towers{raw.count, s_.tower_energy, s_.tower_eta, s_.tower_phi};
    for (i32 k = 0; k < n_.superclusters; ++k) look_behind<F>(s_.superclusters, towers, o_, k);
  }

  void round_and_sort_hits() {
    const i32 n = event_hits_.count;
    i32 i = 0;
    for (; i + width <= n; i += width) round_hits<F>(event_hits_, events_.beam(), i, s_.hits);
    for (; i < n; ++i) round_hits<float>(event_hits_, events_.beam(), i, s_.hits);
    for (i = 0; i < n; ++i) add_layer(event_hits_, i, s_.hits);
    counting_sort(s_.hits.bin, n, hit_bins, s_.hits.offset, s_.hits.cursor, s_.hits.order);
    for (i32 at = 0; at < n; ++at) place_hit(event_hits_, at, s_.hits);
  }

  void find_firsts() {
    i32 items = 0;
    for (i32 k = 0; k < n_.superclusters; ++k) {
      if (s_.superclusters.selected[k] == 0) continue;
      s_.targets[k] = target_of(s_.superclusters, events_.beam(), o_, k);
      for (i32 layer = 0; layer < layers; ++layer)
        if (may_begin(layer)) s_.first_count[items++] = firsts<false>(k, layer, 0);
    }
    const i32 wanted = exclusive_scan(s_.first_count, items);
    n_.firsts = min_of(wanted, most_firsts);
    n_.overflow += wanted - n_.firsts;
    items = 0;
    for (i32 k = 0; k < n_.superclusters; ++k) {
      if (s_.superclusters.selected[k] == 0) continue;
      for (i32 layer = 0; layer < layers; ++layer)
        if (may_begin(layer)) firsts<true>(k, layer, s_.first_count[items++]);
    }
  }
  template <bool write>
  i32 firsts(i32 k, i32 layer, i32 at) {
    return first_hits<F, write>(s_.targets[k], events_.beam(), o_, s_.hits, layer, k, s_.firsts, at,
                                most_firsts);
  }

  void find_nexts() {
    for (i32 f = 0; f < n_.firsts; ++f) {
      const i32 hit = s_.firsts.hit[f];
      const Target& target = s_.targets[s_.firsts.target[f]];
      s_.ways[f] = way_of(target, s_.hits, s_.hits.bin[s_.hits.order[hit]] / phi_bins, hit);
    }
    for (i32 f = 0; f < n_.firsts; ++f)
      next_hits<F>(s_.ways[f], s_.targets[s_.firsts.target[f]], s_.hits, s_.firsts.charges[f], f, s_.nexts,
                   &n_.overflow);
  }

  void make_seeds() {
    for (i32 f = 0; f < n_.firsts; ++f) s_.seed_count[f] = count_seeds(s_.nexts, o_, f);
    const i32 wanted = exclusive_scan(s_.seed_count, n_.firsts);
    n_.seeds = min_of(wanted, most_found);
    n_.overflow += wanted - n_.seeds;
    for (i32 f = 0; f < n_.firsts; ++f)
      if (s_.seed_count[f + 1] > s_.seed_count[f])
        fill_seeds(s_.firsts, s_.nexts, s_.hits, o_, f, s_.seeds, s_.seed_count[f], most_found);
  }

  Found found() const {
    return {n_.crystals, n_.clusters, n_.superclusters, n_.seeds, s_.climbing.cluster,
            s_.clusters, s_.chosen,   s_.superclusters, s_.seeds, &n_.overflow};
  }

  Events events_;
  Options o_;
  Workspace s_;
  Rechits rechits_{};
  EventHits event_hits_{};
  Counts n_{};
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  if (lanes == 1) return std::make_unique<Seeding<float>>(events, settings);
  return std::make_unique<Seeding<Types<SITECAP_LANES_WIDE>::Float>>(events, settings);
}

}  // namespace sitecap::eseeding
