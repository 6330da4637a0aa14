// The stages as device entry points: one thread an item, one entry a stage, over the same functions as the
// CPU.
//
// How many clusters, candidates, first hits and seeds there are is known on the device only: entries are
// launched for as many as there can be, and read how many there are. Joining clusters takes one after another
// in the order of transverse energy; a block looks at all candidates at once for each.
#include "kernels/eseeding/stages.h"
#include "sitecap/primitives.h"

namespace sitecap::eseeding {

SITECAP_CONST i32 most_words = most_candidates / 32;

// On the device: how many there are, as far as there is room, and of how many there was none.
struct DeviceCounts {
  i32 candidates, candidate_seeds, superclusters, firsts, seeds, overflow;
};

// `wanted` as far as there is room; counts the others.
SITECAP_FN i32 admitted(i32 wanted, i32 room, DeviceCounts* counts) {
  const i32 held = min_of(wanted, room);
  counts->overflow += wanted - held;
  return held;
}

}  // namespace sitecap::eseeding

using namespace sitecap;
using namespace sitecap::eseeding;

extern "C" {

// ---- crystals
__global__ void eseeding_place_crystals(Rechits r, Options o, Grid grid, Climb c) {
  const i32 i = thread_item();
  if (i < r.count) place_crystal(r, o, i, grid, c);
}
__global__ void eseeding_climb(Rechits r, Grid grid, Climb c) {
  const i32 i = thread_item();
  if (i < r.count) climb<float>(grid, c, i);
}
__global__ void eseeding_find_roots(Rechits r, Options o, Grid grid, Climb c) {
  const i32 i = thread_item();
  if (i >= r.count) return;
  lift_crystal(r, i, grid, c);
  find_root(r, o, i, c);
}
// Seeds are scanned. Crystals of no cluster come last.
__global__ void eseeding_name_clusters(Rechits r, Climb c, i32* bin) {
  const i32 i = thread_item();
  if (i < r.count) name_cluster(c, i, r.count, bin);
}
__global__ void eseeding_sum_clusters(Count clusters, Rechits r, Members m, Clusters c) {
  const i32 k = thread_item();
  if (k < clusters.value()) sum_cluster(r, m, c, k);
}
__global__ void eseeding_weigh_members(Count used, Rechits r, Options o, Members m, Clusters c) {
  const i32 at = thread_item();
  if (at < used.value()) weigh_members<float>(r, o, m, c, at);
}
__global__ void eseeding_place_clusters(Count clusters, Rechits r, Members m, Clusters c) {
  const i32 k = thread_item();
  if (k >= clusters.value()) return;
  place_cluster(r, m, c, k);
  direct_clusters<float>(c, k);
}

// ---- candidates: clusters that may begin a super-cluster, and those that may only follow
// Both flags start as 0.
__global__ void eseeding_choose(Count clusters, Clusters c, Options o, i32* begins, i32* follows) {
  const i32 k = thread_item();
  if (k >= clusters.value() || !(c.energy[k] > o.least_cluster_gev)) return;
  if (c.et[k] < o.least_seed_et_gev)
    follows[k] = 1;
  else
    begins[k] = 1;
}
// One thread: a few numbers.
__global__ void eseeding_count_candidates(const i32* beginning, const i32* following, DeviceCounts* counts) {
  if (thread_item() != 0) return;
  counts->candidates = admitted(*beginning + *following, most_candidates, counts);
  counts->candidate_seeds = admitted(*beginning, most_seeds, counts);
}
__global__ void eseeding_tell_et(Count beginning, const i32* chosen, Clusters c, float* chosen_et) {
  const i32 k = thread_item();
  if (k < beginning.value()) chosen_et[k] = c.et[chosen[k]];
}
__global__ void eseeding_rank(Count beginning, Clusters c, const i32* chosen, const float* chosen_et,
                              Candidates s) {
  const i32 k = thread_item(), n = beginning.value();
  if (k >= n) return;
  const i32 rank = rank_of<float>(chosen_et, n, k);
  if (rank < most_candidates) place_candidate(c, chosen[k], s, rank);
}
__global__ void eseeding_follow(Count following, const i32* beginning, Clusters c, const i32* chosen,
                                Candidates s) {
  const i32 k = thread_item();
  if (k < following.value() && *beginning + k < most_candidates)
    place_candidate(c, chosen[k], s, *beginning + k);
}
__global__ void eseeding_shape(Count candidates, Options o, Candidates s) {
  const i32 k = thread_item();
  if (k < candidates.value()) shape_candidates<float>(o, s, k);
}

// ---- super-clusters
// Item = seed * words + word of candidates.
__global__ void eseeding_mustaches(const DeviceCounts* counts, Options o, Candidates s, u32* rows) {
  const i32 item = thread_item(), n = counts->candidates, words = (n + 31) / 32;
  if (item >= counts->candidate_seeds * words) return;
  const i32 k = item / words, word = item % words;
  rows[item] = word < k / 32 ? 0u : mustache_word<float>(mustache_of(s.eta[k], s.phi[k]), o, s, n, word);
}
// One block: one seed after another takes what is free, a thread each word of candidates. `owner` is the
// seed, or behind all of them.
__global__ void eseeding_join(const DeviceCounts* counts, const u32* rows, i32* owner) {
  __shared__ u32 used[most_words];
  const i32 rank = static_cast<i32>(threadIdx.x), threads = static_cast<i32>(blockDim.x);
  const i32 n = counts->candidates, seeds = counts->candidate_seeds, words = (n + 31) / 32;
  for (i32 w = rank; w < words; w += threads) {
    used[w] = 0;
    for (i32 j = 32 * w; j < min_of(32 * w + 32, n); ++j) owner[j] = most_seeds;
  }
  __syncthreads();
  for (i32 k = 0; k < seeds; ++k) {
    if (!is_free(used, k)) continue;
    __syncthreads();  // all have seen that it is
    for (i32 w = rank; w < words; w += threads) {
      if (w < k / 32) continue;
      u32 taken = take_free(rows[k * words + w], k, w, used[w]);
      for (; taken != 0; taken &= taken - 1) owner[32 * w + lowest_bit(taken)] = k;
    }
    __syncthreads();
  }
}
// Item = seed, and those that there might be. Candidates are sorted by owner.
__global__ void eseeding_sum_superclusters(const DeviceCounts* counts, Options o, Candidates c,
                                           const i32* member_offset, const i32* member, EnergySum* sums,
                                           i32* kept) {
  const i32 k = thread_item();
  if (k >= most_seeds) return;
  kept[k] = 0;
  if (k >= counts->candidate_seeds || member_offset[k] == member_offset[k + 1]) return;
  EnergySum sum{};
  for (i32 m = member_offset[k]; m < member_offset[k + 1]; ++m) add(c, member[m], sum);
  sums[k] = sum;
  kept[k] = is_large(sum, o) ? 1 : 0;
}
// `number` is the scan of `kept`.
__global__ void eseeding_put_superclusters(const DeviceCounts* counts, Candidates c, const EnergySum* sums,
                                           const i32* number, Superclusters s) {
  const i32 k = thread_item();
  if (k < counts->candidate_seeds && number[k + 1] > number[k] && number[k] < most_superclusters)
    put_supercluster(sums[k], c.cluster[k], s, number[k]);
}
// `supercluster` starts as -1.
__global__ void eseeding_name_superclusters(Count candidates, Candidates c, const i32* owner,
                                            const i32* number, i32* supercluster) {
  const i32 j = thread_item();
  if (j >= candidates.value() || owner[j] == most_seeds) return;
  const i32 at = number[owner[j]];
  if (number[owner[j] + 1] > at && at < most_superclusters) supercluster[c.cluster[j]] = at;
}
// One thread: `count`, a member of counts, is what there is room for.
__global__ void eseeding_bound(const i32* wanted, i32 room, i32* count, DeviceCounts* counts) {
  if (thread_item() == 0) *count = admitted(*wanted, room, counts);
}
__global__ void eseeding_look_behind(Count superclusters, Superclusters s, Towers t, Options o, Beam beam,
                                     Target* targets) {
  const i32 k = thread_item();
  if (k >= superclusters.value()) return;
  look_behind<float>(s, t, o, k);
  targets[k] = target_of(s, beam, o, k);
}

// ---- hits
__global__ void eseeding_round_hits(EventHits e, Beam beam, Hits h) {
  const i32 i = thread_item();
  if (i >= e.count) return;
  round_hits<float>(e, beam, i, h);
  add_layer(e, i, h);
}
__global__ void eseeding_place_hits(EventHits e, Hits h) {
  const i32 at = thread_item();
  if (at < e.count) place_hit(e, at, h);
}
// Item = super-cluster * layers + layer, and those that there might be; count[item], scanned before the
// second.
__global__ void eseeding_count_firsts(Count superclusters, Superclusters s, const Target* targets, Beam beam,
                                      Options o, Hits h, i32* count) {
  const i32 item = thread_item(), k = item / layers, layer = item % layers;
  if (k >= superclusters.at_most) return;
  const bool begins = k < superclusters.value() && s.selected[k] != 0 && may_begin(layer);
  count[item] = begins ? first_hits<float, false>(targets[k], beam, o, h, layer, k, Firsts{}, 0, 0) : 0;
}
__global__ void eseeding_fill_firsts(Count superclusters, Superclusters s, const Target* targets, Beam beam,
                                     Options o, Hits h, const i32* count, Firsts f, i32 room) {
  const i32 item = thread_item(), k = item / layers, layer = item % layers;
  if (k < superclusters.value() && s.selected[k] != 0 && may_begin(layer))
    first_hits<float, true>(targets[k], beam, o, h, layer, k, f, count[item], room);
}
__global__ void eseeding_nexts(Count firsts, const Target* targets, Hits h, Firsts f, Nexts n,
                               DeviceCounts* counts) {
  const i32 item = thread_item();
  if (item >= firsts.value()) return;
  const Target& target = targets[f.target[item]];
  const i32 hit = f.hit[item];
  const Way way = way_of(target, h, h.bin[h.order[hit]] / phi_bins, hit);
  i32 lost = 0;
  next_hits<float>(way, target, h, f.charges[item], item, n, &lost);
  if (lost > 0) atomicAdd(&counts->overflow, lost);
}

// ---- seeds
__global__ void eseeding_count_seeds(Count firsts, Nexts n, Options o, i32* count) {
  const i32 item = thread_item();
  if (item < firsts.at_most) count[item] = item < firsts.value() ? count_seeds(n, o, item) : 0;
}
__global__ void eseeding_fill_seeds(Count firsts, Firsts f, Nexts n, Hits h, Options o, const i32* count,
                                    Seeds s, i32 room) {
  const i32 item = thread_item();
  if (item < firsts.value()) fill_seeds(f, n, h, o, item, s, count[item], room);
}

}  // extern "C"
