// The stages as device entry points: one thread an item, in the order that device.cpp gives.
//
// At each layer the seeds that meet it and their pairs with hits are listed in whatever order threads come to
// it: an item's results lie at its own place, so that the lists' order does not show.
#include "kernels/mkfit/bare_flight.h"
#include "kernels/mkfit/building.h"
#include "sitecap/primitives.h"

using namespace sitecap;
using namespace sitecap::mkfit;

extern "C" {

// ---- hits and seeds in their orders
__global__ void mkfit_bin_hits(RawHits raw, const Layer* layers, i32 hits, float* phi, float* along,
                               float* inverse_radius, i32* bin) {
  const i32 i = thread_item();
  if (i < hits) bin_hits<float>(raw, layers, i, 1, phi, along, inverse_radius, bin);
}
__global__ void mkfit_place_hits(RawHits raw, const i32* order, i32 hits, const float* phi,
                                 const float* along, const float* inverse_radius, i32* place, float* rows,
                                 float* sorted_phi, float* sorted_along) {
  const i32 i = thread_item();
  if (i >= hits) return;
  place[order[i]] = i;
  place_hit(raw, order[i], i, phi, along, inverse_radius, rows, sorted_phi, sorted_along);
}
__global__ void mkfit_direct_seeds(RawSeeds raw, i32 seeds, i32* direction) {
  const i32 i = thread_item();
  if (i < seeds) direction[i] = direction_of(raw, i);
}
__global__ void mkfit_begin(RawSeeds raw, const u8* hit_layer, Tracker tracker, i32 seeds, Building b) {
  const i32 s = thread_item();
  if (s < seeds) begin_seed(b, raw, hit_layer, *tracker.plan, s);
}

// ---- one layer, at a place of the plans; `count` starts as 0
__global__ void mkfit_meet(Building b, Tracker tracker, i32 place, i32 seeds, i32* count, i32* met) {
  const i32 s = thread_item();
  if (s < seeds && meets_layer(b, tracker, place, s)) met[atomicAdd(count, 1)] = s;
}
__global__ void mkfit_cross(Building b, Parameters parameters, Tracker tracker, i32 place, Count count,
                            const i32* met) {
  const i32 i = thread_item(), m = i / most_candidates;
  if (m >= count.value()) return;
  const i32 s = met[m];
  cross(b, parameters, tracker.layers[layer_index(b, tracker, place, s)], s, i % most_candidates);
}
__global__ void mkfit_search(Building b, Hits hits, Tracker tracker, i32 place, Count count, const i32* met,
                             i32* pair_count, i32* pair_list, i32* overflows) {
  const i32 m = thread_item();
  if (m >= count.value()) return;
  const i32 s = met[m];
  const i32 over = search(b, hits, layer_index(b, tracker, place, s), s);
  if (over > 0) atomicAdd(overflows, over);
  const i32 first = atomicAdd(pair_count, b.pairs[s]);
  for (i32 k = 0; k < b.pairs[s]; ++k) pair_list[first + k] = s * most_pairs + k;
}
__global__ void mkfit_try_pairs(Building b, Parameters parameters, Hits hits, Tracker tracker, i32 place,
                                Count count, const i32* pair_list) {
  const i32 i = thread_item();
  if (i >= count.value()) return;
  const i32 pair = pair_list[i];
  try_pair(b, parameters, tracker.layers[layer_index(b, tracker, place, pair / most_pairs)], hits.rows, pair);
}
__global__ void mkfit_choose(Building b, Parameters parameters, Count count, const i32* met, i32* overflows) {
  const i32 m = thread_item();
  if (m >= count.value()) return;
  const i32 over = choose_ways(b, parameters, met[m]);
  if (over > 0) atomicAdd(overflows, over);
}
__global__ void mkfit_go_on(Building b, Hits hits, Tracker tracker, i32 place, Count count, const i32* met) {
  const i32 i = thread_item(), m = i / most_candidates;
  if (m >= count.value()) return;
  const i32 s = met[m];
  go_on(b, tracker.layers[layer_index(b, tracker, place, s)], hits.rows, s, i % most_candidates);
}
__global__ void mkfit_take_overlaps(Building b, Parameters parameters, Hits hits, Tracker tracker, i32 place,
                                    Count count, const i32* met) {
  const i32 m = thread_item();
  if (m >= count.value()) return;
  const i32 s = met[m];
  take_overlaps(b, parameters, tracker.layers[layer_index(b, tracker, place, s)], hits.rows, s);
}

// ---- tracks; `shortness` sorts those of like lengths side by side
__global__ void mkfit_end(RawSeeds raw, Building b, i32 seeds, Tracks tracks, i32* shortness) {
  const i32 s = thread_item();
  if (s >= seeds) return;
  end_seed(b, raw, tracks, s);
  shortness[b.order[s]] = most_hits - tracks.track[b.order[s]].hits;
}
__global__ void mkfit_fit(Tracks tracks, const i32* fit_order, const float* hit_rows, const u8* hit_layer,
                          const i32* hit_order, const Layer* layers, i32 count) {
  const i32 i = thread_item();
  if (i >= count) return;
  const i32 t = fit_order[i], hits = tracks.track[t].hits;
  State<float> s;
  load_state(tracks.rows, &t, s);
  widen(s);
  Heading<float> h = heading(s);
  float chi2 = 0.f;
  for (i32 k = 0; k < hits; ++k) {
    const i32* hit = tracks.hits + static_cast<i64>(t) * most_hits + k;
    const i32 own = hit_layer[hit_order[*hit]];
    const bool last = k + 1 >= hits || hit_layer[hit_order[hit[1]]] != own;
    Point<float> p;
    load_point(hit_rows, hit, p);
    fit_step(s, h, p, layers[own].is_disc != 0, last ? layers[own].radiation_lengths : 0.f, true, chi2);
  }
  to_beam_line(s);
  store_state(tracks.rows, &t, 1, s);
  tracks.track[t].chi2 = chi2;
}

// ---- tracks by hit: those of a bin are in order, and read from the last, as on a CPU. Places without a hit
// of a good track are left out.
__global__ void mkfit_bin_users(Parameters parameters, Tracks tracks, i32 count, i32 hits, i32* bin) {
  const i32 i = thread_item(), t = i / most_hits;
  if (t >= count) return;
  const bool used = i % most_hits < tracks.track[t].hits && good_track(parameters, tracks.track[t]);
  bin[i] = used ? tracks.hits[i] : hits;
}
__global__ void mkfit_link_users(Count count, Tracks tracks, const i32* offset, const i32* order,
                                 Users users) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  const i32 place = order[k], hit = tracks.hits[place];
  users.next[place] = k > offset[hit] ? order[k - 1] : -1;
  if (k + 1 == offset[hit + 1]) users.first[hit] = place;
}
__global__ void mkfit_keep(Parameters parameters, Tracks tracks, Users users, i32 count, i32* kept) {
  const i32 t = thread_item();
  if (t < count)
    kept[t] = good_track(parameters, tracks.track[t]) &&
                      !is_duplicate(parameters, tracks.track, tracks.hits, users, t)
                  ? 1
                  : 0;
}

// ---- the Kalman step alone
__global__ void mkfit_place_points(RawSeeds raw, i32 seeds, i32 cylinders, float* points) {
  const i32 i = thread_item();
  if (i < seeds) place_points(raw, seeds, i, cylinders, points);
}
__global__ void mkfit_fly(RawSeeds raw, i32 seeds, i32 cylinders, const float* points, float* covariance) {
  const i32 i = thread_item();
  if (i < seeds) fly(raw, seeds, i, cylinders, points, covariance);
}

}  // extern "C"
