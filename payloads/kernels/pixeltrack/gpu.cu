// The pixel tracks on a GPU: one thread an item of a stage. Where a CPU appends, a first launch counts, a
// scan over the counts gives each item its place, and a second launch fills: the same order, whatever ran
// first. Launched by device.cpp for as many items as there can be; how many there are is read here.
#include "kernels/pixeltrack/joining.h"
#include "kernels/pixeltrack/stages.h"
#include "sitecap/primitives.h"

namespace sitecap::pixeltrack {

// Most that each of n items may count, so that their sum stays below 2^31.
SITECAP_FN i32 most_of_each(i32 n) {
  return 0x7fffffff / max_of(n, 1);
}

SITECAP_FN bool begins_tuple(const Doublets& d, const u8* continued, i32 k) {
  return d.flags[k] == flag_used && continued[k] == 0;
}

SITECAP_FN u64 bid(const Tuples& tuples, const Tracks& tracks, i32 k) {
  return bid_of(tuples.start[k + 1] - tuples.start[k], tracks.chi2[k], k);
}

}  // namespace sitecap::pixeltrack

using namespace sitecap;
using namespace sitecap::pixeltrack;

extern "C" {

// ---- digis to clusters
__global__ void pixeltrack_place_digis(Digis digis, i32 buckets, JoinWork work, i32* bucket) {
  const i32 i = thread_item();
  if (i >= digis.count) return;
  bucket[i] = bucket_of(digis.module[i], digis.column[i], buckets);
  work.parent[i] = i;
  work.electrons[i] = 0;
}
__global__ void pixeltrack_join_digis(Digis digis, const i32* offset, const i32* order, i32 buckets,
                                      i32* parent) {
  const i32 place = thread_item();
  if (place < digis.count) join_neighbours(digis, offset, order, buckets, place, parent);
}
__global__ void pixeltrack_sum_digis(const Topology* topology, Digis digis, Frames frames, JoinWork work) {
  const i32 i = thread_item();
  if (i >= digis.count) return;
  const i32 first = lowest_known(work.parent, i);
  work.first[i] = first;
  const bool first_layer = frames.layer[digis.module[i]] == 0;
  atomicAdd(work.electrons + first, electrons_of(*topology, digis.adc[i], first_layer));
}
// 1 for the first digi of a cluster with charge enough.
__global__ void pixeltrack_choose_clusters(const Topology* topology, Digis digis, Frames frames,
                                           JoinWork work, i32* chosen) {
  const i32 i = thread_item();
  if (i >= digis.count) return;
  const i32 least = least_electrons(*topology, frames.layer[digis.module[i]] == 0);
  chosen[i] = work.first[i] == i && work.electrons[i] >= least ? 1 : 0;
}
__global__ void pixeltrack_begin_clusters(Digis digis, JoinWork work, const i32* number, Clusters clusters) {
  const i32 i = thread_item();
  if (i < digis.count && number[i + 1] > number[i])
    begin_cluster(clusters, number[i], digis.module[i], work.electrons[i], digis.row[i], digis.column[i]);
}
__global__ void pixeltrack_fill_clusters(Digis digis, JoinWork work, const i32* number, Clusters clusters,
                                         i32* label) {
  const i32 i = thread_item();
  if (i < digis.count) add_to_cluster(digis, work, number, i, clusters, label);
}
__global__ void pixeltrack_fill_ends(const Topology* topology, Digis digis, Frames frames, const i32* label,
                                     Clusters clusters) {
  const i32 i = thread_item();
  if (i >= digis.count || label[i] < 0) return;
  const i32 electrons = electrons_of(*topology, digis.adc[i], frames.layer[digis.module[i]] == 0);
  add_to_ends(clusters, label[i], digis.row[i], digis.column[i], electrons,
              [](i32* sum, i32 more) { atomicAdd(sum, more); });
}

// ---- clusters to hits
__global__ void pixeltrack_measure(Count count, Clusters clusters, Frames frames, Matrix matrix, Hits hits,
                                   i32* bin) {
  const i32 i = thread_item();
  if (i >= count.value()) return;
  measure_hits<float>(clusters, frames, matrix, i, hits);
  bin[i] = bin_of(frames, hits.module[i], hits.phi[i]);
}
__global__ void pixeltrack_place(Count count, Hits from, const i32* order, Hits to) {
  const i32 place = thread_item();
  if (place < count.value()) place_hit(from, order[place], place, to);
}

// ---- places of what was counted: `start`, and `also` unless it is null, are the sums before each of n items
// and the total. Items from *end on are those with which it would be more than there is room for.
__global__ void pixeltrack_find_end(i32 n, const i32* start, i32 room, const i32* also, i32 room_of_also,
                                    i32* end, i32* over) {
  const i32 i = thread_item();
  if (i > n) return;
  const auto fits = [&](i32 k) { return start[k] <= room && (also == nullptr || also[k] <= room_of_also); };
  if (!fits(i) || (i < n && fits(i + 1))) return;
  *end = i;
  *over = max_of(*over, start[n] - start[i]);
}
__global__ void pixeltrack_cut(i32 n, const i32* end, i32* start) {
  const i32 i = thread_item();
  if (i <= n && i > *end) start[i] = start[*end];
}

// ---- hits to doublets, in the order of the outer hit; `over` starts as 0
__global__ void pixeltrack_count_doublets(Count count, const Topology* topology, Frames frames, Hits hits,
                                          const i32* bin_start, i32* counts, i32* over) {
  const i32 o = thread_item();
  if (o >= count.at_most) return;
  counts[o] = 0;
  if (o >= count.value()) return;
  i32 found = 0;
  each_doublet_of(*topology, frames, hits, bin_start, o, [&](i32, i32) { ++found; });
  counts[o] = min_of(found, most_of_each(count.value()));
  if (found > counts[o]) atomicMax(over, found - counts[o]);
}
__global__ void pixeltrack_fill_doublets(Count count, const Topology* topology, Frames frames, Hits hits,
                                         const i32* bin_start, Doublets d) {
  const i32 o = thread_item();
  if (o >= count.value()) return;
  i32 next = d.of_outer[o];
  const i32 end = d.of_outer[o + 1];
  if (next == end) return;
  each_doublet_of(*topology, frames, hits, bin_start, o, [&](i32 p, i32 i) {
    if (next == end) return;
    fill_doublet(hits, p, i, o, next++, d);
  });
}

// ---- doublets to links
__global__ void pixeltrack_count_links(Count count, const Topology* topology, Hits hits, Doublets d,
                                       i32* counts, i32* over) {
  const i32 k = thread_item();
  if (k >= count.at_most) return;
  counts[k] = 0;
  if (k >= count.value()) return;
  i32 found = 0;
  each_link_of(*topology, hits, d, k, [&](i32) { ++found; });
  counts[k] = min_of(found, most_of_each(count.value()));
  if (found > counts[k]) atomicMax(over, found - counts[k]);
}
// All that set a flag set the same one: which came last does not matter.
__global__ void pixeltrack_fill_links(Count count, const Topology* topology, Hits hits, Doublets d,
                                      Links links) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  i32 next = links.start[k];
  const i32 end = links.start[k + 1];
  if (next == end) return;
  each_link_of(*topology, hits, d, k, [&](i32 i) {
    if (next == end) return;
    links.inner[next++] = i;
    d.flags[k] = d.flags[i] = flag_used;
  });
}
// Reads what is used and says what is killed elsewhere, so that no thread sees another's verdict.
__global__ void pixeltrack_find_repeated(Count count, const Topology* topology, Hits hits, Doublets d,
                                         u8* killed) {
  const i32 k = thread_item();
  if (k < count.value())
    killed[k] = (d.flags[k] & flag_used) != 0 && is_repeated(*topology, hits, d, k) ? 1 : 0;
}
__global__ void pixeltrack_kill(Count count, Doublets d, const u8* killed, u8* continued) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  if (killed[k] != 0) d.flags[k] = flag_used | flag_killed;
  continued[k] = 0;
}
__global__ void pixeltrack_find_continued(Count count, Doublets d, Links links, u8* continued) {
  const i32 k = thread_item();
  if (k >= count.value() || (d.flags[k] & flag_killed) != 0) return;
  for (i32 i = links.start[k]; i < links.start[k + 1]; ++i) continued[links.inner[i]] = 1;
}

