// Electron seeding on a GPU: one entry point a stage over the same functions as the CPU. Launching is the
// backend's. All take a thread an item; joining clusters, a few hundred steps of one word each, one thread.
#include "kernels/eseeding/stages.h"

namespace sitecap::eseeding {

SITECAP_FN i32 item_index() {
  return static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x);
}

}  // namespace sitecap::eseeding

using namespace sitecap;
using namespace sitecap::eseeding;

extern "C" {

__global__ void eseeding_sort(const i32* bin, i32 items, i32 bins, i32* offset, i32* cursor, i32* order) {
  if (item_index() == 0) counting_sort(bin, items, bins, offset, cursor, order);
}
__global__ void eseeding_scan(i32* counts, i32 items) {
  if (item_index() == 0) exclusive_scan(counts, items);
}

// ---- crystals
__global__ void eseeding_place_crystals(Rechits r, Options o, Grid grid, Climb c) {
  const i32 i = item_index();
  if (i < r.count) place_crystal(r, o, i, grid, c);
}
__global__ void eseeding_climb(Rechits r, Grid grid, Climb c) {
  const i32 i = item_index();
  if (i < r.count) climb<float>(grid, c, i);
}
__global__ void eseeding_lift_crystals(Rechits r, Grid grid, Climb c) {
  const i32 i = item_index();
  if (i < r.count) lift_crystal(r, i, grid, c);
}
__global__ void eseeding_find_roots(Rechits r, Options o, Climb c) {
  const i32 i = item_index();
  if (i < r.count) find_root(r, o, i, c);
}
__global__ void eseeding_name_clusters(Rechits r, Climb c, i32 clusters, i32* bin) {
  const i32 i = item_index();
  if (i < r.count) name_cluster(c, i, clusters, bin);
}
__global__ void eseeding_sum_clusters(Rechits r, Members m, Clusters c, i32 clusters) {
  const i32 k = item_index();
  if (k < clusters) sum_cluster(r, m, c, k);
}
__global__ void eseeding_weigh_members(Rechits r, Options o, Members m, Clusters c, i32 used) {
  const i32 at = item_index();
  if (at < used) weigh_members<float>(r, o, m, c, at);
}
__global__ void eseeding_place_clusters(Rechits r, Members m, Clusters c, i32 clusters) {
  const i32 k = item_index();
  if (k >= clusters) return;
  place_cluster(r, m, c, k);
  direct_clusters<float>(c, k);
}

// ---- super-clusters
__global__ void eseeding_rank(Clusters c, const i32* chosen, const float* chosen_et, i32 n, Candidates s) {
  const i32 k = item_index();
  if (k >= n) return;
  const i32 rank = rank_of<float>(chosen_et, n, k);
  if (rank < most_candidates) place_candidate(c, chosen[k], s, rank);
}
__global__ void eseeding_follow(Clusters c, const i32* chosen, i32 n, i32 seeds, Candidates s) {
  const i32 k = item_index();
  if (k < n && seeds + k < most_candidates) place_candidate(c, chosen[k], s, seeds + k);
}
__global__ void eseeding_shape(Options o, Candidates s, i32 n) {
  const i32 k = item_index();
  if (k < n) shape_candidates<float>(o, s, k);
}
__global__ void eseeding_mustaches(Options o, Candidates s, i32 n, i32 seeds, i32 words, u32* rows) {
  const i32 item = item_index();
  if (item >= seeds * words) return;
  const i32 k = item / words, word = item % words;
  rows[item] = word < k / 32 ? 0u : mustache_word<float>(mustache_of(s.eta[k], s.phi[k]), o, s, n, word);
}
__global__ void eseeding_join(Candidates c, Options o, i32 n, i32 seeds, const u32* rows, i32 words,
                              u32* used, i32* owner, Superclusters s, i32* count, i32* overflow) {
  if (item_index() == 0) *count = join_clusters(c, o, n, seeds, rows, words, used, owner, s, overflow);
}
__global__ void eseeding_look_behind(Superclusters s, Towers t, Options o, Beam beam, i32 n,
                                     Target* targets) {
  const i32 k = item_index();
  if (k >= n) return;
  look_behind<float>(s, t, o, k);
  targets[k] = target_of(s, beam, o, k);
}

// ---- hits
__global__ void eseeding_round_hits(EventHits e, Beam beam, Hits h) {
  const i32 i = item_index();
  if (i >= e.count) return;
  round_hits<float>(e, beam, i, h);
  add_layer(e, i, h);
}
__global__ void eseeding_place_hits(EventHits e, Hits h) {
  const i32 at = item_index();
  if (at < e.count) place_hit(e, at, h);
}
// Item = super-cluster * layers + layer; count[item], scanned before the second.
__global__ void eseeding_count_firsts(Superclusters s, const Target* targets, Beam beam, Options o, Hits h,
                                      i32 superclusters, i32* count) {
  const i32 item = item_index();
  if (item >= superclusters * layers) return;
  const i32 k = item / layers, layer = item % layers;
  count[item] = s.selected[k] == 0 || !may_begin(layer)
                    ? 0
                    : first_hits<float, false>(targets[k], beam, o, h, layer, k, Firsts{}, 0, 0);
}
__global__ void eseeding_fill_firsts(Superclusters s, const Target* targets, Beam beam, Options o, Hits h,
                                     i32 superclusters, const i32* count, Firsts f, i32 capacity) {
  const i32 item = item_index();
  if (item >= superclusters * layers) return;
  const i32 k = item / layers, layer = item % layers;
  if (s.selected[k] != 0 && may_begin(layer))
    first_hits<float, true>(targets[k], beam, o, h, layer, k, f, count[item], capacity);
}
__global__ void eseeding_nexts(const Target* targets, Hits h, Firsts f, i32 firsts, Nexts n, i32* overflow) {
  const i32 item = item_index();
  if (item >= firsts) return;
  const Target& target = targets[f.target[item]];
  const i32 hit = f.hit[item];
  const Way way = way_of(target, h, h.bin[h.order[hit]] / phi_bins, hit);
  next_hits<float>(way, target, h, f.charges[item], item, n, overflow + item);
}

// ---- seeds
__global__ void eseeding_count_seeds(Nexts n, Options o, i32 firsts, i32* count) {
  const i32 item = item_index();
  if (item < firsts) count[item] = count_seeds(n, o, item);
}
__global__ void eseeding_fill_seeds(Firsts f, Nexts n, Hits h, Options o, i32 firsts, const i32* count,
                                    Seeds s, i32 capacity) {
  const i32 item = item_index();
  if (item < firsts) fill_seeds(f, n, h, o, item, s, count[item], capacity);
}

}  // extern "C"
