// The pixel tracks on a GPU: one thread an item of a stage. Where a CPU appends, a first launch counts, a
// scan over the counts (the launcher's) gives each item its place, and a second launch fills: the same order,
// whatever ran first.
#include "kernels/pixeltrack/stages.h"

using namespace sitecap;
using namespace sitecap::pixeltrack;

#define SITECAP_STAGE extern "C" __global__ void
#define SITECAP_ITEM static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x)

SITECAP_STAGE pixeltrack_module_start(Digis digis, i32 modules) {
  const i32 i = SITECAP_ITEM;
  if (i <= digis.count) find_module_start(digis, modules, i);
}

// counts[module]: clusters with charge enough. `bucket` has max_column_buckets + 1 places a module.
SITECAP_STAGE pixeltrack_link_digis(const Topology* topology, Digis digis, ClusterWork work, Frames frames,
                                    i32 columns, i32* bucket, i32* counts) {
  const Topology& t = *topology;
  const i32 m = SITECAP_ITEM;
  if (m < frames.modules)
    counts[m] =
        link_module(t, digis, work, m, columns, frames.layer[m] == 0, bucket + m * (max_column_buckets + 1));
}
SITECAP_STAGE pixeltrack_fill_clusters(const Topology* topology, Digis digis, ClusterWork work, Frames frames,
                                       const i32* first, Clusters clusters, i32* digi_cluster) {
  const Topology& t = *topology;
  const i32 m = SITECAP_ITEM;
  if (m < frames.modules)
    fill_module(t, digis, work, m, frames.layer[m] == 0, first[m], clusters, digi_cluster);
}

SITECAP_STAGE pixeltrack_measure(Clusters clusters, Frames frames, Matrix matrix, i32 count, Hits hits,
                                 i32* bin) {
  const i32 i = SITECAP_ITEM;
  if (i >= count) return;
  measure_hits<float>(clusters, frames, matrix, i, hits);
  bin[i] = bin_of(frames, hits.module[i], hits.phi[i]);
}
// place[i]: where a stable sort by bin puts the hit.
SITECAP_STAGE pixeltrack_place(Hits from, const i32* place, i32 count, Hits to) {
  const i32 i = SITECAP_ITEM;
  if (i < count) place_hit(from, i, place[i], to);
}

// Doublets that end at each hit: counted into `counts`, or filled from doublets.of_outer on.
template <bool Fill>
__device__ __forceinline__ void seek(const Topology& t, const Frames& frames, const Hits& hits,
                                     const i32* bin_start, i32 o, const Doublets& d, i32* counts) {
  const OuterHit outer{hits.z[o], hits.r[o], hits.phi[o], hits.length[o]};
  i32 next = Fill ? d.of_outer[o] : 0;
  each_inner_range(t, bin_start, frames.layer[hits.module[o]], outer, [&](i32 p, i32 first, i32 last) {
    const DoubletCuts cuts = doublet_cuts(t, t.pair[p], outer);
    for (i32 i = first; i < last; ++i) {
      if (!are_doublets<float>(cuts, hits, i)) continue;
      if (Fill) {
        d.inner[next] = i;
        d.outer[next] = o;
        d.pair[next] = p;
        d.inner_x[next] = hits.x[i];
        d.inner_y[next] = hits.y[i];
        d.inner_z[next] = hits.z[i];
        d.inner_r[next] = hits.r[i];
        d.flags[next] = 0;
      }
      ++next;
    }
  });
  if (!Fill) counts[o] = next;
}
SITECAP_STAGE pixeltrack_count_doublets(const Topology* topology, Frames frames, Hits hits,
                                        const i32* bin_start, i32 count, i32* counts) {
  const Topology& t = *topology;
  const i32 o = SITECAP_ITEM;
  if (o < count) seek<false>(t, frames, hits, bin_start, o, Doublets{}, counts);
}
SITECAP_STAGE pixeltrack_fill_doublets(const Topology* topology, Frames frames, Hits hits,
                                       const i32* bin_start, i32 count, Doublets doublets) {
  const Topology& t = *topology;
  const i32 o = SITECAP_ITEM;
  if (o < count) seek<true>(t, frames, hits, bin_start, o, doublets, nullptr);
}

// Links of each doublet. All that set a flag set the same one: which came last does not matter.
template <bool Fill>
__device__ __forceinline__ void link(const Topology& t, const Hits& hits, const Doublets& d, i32 k,
                                     const Links& links, i32* counts) {
  const i32 middle = d.inner[k], outer = d.outer[k];
  const OuterPart part{d.inner_x[k],  d.inner_y[k],  d.inner_z[k],
                       d.inner_r[k],  hits.x[outer], hits.y[outer],
                       hits.z[outer], hits.r[outer], t.layer[t.pair[d.pair[k]].inner].max_misalignment};
  i32 next = Fill ? links.start[k] : 0;
  for (i32 i = d.of_outer[middle]; i < d.of_outer[middle + 1]; ++i) {
    if (!are_linked<float>(t, d, i, t.layer[t.pair[d.pair[i]].inner].max_dca_cm, part)) continue;
    if (Fill) {
      links.inner[next] = i;
      d.flags[k] = d.flags[i] = flag_used;
    }
    ++next;
  }
  if (!Fill) counts[k] = next;
}
SITECAP_STAGE pixeltrack_count_links(const Topology* topology, Hits hits, Doublets doublets, i32 count,
                                     i32* counts) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k < count) link<false>(t, hits, doublets, k, Links{}, counts);
}
SITECAP_STAGE pixeltrack_fill_links(const Topology* topology, Hits hits, Doublets doublets, i32 count,
                                    Links links) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k < count) link<true>(t, hits, doublets, k, links, nullptr);
}
// Reads what is used and says what is killed elsewhere, so that no thread sees another's verdict.
SITECAP_STAGE pixeltrack_find_repeated(const Topology* topology, Hits hits, Doublets doublets, i32 count,
                                       u8* killed) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k < count) killed[k] = (doublets.flags[k] & flag_used) != 0 && is_repeated(t, hits, doublets, k);
}
SITECAP_STAGE pixeltrack_kill(Doublets doublets, i32 count, const u8* killed) {
  const i32 k = SITECAP_ITEM;
  if (k < count && killed[k] != 0) doublets.flags[k] = flag_used | flag_killed;
}
// continued[i] = 1 for doublets with a living outer neighbour; zero before.
SITECAP_STAGE pixeltrack_find_continued(Doublets doublets, Links links, i32 count, u8* continued) {
  const i32 k = SITECAP_ITEM;
  if (k >= count || (doublets.flags[k] & flag_killed) != 0) return;
  for (i32 i = links.start[k]; i < links.start[k + 1]; ++i) continued[links.inner[i]] = 1;
}

