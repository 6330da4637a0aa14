// How a batch of seeds and its candidates lie in memory. Host only.
#pragma once
#include "kernels/mkfit/choice.h"

namespace sitecap::mkfit {

inline constexpr i32 batch_seeds = 32;  // as mkFit: what they hold stays in a core's first two caches
inline constexpr i32 batch_slots = batch_seeds * most_candidates;
inline constexpr i32 batch_pairs = batch_seeds * most_pairs;

// Distance of seeds' trees in memory: no power of two, else their beginnings compete for the same cache
// lines.
inline constexpr i32 tree_nodes = most_nodes + 8;

// Each seed has two sides of rows, the candidates before and after a layer.
inline i32 slot_of(i32 seed, i32 side, i32 candidate) {
  return side * batch_slots + seed * most_candidates + candidate;
}

// The seeds that meet a layer.
template <int W>
struct Meeting {
  using F = typename Types<W>::Float;
  using I = IntOf<F>;
  static constexpr i32 room = batch_seeds + W;
  i32 count = 0;
  i32 seed[batch_seeds];
  i32 first_candidate[room]{}, candidates[room]{};  // in the list of active ones; then how many go on
  i32 first_pair[room]{}, pairs[room]{};
  i32 next_slot[room]{}, next_node[room]{}, last_node[room]{};  // where those that go on are put
  float spread[room]{};                                         // cm, of hits across the layer

  void add(i32 own, const Progress& p, i32 first) {
    seed[count] = own;
    first_candidate[count] = first;
    candidates[count] = p.candidates;
    next_slot[count] = slot_of(own, 1 - p.side, 0);
    next_node[count] = p.nodes;
    last_node[count++] = p.most_nodes;
  }
  // Those of W seeds from `at` on; past the last there are none.
  Ways<F> ways(i32 at) const {
    const auto there = lane_numbers<F>() + at < count;
    return {load<I>(first_pair + at), select(there, load<I>(pairs + at), I{}), load<I>(first_candidate + at),
            select(there, load<I>(candidates + at), I{})};
  }
  void leave(Progress* progress) const {
    for (i32 a = 0; a < count; ++a) {
      Progress& p = progress[seed[a]];
      p.nodes = next_node[a];
      p.candidates = candidates[a];
      p.side = 1 - p.side;
    }
  }
};

#if defined(__AVX2__)
// The numbers of the lanes that a mask of eight has, packed to the left.
struct LanesOfMask {
  alignas(32) i32 number[256][8];
};
constexpr LanesOfMask lanes_of_mask() {
  LanesOfMask lanes{};
  for (int bits = 0; bits < 256; ++bits)
    for (int l = 0, count = 0; l < 8; ++l)
      if ((bits >> l & 1) != 0) lanes.number[bits][count++] = l;
  return lanes;
}
inline constexpr LanesOfMask lanes_packed = lanes_of_mask();
#endif

// Appends the values of those lanes to a list at `to`; up to W - 1 entries past them are written.
template <class I>
void append(i32* to, I values, u32 lanes) {
  constexpr int W = width_of<I>;
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    store(to, static_cast<I>(__builtin_ia32_compresssi512_mask(values, values, static_cast<u16>(lanes))));
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (W >= 8) {
    using Eight = Types<8>::Int;
    i32 list[W];
    store(list, values);
    for (int first = 0; first < W; first += 8) {
      const u32 bits = lanes >> first & 255u;
      const auto packed = load<Eight>(lanes_packed.number[bits]);
      store(to, static_cast<Eight>(__builtin_ia32_permvarsi256(load<Eight>(list + first), packed)));
      to += __builtin_popcount(bits);
    }
    return;
  }
#endif
  for (int l = 0; l < W; ++l) {
    *to = lane(values, l);
    to += static_cast<i32>(lanes >> l & 1u);
  }
}

// Entries past the end of a list that W lanes read: any valid ones.
template <int W>
void pad(i32* list, i32 count) {
  for (i32 k = 0; k < W; ++k) list[count + k] = count > 0 ? list[0] : 0;
}

}  // namespace sitecap::mkfit