// ---- links to n-tuplets: how many end with each doublet, and their hits; then these
__global__ void pixeltrack_count_tuples(Count count, const Topology* topology, Doublets d, Links links,
                                        const u8* continued, i32* tuples, i32* hits, i32* over) {
  const i32 k = thread_item();
  if (k >= count.at_most) return;
  i32 found = 0, all_hits = 0, left_out = 0;
  if (k < count.value() && begins_tuple(d, continued, k)) {
    const i32 most = most_of_each(count.value()) / max_hits_on_track;
    walk_inwards(*topology, d, links, k, [&](const i32*, i32 length) {
      if (found == most) {
        ++left_out;
        return;
      }
      ++found;
      all_hits += length + 1;
    });
  }
  tuples[k] = found;
  hits[k] = all_hits;
  if (left_out > 0) atomicMax(over, left_out);
}
__global__ void pixeltrack_fill_tuples(Count count, const Topology* topology, Doublets d, Links links,
                                       const u8* continued, const i32* tuple_first, const i32* hit_first,
                                       Tuples tuples) {
  const i32 k = thread_item();
  // the end of the last
  if (k == 0) tuples.start[tuple_first[count.at_most]] = hit_first[count.at_most];
  if (k >= count.value() || !begins_tuple(d, continued, k)) return;
  i32 next = tuple_first[k], at = hit_first[k];
  const i32 end = tuple_first[k + 1];
  if (next == end) return;
  walk_inwards(*topology, d, links, k, [&](const i32* path, i32 length) {
    if (next == end) return;
    fill_tuple(d, path, length, next++, at, tuples);
    at += length + 1;
  });
}

