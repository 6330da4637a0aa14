// What an event in flight needs on a device and of pinned memory. Host only.
#pragma once
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/mkfit/gpu.cu"
#include "kernels/mkfit/results.h"

namespace sitecap::mkfit {

// An event's hits and seeds.
struct Event {
  RawHits hits;
  RawSeeds seeds;
  i32 hit_count, seed_count;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("hit_x", hits.x, hit_count);
    visit("hit_y", hits.y, hit_count);
    visit("hit_z", hits.z, hit_count);
    visit("hit_covariance_tt", hits.tt, hit_count);
    visit("hit_covariance_tl", hits.tl, hit_count);
    visit("hit_covariance_ll", hits.ll, hit_count);
    visit("hit_layer", hits.layer, hit_count);
    visit("seed_x", seeds.x, seed_count);
    visit("seed_y", seeds.y, seed_count);
    visit("seed_z", seeds.z, seed_count);
    visit("seed_inverse_pt", seeds.inverse_pt, seed_count);
    visit("seed_phi", seeds.phi, seed_count);
    visit("seed_theta", seeds.theta, seed_count);
    visit("seed_charge", seeds.charge, seed_count);
    visit("seed_covariance_value", seeds.covariance, 21 * i64{seed_count});
    for (const i32*& hit : seeds.hit) visit("seed_hit", hit, seed_count);
  }
};

struct Slot : SlotOf<Event, Found> {
  // `places`: of the longest plan.
  Slot(Device& device, i64 most_bytes, i64 hits, i64 seeds, i64 layers, i64 places)
      : SlotOf(device, most_bytes),
        primitives(memory, stream, std::max(hits, seeds * most_hits),
                   std::max({layers * phi_bins, hits, i64{directions}, seeds}) + 1) {
    const i64 candidates = seeds * most_candidates;
    const auto on_device = [&](auto type, i64 count) { return memory.take<decltype(type)>(count); };
    for (float** column : {&phi, &along, &inverse_radius, &sorted_phi, &sorted_along})
      *column = on_device(0.f, hits);
    for (i32** column : {&hit_bin, &hit_order, &hit_place}) *column = on_device(0, hits);
    points = on_device(0.f, hits * point_floats);
    bin_offset = on_device(0, layers * phi_bins + 2);
    for (i32** column : {&direction, &seed_order, &met, &shortness, &fit_order, &kept})
      *column = on_device(0, seeds);
    numbers = on_device(0, seeds + 1);
    small_offset = on_device(0, std::max<i64>(directions, most_hits + 1) + 2);
    counts = on_device(0, 2 * places + 1);
    pair_list = on_device(0, seeds * most_pairs);
    take_building(on_device, seeds, candidates);
    tracks = {on_device(Track{}, seeds), on_device(0.f, seeds * row_floats), on_device(0, seeds * most_hits)};
    user_bin = on_device(0, seeds * most_hits);
    user_order = on_device(0, seeds * most_hits);
    user_offset = on_device(0, hits + 2);
    users = {on_device(0, hits), on_device(0, seeds * most_hits)};
    found_counts = pinned.take<i32>(2);
    Found most{};
    most.hit_count = static_cast<i32>(hits);
    most.seed_count = static_cast<i32>(seeds);
    output = pinned.take<u8>(packed_bytes(most));
  }

  template <class Take>
  void take_building(const Take& take, i64 seeds, i64 candidates) {
    Building& b = building;
    b.order = seed_order;
    b.direction = direction;
    b.place = hit_place;
    b.side = static_cast<i32>(candidates);
    b.start = take(0, seeds);
    b.pairs = take(0, seeds);
    b.spread = take(0.f, seeds);
    b.progress = take(Progress{}, seeds);
    b.finished = take(0.f, seeds * row_floats);
    b.nodes = take(Node{}, seeds * most_nodes);
    b.candidates = take(Candidate{}, 2 * candidates);
    b.rows = take(0.f, 2 * candidates * row_floats);
    b.crossed = take(0.f, candidates * row_floats);
    Windows& w = b.windows;
    for (float** column : {&w.phi, &w.along, &w.half_phi, &w.half_along, &w.slope, &w.reach, &w.inverse_pt,
                           &b.worth.with_hit, &b.worth.without, &b.worth.ended})
      *column = take(0.f, candidates);
    w.status = take(0, candidates);
    b.ways = take(Way{}, candidates);
    for (i32** column : {&b.pair_parent, &b.pair_hit}) *column = take(0, seeds * most_pairs);
    for (float** column : {&b.pair_chi2, &b.pair_depth, &b.pair_score})
      *column = take(0.f, seeds * most_pairs);
  }

  Primitives primitives;
  float *phi, *along, *inverse_radius, *sorted_phi, *sorted_along, *points;
  i32 *hit_bin, *hit_order, *hit_place, *bin_offset;
  i32 *direction, *seed_order, *small_offset;
  i32* counts;  // by place of the plans how many seeds and pairs there are; at the end what had no room
  i32 *met, *pair_list;
  Building building{};
  Tracks tracks;
  i32 *shortness, *fit_order, *user_bin, *user_order, *user_offset, *numbers, *kept;
  Users users;
  // on the host
  u8* output;
  i32* found_counts;  // tracks that are kept, overflows
};

}  // namespace sitecap::mkfit
