// The stages as device entry points: one thread an item, in the order that device.cpp gives. Where a CPU
// appends, a first entry counts, a scan over the counts gives each item its place, and a second entry fills:
// the same order, whatever ran first. What there is no room for is counted and left out.
//
// How many there are of each is known on the device only: entries are launched for as many as there can be.
#include "kernels/catracks/stages.h"
#include "sitecap/primitives.h"

using namespace sitecap;
using namespace sitecap::catracks;

// Of `total` as many as there is room for; the thread behind the last item says so.
SITECAP_FN void hold(i32 total, i32 limit, i32& held, i32& over) {
  held = min_of(total, limit);
  over = total - held;
}

// Adds the values of a block's threads to a sum: one atomic a block. All threads of the block call it.
SITECAP_FN void add_of_block(i32 value, i32* sum) {
  i32 total;
  block_exclusive_scan(value, total);
  if (threadIdx.x == 0 && total > 0) atomicAdd(sum, total);
}

// Mini-doublets of each hit in a lower sensor, filled in from `next` on or only counted. Returns the next.
template <bool Fill>
SITECAP_FN i32 pair_hits(const Cuts& cuts, const Modules& modules, const Hits& hits, i32 i, i32 next,
                         i32 limit, const Doublets& to) {
  if (hits.sensor[i] != 0) return next;
  const i32 m = hits.module[i];
  const float r = radius_of<float>(hits, i);
  const LowerHit low = lower_hit(cuts, modules, hits, i, r, slope_of(cuts, r));
  for (i32 upper = hits.sensor_start[2 * m + 1]; upper < hits.sensor_start[2 * m + 2]; ++upper) {
    float angle;
    if (!are_doublets<float>(modules.frame + m * frame_size, low, hits, upper, angle)) continue;
    if (Fill && next < limit) put_doublet(modules, hits, low, i, upper, angle, to, next);
    ++next;
  }
  return next;
}

// Segments of each mini-doublet.
template <bool Fill>
SITECAP_FN i32 seek_segments(const Cuts& cuts, const Layout& layout, const i32* bin_start, const Doublets& d,
                             i32 a, i32 next, i32 limit, const Segments& s) {
  const Inner in = inner_of(d, a);
  each_outer_range(cuts, layout, bin_start, in, d.layer[a], [&](bool disc, i32 first, i32 last) {
    for (i32 i = first; i < last; ++i) {
      if (!are_segments<float>(cuts, in, disc, d, i)) continue;
      if (Fill && next < limit) {
        s.inner[next] = a;
        s.outer[next] = i;
      }
      ++next;
    }
  });
  return next;
}

// Segments that go on where segment `a` ends; triplets that begin with one that goes on where the first
// segment of triplet `a` ends.
struct Range {
  i32 first, last;
};
SITECAP_FN Range segments_behind(const Segments& s, i32 a) {
  return {s.start[s.outer[a]], s.start[s.outer[a] + 1]};
}
SITECAP_FN Range triplets_behind(const Segments& s, const Triplets& t, i32 a) {
  const Range segments = segments_behind(s, t.outer[a]);
  return {t.start[segments.first], t.start[segments.last]};
}

// Triplets that begin with each segment.
template <bool Fill>
SITECAP_FN i32 seek_triplets(const Cuts& cuts, const Doublets& d, const Segments& s, Range others, i32 a,
                             i32 next, i32 limit, const Triplets& t) {
  for (i32 b = others.first; b < others.last; ++b) {
    if (!are_triplets<float>(cuts, d, s.inner[a], s.outer[a], s.outer[b])) continue;
    if (Fill && next < limit) {
      t.inner[next] = a;
      t.outer[next] = b;
    }
    ++next;
  }
  return next;
}

