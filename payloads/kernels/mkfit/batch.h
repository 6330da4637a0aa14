// How a batch of seeds and its candidates lie in memory. Host only.
#pragma once
#include "kernels/mkfit/candidates.h"

namespace sitecap::mkfit {

inline constexpr i32 batch_seeds = 32;  // as mkFit: what they hold stays in a core's first two caches
inline constexpr i32 batch_slots = batch_seeds * most_candidates;
inline constexpr i32 batch_pairs = batch_seeds * most_pairs;

// Distance of seeds' trees in memory: no power of two, else their beginnings compete for the same cache
// lines.
inline constexpr i32 tree_nodes = most_nodes + 8;

// What a seed ends as.
struct Built {
  Candidate best;
  float score;
};

// Each seed has two sides of rows, the candidates before and after a layer.
inline i32 slot_of(i32 seed, i32 side, i32 candidate) {
  return side * batch_slots + seed * most_candidates + candidate;
}

// Entries past the end of a list that W lanes read: any valid ones.
template <int W>
void pad(i32* list, i32 count) {
  for (i32 k = 0; k < W; ++k) list[count + k] = count > 0 ? list[0] : 0;
}

}  // namespace sitecap::mkfit
