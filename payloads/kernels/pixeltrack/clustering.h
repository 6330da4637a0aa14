// Digis to clusters: fired pixels that touch by a side or a corner, module by module.
//
// CMSSW spreads the least index over neighbours until nothing changes; here a disjoint-set forest finds the
// same sets in one pass. A cluster is named by its first digi, so neither order nor width of the machine
// shows.
#pragma once
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

SITECAP_FN i32 electrons_of(const Topology& t, i32 adc, bool first_layer) {
  const i32 electrons = first_layer ? t.gain_first * adc + t.pedestal_first : t.gain * adc + t.pedestal;
  return max_of(electrons, t.min_digi_electrons);
}

// Item: a place 0 .. digis. Where each module's digis start.
SITECAP_FN void find_module_start(const Digis& digis, i32 modules, i32 i, i32* module_start) {
  const i32 before = i == 0 ? -1 : digis.module[i - 1];
  const i32 here = i == digis.count ? modules : digis.module[i];
  for (i32 m = before + 1; m <= here; ++m) module_start[m] = i;
}

// Whether two pixels are one, or touch by a side or a corner.
SITECAP_FN bool touch(i32 column, i32 row, i32 other_column, i32 other_row) {
  const u32 columns_apart = static_cast<u32>(column - other_column + 1);
  const u32 rows_apart = static_cast<u32>(row - other_row + 1);
  return (columns_apart <= 2u) & (rows_apart <= 2u);
}

// Into which a module's columns fall.
SITECAP_FN i32 buckets_of(i32 columns) {
  return (columns >> bucket_shift) + 1;
}

SITECAP_FN i32 least_electrons(const Topology& t, bool first_layer) {
  return first_layer ? t.min_cluster_electrons_first : t.min_cluster_electrons;
}

// A cluster as its first digi begins it.
SITECAP_FN void begin_cluster(const Clusters& clusters, i32 c, i32 module, i32 electrons, i32 row,
                              i32 column) {
  clusters.module[c] = module;
  clusters.electrons[c] = electrons;
  clusters.digis[c] = 1;
  clusters.min_row[c] = clusters.max_row[c] = row;
  clusters.min_column[c] = clusters.max_column[c] = column;
  clusters.first_row_electrons[c] = clusters.last_row_electrons[c] = 0;
  clusters.first_column_electrons[c] = clusters.last_column_electrons[c] = 0;
}

// Item: a digi of cluster c, whose extent is known. Its charge counts where it lies at an end: add(sum,
// electrons).
template <class Add>
SITECAP_FN void add_to_ends(const Clusters& clusters, i32 c, i32 row, i32 column, i32 electrons,
                            const Add& add) {
  if (row == clusters.min_row[c]) add(clusters.first_row_electrons + c, electrons);
  if (row == clusters.max_row[c]) add(clusters.last_row_electrons + c, electrons);
  if (column == clusters.min_column[c]) add(clusters.first_column_electrons + c, electrons);
  if (column == clusters.max_column[c]) add(clusters.last_column_electrons + c, electrons);
}

SITECAP_FN i32 root_of(i32* parent, i32 i) {
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}
// Item: a module. Joins its digis and returns how many clusters have charge enough. `bucket` is scratch of
// max_column_buckets + 1.
SITECAP_FN i32 link_module(const Topology& t, const Digis& digis, const i32* module_start,
                           const ClusterWork& work, i32 module, i32 columns, bool first_layer, i32* bucket) {
  const i32 begin = module_start[module], end = module_start[module + 1];
  if (begin == end) return 0;
  const i32 buckets = buckets_of(columns);
  for (i32 b = 0; b <= buckets; ++b) bucket[b] = 0;
  for (i32 i = begin; i < end; ++i) ++bucket[(digis.column[i] >> bucket_shift) + 1];
  for (i32 b = 1, total = begin; b <= buckets; ++b) {
    const i32 count = bucket[b];
    bucket[b - 1] = total;
    total += count;
  }
  for (i32 i = begin; i < end; ++i) {
    const i32 place = bucket[digis.column[i] >> bucket_shift]++;
    work.position[place] = digis.column[i] << 16 | digis.row[i];
    work.order[place] = i;
    work.parent[i] = i;
    work.electrons[i] = 0;
  }
  // bucket[b] is now where b ends; a pixel's neighbours before it lie in its bucket or the one before
  for (i32 place = begin; place < end; ++place) {
    const i32 column = work.position[place] >> 16, row = work.position[place] & 0xffff;
    const i32 b = column >> bucket_shift;
    i32 mine = root_of(work.parent, work.order[place]);
    for (i32 other = b < 2 ? begin : bucket[b - 2]; other < place; ++other) {
      if (!touch(column, row, work.position[other] >> 16, work.position[other] & 0xffff)) continue;
      const i32 root = root_of(work.parent, work.order[other]);
      // the lower of the two roots is the root of both
      if (root < mine) {
        work.parent[mine] = root;
        mine = root;
      } else {
        work.parent[root] = mine;
      }
    }
  }
  for (i32 i = begin; i < end; ++i) {
    const i32 root = root_of(work.parent, i);
    work.parent[i] = root;
    work.electrons[root] += electrons_of(t, digis.adc[i], first_layer);
  }
  const i32 least = least_electrons(t, first_layer);
  i32 found = 0;
  for (i32 i = begin; i < end; ++i) found += (work.parent[i] == i) & (work.electrons[i] >= least);
  return found;
}

// Item: a module, whose clusters take the places from `next` on. `label` becomes the digi's cluster, -1 for
// none.
SITECAP_FN void fill_module(const Topology& t, const Digis& digis, const i32* module_start,
                            const ClusterWork& work, i32 module, bool first_layer, i32 next,
                            const Clusters& clusters, i32* label) {
  const i32 begin = module_start[module], end = module_start[module + 1];
  const i32 least = least_electrons(t, first_layer);
  for (i32 i = begin; i < end; ++i) {
    const i32 root = work.parent[i];
    const i32 row = digis.row[i], column = digis.column[i];
    if (root == i) {
      if (work.electrons[i] < least) {
        label[i] = -1;
        continue;
      }
      const i32 c = next++;
      label[i] = c;
      begin_cluster(clusters, c, module, work.electrons[i], row, column);
      continue;
    }
    const i32 c = label[root];
    label[i] = c;
    if (c < 0) continue;
    ++clusters.digis[c];
    clusters.min_row[c] = min_of(clusters.min_row[c], row);
    clusters.max_row[c] = max_of(clusters.max_row[c], row);
    clusters.min_column[c] = min_of(clusters.min_column[c], column);
    clusters.max_column[c] = max_of(clusters.max_column[c], column);
  }
  for (i32 i = begin; i < end; ++i) {
    const i32 c = label[i];
    if (c < 0) continue;
    const i32 electrons = electrons_of(t, digis.adc[i], first_layer);
    add_to_ends(clusters, c, digis.row[i], digis.column[i], electrons,
                [](i32* sum, i32 more) { *sum += more; });
  }
}

}  // namespace sitecap::pixeltrack
