// The tracks on a GPU: one thread an item of a stage. Where a CPU appends, a first launch counts, a scan over
// the counts (the launcher's) gives each item its place, and a second launch fills: the same order, whatever
// ran first.
#include "kernels/catracks/stages.h"

using namespace sitecap;
using namespace sitecap::catracks;

#define SITECAP_STAGE extern "C" __global__ void
#define SITECAP_ITEM static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x)

SITECAP_STAGE catracks_sensor_start(Hits hits, i32 sensors) {
  const i32 i = SITECAP_ITEM;
  if (i <= hits.count) find_sensor_start(hits, sensors, i);
}

// Mini-doublets of each hit in a lower sensor: counted into `counts`, or filled from first[hit] on.
template <bool Fill>
__device__ __forceinline__ void pair_hits(const Cuts& cuts, const Modules& modules, const Hits& hits, i32 i,
                                          i32* counts, const i32* first, const Doublets& to) {
  i32 next = Fill ? first[i] : 0;
  if (hits.sensor[i] == 0) {
    const i32 m = hits.module[i];
    const float r = radius_of<float>(hits, i);
    const LowerHit low = lower_hit(cuts, modules, hits, i, r, slope_of(cuts, r));
    for (i32 upper = hits.sensor_start[2 * m + 1]; upper < hits.sensor_start[2 * m + 2]; ++upper) {
      float angle;
      if (!are_doublets<float>(modules.frame + m * frame_size, low, hits, upper, angle)) continue;
      if (Fill) put_doublet(modules, hits, low, i, upper, angle, to, next);
      ++next;
    }
  }
  if (!Fill) counts[i] = next;
}
SITECAP_STAGE catracks_count_doublets(const Cuts* cuts, Modules modules, Hits hits, i32* counts) {
  const i32 i = SITECAP_ITEM;
  if (i < hits.count) pair_hits<false>(*cuts, modules, hits, i, counts, nullptr, Doublets{});
}
SITECAP_STAGE catracks_fill_doublets(const Cuts* cuts, Modules modules, Hits hits, const i32* first,
                                     Doublets to) {
  const i32 i = SITECAP_ITEM;
  if (i < hits.count) pair_hits<true>(*cuts, modules, hits, i, nullptr, first, to);
}
SITECAP_STAGE catracks_finish_doublets(const Cuts* cuts, Doublets doublets, i32 count, i32* bin) {
  const i32 i = SITECAP_ITEM;
  if (i >= count) return;
  finish_doublets<float>(*cuts, doublets, i);
  bin[i] = bin_of(doublets, i);
}
// place[i]: where a stable sort by bin puts the mini-doublet.
SITECAP_STAGE catracks_place_doublets(Doublets from, const i32* place, i32 count, Doublets to) {
  const i32 i = SITECAP_ITEM;
  if (i < count) place_doublet(from, i, to, place[i]);
}

// Segments of each mini-doublet.
template <bool Fill>
__device__ __forceinline__ void seek_segments(const Cuts& cuts, const Layout& layout, const i32* bin_start,
                                              const Doublets& d, i32 a, i32* counts, const Segments& s) {
  i32 next = Fill ? s.start[a] : 0;
  const Inner in = inner_of(d, a);
  each_outer_range(cuts, layout, bin_start, in, d.layer[a], [&](bool disc, i32 first, i32 last) {
    for (i32 i = first; i < last; ++i) {
      if (!are_segments<float>(cuts, in, disc, d, i)) continue;
      if (Fill) {
        s.inner[next] = a;
        s.outer[next] = i;
      }
      ++next;
    }
  });
  if (!Fill) counts[a] = next;
}
SITECAP_STAGE catracks_count_segments(const Cuts* cuts, const Layout* layout, const i32* bin_start,
                                      Doublets doublets, i32 count, i32* counts) {
  const i32 a = SITECAP_ITEM;
  if (a < count) seek_segments<false>(*cuts, *layout, bin_start, doublets, a, counts, Segments{});
}
SITECAP_STAGE catracks_fill_segments(const Cuts* cuts, const Layout* layout, const i32* bin_start,
                                     Doublets doublets, i32 count, Segments segments) {
  const i32 a = SITECAP_ITEM;
  if (a < count) seek_segments<true>(*cuts, *layout, bin_start, doublets, a, nullptr, segments);
}

