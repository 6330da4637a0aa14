// The list of prototypes as the leader of a team edits it, alone: kept in order, joined, split, shortened.
#pragma once
#include "kernels/vertexing/annealing.h"

namespace sitecap::vertexing {

// Weighted means nearly always keep their order; where a range cut a tail off, they may not.
SITECAP_FN void keep_order(const Prototypes& p) {
  for (i32 k = 1; k < *p.count; ++k) {
    const float z = p.z[k], rho = p.rho[k];
    i32 at = k;
    for (; at > 0 && p.z[at - 1] > z; --at) {
      p.z[at] = p.z[at - 1];
      p.rho[at] = p.rho[at - 1];
    }
    p.z[at] = z;
    p.rho[at] = rho;
  }
}

SITECAP_FN void remove_prototype(const Prototypes& p, i32 gone) {
  const i32 n = *p.count;
  for (i32 k = gone; k + 1 < n; ++k) {
    p.z[k] = p.z[k + 1];
    p.rho[k] = p.rho[k + 1];
  }
  *p.count = n - 1;
}

// The first of the two neighbours that are closest and closer than `merge_cm`; -1 if none are.
SITECAP_FN i32 closest_pair(const Prototypes& p, float merge_cm) {
  const i32 n = *p.count;
  i32 found = -1;
  float least = merge_cm;
  for (i32 k = 0; k + 1 < n; ++k) {
    const float gap = absolute(p.z[k + 1] - p.z[k]);
    if (gap < least) {
      least = gap;
      found = k;
    }
  }
  return found;
}

// One prototype at the mean of `first` and the next, with the weight of both.
SITECAP_FN void join_pair(const Prototypes& p, i32 first) {
  const float a = p.rho[first], b = p.rho[first + 1];
  const float share = a + b > 0.f ? b / (a + b) : 0.5f;
  p.z[first] += share * (p.z[first + 1] - p.z[first]);
  p.rho[first] = a + b;
  remove_prototype(p, first + 1);
}

// The new list: of each prototype its two pieces, or itself; where there is no more room, itself, which is
// counted.
SITECAP_FN void replace_by_pieces(const Prototypes& p) {
  const i32 n = *p.count;
  i32 room = p.capacity - n, at = 0;
  for (i32 k = 0; k < n; ++k) {
    if (p.pieces[k] == 2 && room == 0) {
      ++*p.overflow;
      p.pieces[k] = 1;
    }
    if (p.pieces[k] == 2) {
      --room;
      p.new_z[at] = p.left_z[k];
      p.new_rho[at++] = p.left_rho[k];
      p.new_z[at] = p.right_z[k];
      p.new_rho[at++] = p.right_rho[k];
    } else {
      p.new_z[at] = p.z[k];
      p.new_rho[at++] = p.rho[k];
    }
  }
  for (i32 k = 0; k < at; ++k) {
    p.z[k] = p.new_z[k];
    p.rho[k] = p.new_rho[k];
  }
  *p.count = at;
}

// Of the prototypes with fewer than two tracks of their own (in `pieces`) the one of the least sum of
// probabilities (in `delta`), if that is below `limit`; -1 if there is none.
SITECAP_FN i32 weakest_alone(const Prototypes& p, float limit) {
  i32 found = -1;
  float least = limit;
  for (i32 k = 0; k < *p.count; ++k) {
    if (p.pieces[k] < 2 && p.delta[k] < least) {
      least = p.delta[k];
      found = k;
    }
  }
  return found;
}

}  // namespace sitecap::vertexing