// Quintuplets that begin with each triplet.
template <bool Fill>
SITECAP_FN i32 seek_quintuplets(const Cuts& cuts, const Doublets& d, const Segments& s, const Triplets& t,
                                Range others, i32 a, i32 next, i32 limit, const Quintuplets& q) {
  for (i32 b = others.first; b < others.last; ++b) {
    i32 point[points];
    points_of(s, t, a, b, point);
    Helix<float> helix;
    if (!are_quintuplets<float>(cuts, d, point, helix)) continue;
    if (Fill && next < limit) {
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
  return next;
}

extern "C" {

// ---- mini-doublets, as modules have them and then by cell and phi
__global__ void catracks_sensor_start(Hits hits, i32 sensors) {
  const i32 i = thread_item();
  if (i <= hits.count) find_sensor_start(hits, sensors, i);
}
__global__ void catracks_count_doublets(Cuts cuts, Modules modules, Hits hits, i32* counts) {
  const i32 i = thread_item();
  if (i < hits.count) counts[i] = pair_hits<false>(cuts, modules, hits, i, 0, 0, Doublets{});
}
__global__ void catracks_fill_doublets(Cuts cuts, Modules modules, Hits hits, const i32* first, i32 limit,
                                       Doublets to, Counts* n) {
  const i32 i = thread_item();
  if (i < hits.count) pair_hits<true>(cuts, modules, hits, i, first[i], limit, to);
  if (i == hits.count) hold(first[i], limit, n->doublets, n->doublets_over);
}
__global__ void catracks_finish_doublets(Cuts cuts, Doublets doublets, Count count, i32* bin) {
  const i32 i = thread_item();
  if (i >= count.value()) return;
  finish_doublets<float>(cuts, doublets, i);
  bin[i] = bin_of(doublets, i);
}
__global__ void catracks_place_doublets(Doublets from, const i32* order, Count count, Doublets to) {
  const i32 k = thread_item();
  if (k < count.value()) place_doublet(from, order[k], to, k);
}

// ---- segments, triplets and quintuplets: an entry that fills has a thread more than there can be items, and
// leaves where the items' own begin
__global__ void catracks_count_segments(Cuts cuts, const Layout* layout, const i32* bin_start,
                                        Doublets doublets, Count count, i32* counts) {
  const i32 a = thread_item();
  if (a >= count.at_most) return;
  counts[a] =
      a < count.value() ? seek_segments<false>(cuts, *layout, bin_start, doublets, a, 0, 0, Segments{}) : 0;
}
__global__ void catracks_fill_segments(Cuts cuts, const Layout* layout, const i32* bin_start,
                                       Doublets doublets, Count count, i32 limit, Segments segments,
                                       Counts* n) {
  const i32 a = thread_item();
  if (a > count.at_most) return;
  const i32 first = segments.start[a];
  if (a < count.value()) seek_segments<true>(cuts, *layout, bin_start, doublets, a, first, limit, segments);
  if (a == count.at_most) hold(first, limit, n->segments, n->segments_over);
  segments.start[a] = min_of(first, limit);
}

__global__ void catracks_count_triplets(Cuts cuts, Doublets doublets, Segments segments, Count count,
                                        i32* counts, Counts* n) {
  const i32 a = thread_item();
  Range others{0, 0};
  if (a < count.value()) others = segments_behind(segments, a);
  if (a < count.at_most)
    counts[a] = seek_triplets<false>(cuts, doublets, segments, others, a, 0, 0, Triplets{});
  add_of_block(others.last - others.first, &n->pairs_of_segments);
}
__global__ void catracks_fill_triplets(Cuts cuts, Doublets doublets, Segments segments, Count count,
                                       i32 limit, Triplets triplets, Counts* n) {
  const i32 a = thread_item();
  if (a > count.at_most) return;
  const i32 first = triplets.start[a];
  if (a < count.value())
    seek_triplets<true>(cuts, doublets, segments, segments_behind(segments, a), a, first, limit, triplets);
  if (a == count.at_most) hold(first, limit, n->triplets, n->triplets_over);
  triplets.start[a] = min_of(first, limit);
}

__global__ void catracks_count_quintuplets(Cuts cuts, Doublets doublets, Segments segments, Triplets triplets,
                                           Count count, i32* counts, Counts* n) {
  const i32 a = thread_item();
  Range others{0, 0};
  if (a < count.value()) others = triplets_behind(segments, triplets, a);
  if (a < count.at_most)
    counts[a] = seek_quintuplets<false>(cuts, doublets, segments, triplets, others, a, 0, 0, Quintuplets{});
  add_of_block(others.last - others.first, &n->pairs_of_triplets);
}
__global__ void catracks_fill_quintuplets(Cuts cuts, Doublets doublets, Segments segments, Triplets triplets,
                                          Count count, i32 limit, const i32* first, Quintuplets quintuplets,
                                          Counts* n) {
  const i32 a = thread_item();
  if (a < count.value())
    seek_quintuplets<true>(cuts, doublets, segments, triplets, triplets_behind(segments, triplets, a), a,
                           first[a], limit, quintuplets);
  if (a != count.at_most) return;
  hold(first[a], limit, n->quintuplets, n->quintuplets_over);
  n->quintuplet_points = points * n->quintuplets;
}

// ---- quintuplets by lower hit, and those that are tracks
__global__ void catracks_bin_points(Doublets doublets, Quintuplets quintuplets, Count count, i32* bin) {
  const i32 i = thread_item();
  if (i < count.value()) bin[i] = doublets.lower[quintuplets.point[i]];
}
__global__ void catracks_own(Count count, const i32* order, Owners owners) {
  const i32 k = thread_item();
  if (k < count.value()) owners.member[k] = order[k] / points;
}
__global__ void catracks_clean(Cuts cuts, Doublets doublets, Quintuplets quintuplets, Owners owners,
                               Count count, i32* kept, i32* lengths) {
  const i32 k = thread_item();
  if (k >= count.at_most) return;
  const bool good = k < count.value() && is_track(cuts, doublets, quintuplets, owners, k);
  kept[k] = good ? 1 : 0;
  lengths[k] = good ? path_of(cuts, doublets, quintuplets, owners, k).length : 0;
}
// `number` and `first`: scans of the above.
__global__ void catracks_fill_tracks(Cuts cuts, Doublets doublets, Quintuplets quintuplets, Owners owners,
                                     Count count, const i32* number, const i32* first, i32* path_start,
                                     i32* path_point, Tracks tracks, Counts* n) {
  const i32 k = thread_item();
  if (k > count.at_most) return;
  if (k == count.at_most) {
    n->tracks = number[k];
    n->path_points = path_start[number[k]] = first[k];
  }
  if (k >= count.value() || number[k + 1] == number[k]) return;
  path_start[number[k]] = first[k];
  put_track(tracks, number[k], track_of(cuts, doublets, quintuplets, k));
  const Path path = path_of(cuts, doublets, quintuplets, owners, k);
  for (i32 i = 0; i < path.length; ++i) path_point[first[k] + i] = path.point[i];
}

}  // extern "C"