// Triplets that begin with each segment.
template <bool Fill>
__device__ __forceinline__ void seek_triplets(const Cuts& cuts, const Doublets& d, const Segments& s, i32 a,
                                              i32* counts, const Triplets& t) {
  i32 next = Fill ? t.start[a] : 0;
  const i32 middle = s.outer[a];
  for (i32 b = s.start[middle]; b < s.start[middle + 1]; ++b) {
    if (!are_triplets<float>(cuts, d, s.inner[a], middle, s.outer[b])) continue;
    if (Fill) {
      t.inner[next] = a;
      t.outer[next] = b;
    }
    ++next;
  }
  if (!Fill) counts[a] = next;
}
SITECAP_STAGE catracks_count_triplets(const Cuts* cuts, Doublets doublets, Segments segments, i32 count,
                                      i32* counts) {
  const i32 a = SITECAP_ITEM;
  if (a < count) seek_triplets<false>(*cuts, doublets, segments, a, counts, Triplets{});
}
SITECAP_STAGE catracks_fill_triplets(const Cuts* cuts, Doublets doublets, Segments segments, i32 count,
                                     Triplets triplets) {
  const i32 a = SITECAP_ITEM;
  if (a < count) seek_triplets<true>(*cuts, doublets, segments, a, nullptr, triplets);
}

// Quintuplets that begin with each triplet.
template <bool Fill>
__device__ __forceinline__ void seek_quintuplets(const Cuts& cuts, const Doublets& d, const Segments& s,
                                                 const Triplets& t, i32 a, i32* counts, const i32* first,
                                                 const Quintuplets& q) {
  i32 next = Fill ? first[a] : 0;
  const i32 middle = s.outer[t.outer[a]];
  for (i32 b = t.start[s.start[middle]]; b < t.start[s.start[middle + 1]]; ++b) {
    i32 point[points];
    points_of(s, t, a, b, point);
    Helix<float> helix;
    if (!are_quintuplets<float>(cuts, d, point, helix)) continue;
    if (Fill) {
      q.inner[next] = a;
      q.outer[next] = b;
      for (int k = 0; k < points; ++k) q.point[points * next + k] = point[k];
      q.curvature[next] = helix.curvature;
      q.direction[next] = helix.direction;
      q.cotangent[next] = helix.cotangent;
      q.chi2_bend[next] = helix.chi2_bend;
      q.chi2_rz[next] = helix.chi2_rz;
    }
    ++next;
  }
  if (!Fill) counts[a] = next;
}
SITECAP_STAGE catracks_count_quintuplets(const Cuts* cuts, Doublets doublets, Segments segments,
                                         Triplets triplets, i32 count, i32* counts) {
  const i32 a = SITECAP_ITEM;
  if (a < count)
    seek_quintuplets<false>(*cuts, doublets, segments, triplets, a, counts, nullptr, Quintuplets{});
}
SITECAP_STAGE catracks_fill_quintuplets(const Cuts* cuts, Doublets doublets, Segments segments,
                                        Triplets triplets, i32 count, const i32* first,
                                        Quintuplets quintuplets) {
  const i32 a = SITECAP_ITEM;
  if (a < count) seek_quintuplets<true>(*cuts, doublets, segments, triplets, a, nullptr, first, quintuplets);
}

// Quintuplets by lower hit, in any order within a hit: what is asked of the lists does not depend on it.
// counts is 0 before the first, the hits' places before the second.
SITECAP_STAGE catracks_count_owners(Doublets doublets, Quintuplets quintuplets, i32 count, i32* counts) {
  const i32 i = SITECAP_ITEM;
  if (i < points * count) atomicAdd(counts + doublets.lower[quintuplets.point[i]], 1);
}
SITECAP_STAGE catracks_fill_owners(Doublets doublets, Quintuplets quintuplets, i32 count, i32* cursor,
                                   Owners owners) {
  const i32 i = SITECAP_ITEM;
  if (i < points * count)
    owners.member[atomicAdd(cursor + doublets.lower[quintuplets.point[i]], 1)] = i / points;
}
SITECAP_STAGE catracks_clean(const Cuts* cuts, Doublets doublets, Quintuplets quintuplets, Owners owners,
                             i32 count, i32* kept, i32* lengths) {
  const i32 k = SITECAP_ITEM;
  if (k >= count) return;
  const bool good = is_track(*cuts, doublets, quintuplets, owners, k);
  kept[k] = good ? 1 : 0;
  lengths[k] = good ? path_of(*cuts, doublets, quintuplets, owners, k).length : 0;
}
// place and path_first: scans of the above.
SITECAP_STAGE catracks_fill_tracks(const Cuts* cuts, Doublets doublets, Quintuplets quintuplets,
                                   Owners owners, i32 count, const i32* kept, const i32* place,
                                   const i32* path_first, i32* track_quintuplet, i32* path_point,
                                   Track* tracks) {
  const i32 k = SITECAP_ITEM;
  if (k >= count || kept[k] == 0) return;
  track_quintuplet[place[k]] = k;
  tracks[place[k]] = track_of(*cuts, doublets, quintuplets, k);
  const Path path = path_of(*cuts, doublets, quintuplets, owners, k);
  for (i32 i = 0; i < path.length; ++i) path_point[path_first[k] + i] = path.point[i];
}
