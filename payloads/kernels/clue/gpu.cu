// The stages as device entry points: one thread an item, one entry a stage, in the order that stages.h gives.
//
// Sorting by bin is count, scan, fill in any order, then order_bins, so that the order of threads shows
// nowhere.
#include "kernels/clue/stages.h"

using namespace sitecap;
using namespace sitecap::clue;

#define SITECAP_ITEM (static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x))

extern "C" __global__ void clue_place(Cells cells, const Sheet* sheets, LayerParameters p, i32 dropped,
                                      Placed* placed, i32* tile) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) place(i, cells, sheets, p, dropped, placed, tile);
}

extern "C" __global__ void clue_count(i32 items, const i32* bin, i32* offset) {
  const i32 i = SITECAP_ITEM;
  if (i < items) atomicAdd(offset + bin[i], 1);
}
// One thread: a launcher with a scan by blocks may use that instead.
extern "C" __global__ void clue_scan(i32 items, i32* counts) {
  if (SITECAP_ITEM == 0) exclusive_scan(counts, items);
}
// `cursor` starts as a copy of the offsets.
extern "C" __global__ void clue_fill(i32 items, const i32* bin, i32* cursor, i32* order) {
  const i32 i = SITECAP_ITEM;
  if (i < items) order[atomicAdd(cursor + bin[i], 1)] = i;
}
extern "C" __global__ void clue_order_bins(i32 bins, const i32* offset, i32* order) {
  const i32 b = SITECAP_ITEM;
  if (b < bins) order_bin(b, offset, order);
}
// Items of group -1 come last.
extern "C" __global__ void clue_bins_of_groups(i32 items, i32 groups, const i32* group, i32* bin) {
  const i32 i = SITECAP_ITEM;
  if (i < items) bin[i] = group[i] == none ? groups : group[i];
}

extern "C" __global__ void clue_take(i32 points_count, Cells cells, const Placed* placed, Points points) {
  const i32 k = SITECAP_ITEM;
  if (k < points_count) take(k, cells, placed, points);
}
extern "C" __global__ void clue_density(i32 count, const Sheet* sheets, const i32* tile_offset,
                                        Points points) {
  const i32 k = SITECAP_ITEM;
  if (k < count) density<float>(k, 1, sheets[points.sheet[k]], tile_offset, points);
}
extern "C" __global__ void clue_nearest_denser(i32 count, const Sheet* sheets, const i32* tile_offset,
                                               LayerParameters p, Points points) {
  const i32 k = SITECAP_ITEM;
  if (k < count) nearest_denser<float>(k, 1, sheets[points.sheet[k]], tile_offset, p, points);
}
extern "C" __global__ void clue_decide(i32 count, Points points, i32* is_seed) {
  const i32 k = SITECAP_ITEM;
  if (k < count) decide(k, points, is_seed);
}
extern "C" __global__ void clue_label(i32 count, Points points, const i32* seed_number, i32* cluster_of_cell,
                                      i32* seed_of_cluster) {
  const i32 k = SITECAP_ITEM;
  if (k >= count) return;
  label(k, points, seed_number, cluster_of_cell);
  if (points.follows[k] == k) seed_of_cluster[seed_number[points.cell[k]]] = points.cell[k];
}
extern "C" __global__ void clue_measure(i32 count, const i32* member_offset, const i32* member, Cells cells,
                                        LayerParameters p, Clusters clusters) {
  const i32 c = SITECAP_ITEM;
  if (c >= count) return;
  measure(c, member + member_offset[c], member_offset[c + 1] - member_offset[c], cells, p, clusters);
  angles<float>(c, clusters);
}

extern "C" __global__ void clue_place_clusters(i32 count, Clusters clusters, TracksterParameters p,
                                               i32 dropped, i32* slot) {
  const i32 c = SITECAP_ITEM;
  if (c < count) place_cluster(c, clusters, p, dropped, slot);
}
extern "C" __global__ void clue_take_clusters(i32 count, Clusters clusters, TracksterParameters p,
                                              const i32* slot, Nodes nodes) {
  const i32 k = SITECAP_ITEM;
  if (k < count) take_cluster(k, clusters, p, slot, nodes);
}
extern "C" __global__ void clue_density_3d(i32 count, const i32* slot_offset, TracksterParameters p,
                                           Nodes nodes) {
  const i32 k = SITECAP_ITEM;
  if (k < count) density_3d<float>(k, 1, slot_offset, p, nodes);
}
extern "C" __global__ void clue_nearest_denser_3d(i32 count, const i32* slot_offset, TracksterParameters p,
                                                  Nodes nodes) {
  const i32 k = SITECAP_ITEM;
  if (k < count) nearest_denser_3d<float>(k, 1, slot_offset, p, nodes);
}
extern "C" __global__ void clue_decide_3d(i32 count, TracksterParameters p, Nodes nodes) {
  const i32 k = SITECAP_ITEM;
  if (k < count) decide_3d(k, p, nodes);
}
// `root` starts as -1, `size` as 0.
extern "C" __global__ void clue_root_3d(i32 count, Nodes nodes, i32* root, i32* size) {
  const i32 k = SITECAP_ITEM;
  if (k >= count) return;
  root_3d(k, nodes, root);
  const i32 seed = root[nodes.cluster[k]];
  if (seed != none) atomicAdd(size + seed, 1);
}
extern "C" __global__ void clue_keep(i32 clusters, TracksterParameters p, const i32* size, i32* kept) {
  const i32 c = SITECAP_ITEM;
  if (c < clusters) kept[c] = size[c] >= p.least_clusters ? 1 : 0;
}
extern "C" __global__ void clue_number_tracksters(i32 clusters, TracksterParameters p, const i32* root,
                                                  const i32* size, const i32* number, i32* trackster,
                                                  i32* seed_of_trackster) {
  const i32 c = SITECAP_ITEM;
  if (c >= clusters) return;
  const bool kept = root[c] != none && size[root[c]] >= p.least_clusters;
  trackster[c] = kept ? number[root[c]] : none;
  if (kept && root[c] == c) seed_of_trackster[number[c]] = c;
}
extern "C" __global__ void clue_measure_3d(i32 count, const i32* member_offset, const i32* member,
                                           Clusters clusters, Tracksters tracksters) {
  const i32 t = SITECAP_ITEM;
  if (t < count)
    measure_3d(t, member + member_offset[t], member_offset[t + 1] - member_offset[t], clusters, tracksters);
}