// ---- n-tuplets to tracks; best_of_doublet is no_bid before
__global__ void pixeltrack_bid_length(Count count, Tuples tuples, u64* best_of_doublet) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  const i32 start = tuples.start[k], hits = tuples.start[k + 1] - start;
  for (i32 i = 0; i + 1 < hits; ++i)
    lower_to(best_of_doublet + tuples.doublet[start + i], bid_of_length(hits));
}
// 1 for those that are fitted.
__global__ void pixeltrack_drop_shorter(Count count, Tuples tuples, const u64* best_of_doublet, Tracks tracks,
                                        i32* fitted) {
  const i32 k = thread_item();
  if (k >= count.at_most) return;
  fitted[k] = k < count.value() && is_longest(tuples, best_of_doublet, k) ? 1 : 0;
  if (k < count.value()) tracks.quality[k] = fitted[k] != 0 ? quality_bad_fit : quality_shorter;
}
__global__ void pixeltrack_fit(Count count, const Topology* topology, Frames frames, Hits hits, Tuples tuples,
                               const i32* which, Tracks tracks) {
  const i32 i = thread_item();
  if (i >= count.value()) return;
  fit_tracks<float>(*topology, frames, hits, tuples, which + i, tracks);
  const i32 k = which[i];
  tracks.quality[k] = quality_of_fit(*topology, tracks, tuples.start[k + 1] - tuples.start[k], k);
}
// best is no_bid before; `members` are the n-tuplets' doublets, then their hits.
__global__ void pixeltrack_bid(Count count, Tuples tuples, Tracks tracks, const i32* members, i32 of_hits,
                               u64* best) {
  const i32 k = thread_item();
  if (k >= count.value() || tracks.quality[k] != quality_good) return;
  const i32 end = tuples.start[k + 1] - (of_hits != 0 ? 0 : 1);
  for (i32 i = tuples.start[k]; i < end; ++i) lower_to(best + members[i], bid(tuples, tracks, k));
}
__global__ void pixeltrack_drop_worse(Count count, Tuples tuples, Tracks tracks, const u64* best_of_doublet) {
  const i32 k = thread_item();
  if (k < count.value() && tracks.quality[k] == quality_good &&
      !is_best_of_doublets(tuples, best_of_doublet, k, bid(tuples, tracks, k)))
    tracks.quality[k] = quality_duplicate;
}
__global__ void pixeltrack_drop_sharing(Count count, const Topology* topology, Tuples tuples, Tracks tracks,
                                        const u64* best_of_hit) {
  const i32 k = thread_item();
  if (k >= count.value() || tracks.quality[k] != quality_good) return;
  const i32 most = most_lost_hits(*topology, tuples.start[k + 1] - tuples.start[k]);
  if (hits_lost(tuples, best_of_hit, k, bid(tuples, tracks, k)) > most) tracks.quality[k] = quality_duplicate;
}

// One thread: numbers that the host wants together.
__global__ void pixeltrack_count_up(const i32* clusters, const i32* doublets, const i32* links,
                                    const i32* tuples, const i32* tuple_hits, Counts* counts) {
  if (thread_item() != 0) return;
  counts->clusters = *clusters;
  counts->doublets = *doublets;
  counts->links = *links;
  counts->tuples = *tuples;
  counts->tuple_hits = *tuple_hits;
}

}  // extern "C"
