// All stages of the kernel, in the order in which they run:
//
//   place                    cell -> coordinates in units of deltac, tile               (per cell)
//   sort by tile, take                                                                 (per point)
//   density, nearest_denser, decide                                                    (per point)
//   number seeds in the order of cells, label                                          (scan, per point)
//   sort cells by cluster, measure, angles                                             (per cluster)
//   place_cluster, sort by tower and layer, take_cluster                               (per cluster)
//   density_3d, nearest_denser_3d, decide_3d, root_3d                                  (per cluster)
//   number tracksters, sort clusters by trackster, measure_3d                          (scan, per trackster)
#pragma once
#include "kernels/clue/layer_clusters.h"
#include "kernels/clue/tracksters.h"
#include "sitecap/order.h"

namespace sitecap::clue {

// Sorts items by bin, stable, as counting_sort, without a second array of cursors: `offset` has room for bins
// + 2. Items of one bin stay in rising order, so that no result depends on who filled it.
SITECAP_FN void sort_by_bin(const i32* bin, i32 items, i32 bins, i32* offset, i32* order) {
  for (i32 b = 0; b < bins + 2; ++b) offset[b] = 0;
  for (i32 i = 0; i < items; ++i) ++offset[bin[i] + 2];
  for (i32 b = 2; b < bins + 2; ++b) offset[b] += offset[b - 1];
  for (i32 i = 0; i < items; ++i) order[offset[bin[i] + 1]++] = i;
}

}  // namespace sitecap::clue
