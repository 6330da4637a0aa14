// Digis to clusters with a thread a digi: the sets and numbers that clustering.h finds module by module.
//
// Threads join trees of digis side by side: a tree's root is its lowest digi, and is hung below a lower one
// by an atomic minimum, which tells what hung there before (after Y. Komura, "GPU-based cluster-labeling
// algorithm without the use of conventional iteration", Computer Physics Communications 194 (2015) 54).
// Whatever comes first, in the end the root is the first digi of the cluster.
#pragma once
#include "kernels/pixeltrack/clustering.h"
#include "sitecap/grid.h"

namespace sitecap::pixeltrack {

struct JoinWork {
  i32* parent;     // [digis] a lower digi of the same cluster, or itself
  i32* first;      // [digis] the first of its cluster
  i32* electrons;  // [digis] of the cluster, at its first digi
};

// Item: a digi. Its bin in order of module and columns; `buckets` a module.
SITECAP_FN i32 bucket_of(i32 module, i32 column, i32 buckets) {
  return module * buckets + (column >> bucket_shift);
}

// Others may be changing it: what is read may be old, but is a digi of the same cluster still.
SITECAP_FN i32 lowest_known(const volatile i32* parent, i32 i) {
  for (i32 next = parent[i]; next != i; next = parent[i]) i = next;
  return i;
}

SITECAP_FN void join(i32* parent, i32 a, i32 b) {
  for (;;) {
    a = lowest_known(parent, a);
    b = lowest_known(parent, b);
    if (a == b) return;
    const i32 low = min_of(a, b), high = max_of(a, b);
    const i32 before = atomicMin(parent + high, low);
    if (before == high) return;
    a = low;  // another thread was first: what `high` hung below belongs to both, too
    b = before;
  }
}

// Item: a place in the order of buckets. Joins its digi with those before it that touch it.
SITECAP_FN void join_neighbours(const Digis& digis, const i32* offset, const i32* order, i32 buckets,
                                i32 place, i32* parent) {
  const i32 i = order[place];
  const i32 column = digis.column[i], row = digis.row[i];
  const i32 bucket = bucket_of(digis.module[i], column, buckets);
  const bool first_bucket = column >> bucket_shift == 0;
  for (i32 other = offset[first_bucket ? bucket : bucket - 1]; other < place; ++other) {
    const i32 j = order[other];
    if (touch(column, row, digis.column[j], digis.row[j])) join(parent, i, j);
  }
}

// Item: a digi. Adds it to the cluster of its first digi, which is there already, if that has charge enough.
SITECAP_FN void add_to_cluster(const Digis& digis, const JoinWork& work, const i32* number, i32 i,
                               const Clusters& clusters, i32* label) {
  const i32 first = work.first[i];
  const i32 c = number[first + 1] > number[first] ? number[first] : -1;
  label[i] = c;
  if (c < 0 || first == i) return;
  atomicAdd(clusters.digis + c, 1);
  atomicMin(clusters.min_row + c, digis.row[i]);
  atomicMax(clusters.max_row + c, digis.row[i]);
  atomicMin(clusters.min_column + c, digis.column[i]);
  atomicMax(clusters.max_column + c, digis.column[i]);
}

}  // namespace sitecap::pixeltrack
