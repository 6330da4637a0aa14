// Sums whose bits do not depend on the number of lanes: item i always goes to slot i mod 16, slots are added
// in a fixed tree. W lanes hold 16 / W registers of slots.
#pragma once
#include "sitecap/maths.h"

namespace sitecap::vertexing {

SITECAP_CONST i32 slots = 16;

// slot[0..16) added pairwise, 8 apart, then 4, 2, 1.
SITECAP_FN float sum_of_slots(const float* slot) {
  float half[slots / 2];
  for (i32 s = 0; s < 8; ++s) half[s] = slot[s] + slot[s + 8];
  for (i32 s = 0; s < 4; ++s) half[s] += half[s + 4];
  for (i32 s = 0; s < 2; ++s) half[s] += half[s + 2];
  return half[0] + half[1];
}

// N running sums over items that come W at a time, in order.
template <class F, i32 N>
struct Sums {
  static constexpr i32 width = width_of<F>;
  float slot[N][slots];

  SITECAP_FN void clear() {
    for (i32 n = 0; n < N; ++n)
      for (i32 s = 0; s < slots; ++s) slot[n][s] = 0.f;
  }
  // `first` is the index of the first of these W items.
  SITECAP_FN void add(i32 n, i32 first, F value) {
    float* at = slot[n] + (first & (slots - 1));
    store(at, load<F>(at) + value);
  }
  SITECAP_FN float total(i32 n) const { return sum_of_slots(slot[n]); }
};

// Index of each lane: first, first + 1, ...
template <class F>
SITECAP_FN IntOf<F> lane_indices(i32 first) {
  IntOf<F> indices = all_lanes_int<IntOf<F>>(first);
  for (i32 l = 0; l < width_of<F>; ++l) set_lane(indices, l, first + l);
  return indices;
}

}  // namespace sitecap::vertexing
