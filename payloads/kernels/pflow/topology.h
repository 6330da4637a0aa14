// Cells to seeds and topological clusters: those that hang together by edges or corners, in one layer.
#pragma once
#include "kernels/pflow/layers.h"

namespace sitecap::pflow {

// What is found of each cell. `beside` has eight a cell.
struct Topology {
  i32* cell_at;  // by channel: cell above threshold, none
  i32 *beside, *root, *is_seed;
};

SITECAP_FN bool above(i32 i, const Cells& cells, const Channels& channels) {
  return cells.energy_gev[i] > layer_of(channels.layer[cells.channel[i]]).cell_gev;
}
SITECAP_FN void enter(i32 i, const Cells& cells, const Channels& channels, const Topology& t) {
  if (above(i, cells, channels)) t.cell_at[cells.channel[i]] = i;
}
// Leaves the table by channel as it was, for the next event.
SITECAP_FN void leave(i32 i, const Cells& cells, const Topology& t) {
  t.cell_at[cells.channel[i]] = none;
}

// Neighbours of cell i, and whether it is a seed: higher than those considered; of equals the first.
SITECAP_FN void look_around(i32 i, const Cells& cells, const Channels& channels, const Topology& t) {
  const i32 channel = cells.channel[i], layer = channels.layer[channel];
  const float energy = cells.energy_gev[i];
  const bool alive = above(i, cells, channels);
  const Layer own = layer_of(layer);
  bool seed = alive && energy > own.seed_gev;
  if (own.seed_pt_gev > 0.f) {
    const float x = channels.x_cm[channel], y = channels.y_cm[channel], z = channels.z_cm[channel];
    const float transverse2 = x * x + y * y;
    seed = seed && energy * square_root(transverse2 / (transverse2 + z * z)) >= own.seed_pt_gev;
  }
  for (i32 k = 0; k < 8; ++k) {
    const i32 next = channels.neighbours[8 * channel + k];
    const i32 j = alive && next != none ? t.cell_at[next] : none;
    t.beside[8 * i + k] = j;
    if (j == none || k >= considered(layer)) continue;
    const float other = cells.energy_gev[j];
    if (other > energy || (other == energy && j < i)) seed = false;
  }
  t.is_seed[i] = seed ? 1 : 0;
  t.root[i] = alive ? i : none;
}

// Puts `value` where `expected` stands; false if something else stood there.
SITECAP_FN bool swap_if(i32* at, i32 expected, i32 value) {
#if SITECAP_GPU
  return atomicCAS(at, expected, value) == expected;
#else
  if (*at != expected) return false;
  *at = value;
  return true;
#endif
}
SITECAP_FN i32 root_of(const volatile i32* root, i32 i) {
  while (root[i] != i) i = root[i];
  return i;
}
// Joins cell i with those beside it. The root of a set ends as its least cell, in whatever order cells come.
SITECAP_FN void join(i32 i, const Topology& t) {
  for (i32 k = 0; k < 8; ++k) {
    if (t.beside[8 * i + k] == none) continue;
    i32 a = i, b = t.beside[8 * i + k];
    for (;;) {
      a = root_of(t.root, a);
      b = root_of(t.root, b);
      if (a == b) break;
      const i32 high = max_of(a, b), low = min_of(a, b);
      if (swap_if(t.root + high, high, low)) break;
    }
  }
}
// Bin of a cell for the sort into topological clusters; `last` for those below threshold.
SITECAP_FN i32 topology_bin(i32 i, const Topology& t, i32 last) {
  return t.root[i] == none ? last : root_of(t.root, i);
}

}  // namespace sitecap::pflow