// n-tuplets that end with each doublet, and their hits; then these, from tuple_first and hit_first on.
SITECAP_STAGE pixeltrack_count_tuples(const Topology* topology, Doublets doublets, Links links,
                                      const u8* continued, i32 count, i32* tuples, i32* hits) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k >= count) return;
  i32 found = 0, all_hits = 0;
  if (doublets.flags[k] == flag_used && continued[k] == 0)
    walk_inwards(t, doublets, links, k, [&](const i32*, i32 length) {
      ++found;
      all_hits += length + 1;
    });
  tuples[k] = found;
  hits[k] = all_hits;
}
SITECAP_STAGE pixeltrack_fill_tuples(const Topology* topology, Doublets doublets, Links links,
                                     const u8* continued, i32 count, const i32* tuple_first,
                                     const i32* hit_first, Tuples tuples) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k >= count || doublets.flags[k] != flag_used || continued[k] != 0) return;
  i32 next = tuple_first[k], at = hit_first[k];
  walk_inwards(t, doublets, links, k, [&](const i32* path, i32 length) {
    tuples.start[next++] = at;
    for (i32 i = length - 1; i >= 0; --i, ++at) {
      tuples.doublet[at] = path[i];
      tuples.hit[at] = doublets.inner[path[i]];
    }
    tuples.doublet[at] = -1;
    tuples.hit[at++] = doublets.outer[path[0]];
  });
}

// best_of_doublet is no_bid before.
SITECAP_STAGE pixeltrack_bid_length(Tuples tuples, i32 count, u64* best_of_doublet) {
  const i32 k = SITECAP_ITEM;
  if (k >= count) return;
  const i32 start = tuples.start[k], hits = tuples.start[k + 1] - start;
  for (i32 i = 0; i + 1 < hits; ++i)
    lower_to(best_of_doublet + tuples.doublet[start + i], bid_of_length(hits));
}
SITECAP_STAGE pixeltrack_drop_shorter(Tuples tuples, i32 count, const u64* best_of_doublet, Tracks tracks) {
  const i32 k = SITECAP_ITEM;
  if (k < count)
    tracks.quality[k] = is_longest(tuples, best_of_doublet, k) ? quality_bad_fit : quality_shorter;
}
SITECAP_STAGE pixeltrack_fit(const Topology* topology, Frames frames, Hits hits, Tuples tuples,
                             const i32* which, i32 count, Tracks tracks) {
  const Topology& t = *topology;
  const i32 i = SITECAP_ITEM;
  if (i >= count) return;
  fit_tracks<float>(t, frames, hits, tuples, which + i, tracks);
  const i32 k = which[i];
  tracks.quality[k] = quality_of_fit(t, tracks, tuples.start[k + 1] - tuples.start[k], k);
}

__device__ __forceinline__ u64 bid(const Tuples& tuples, const Tracks& tracks, i32 k) {
  return bid_of(tuples.start[k + 1] - tuples.start[k], tracks.chi2[k], k);
}
// best is no_bid before; `members` are the n-tuplets' doublets, then their hits.
SITECAP_STAGE pixeltrack_bid(Tuples tuples, Tracks tracks, i32 count, const i32* members, i32 of_hits,
                             u64* best) {
  const i32 k = SITECAP_ITEM;
  if (k >= count || tracks.quality[k] != quality_good) return;
  const i32 end = tuples.start[k + 1] - (of_hits != 0 ? 0 : 1);
  for (i32 i = tuples.start[k]; i < end; ++i) lower_to(best + members[i], bid(tuples, tracks, k));
}
SITECAP_STAGE pixeltrack_drop_worse(Tuples tuples, Tracks tracks, i32 count, const u64* best_of_doublet) {
  const i32 k = SITECAP_ITEM;
  if (k < count && tracks.quality[k] == quality_good &&
      !is_best_of_doublets(tuples, best_of_doublet, k, bid(tuples, tracks, k)))
    tracks.quality[k] = quality_duplicate;
}
SITECAP_STAGE pixeltrack_drop_sharing(const Topology* topology, Tuples tuples, Tracks tracks, i32 count,
                                      const u64* best_of_hit) {
  const Topology& t = *topology;
  const i32 k = SITECAP_ITEM;
  if (k >= count || tracks.quality[k] != quality_good) return;
  const i32 hits = tuples.start[k + 1] - tuples.start[k];
  const i32 most = hits > 3 ? t.quadruplet_max_lost_hits : t.triplet_max_lost_hits;
  if (hits_lost(tuples, best_of_hit, k, bid(tuples, tracks, k)) > most) tracks.quality[k] = quality_duplicate;
}
