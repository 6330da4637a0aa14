// The stages as device entry points: one thread an item, one entry a stage, in the order that stages.h gives.
//
// Numbers of points, clusters and tracksters are known on the device only: entries are launched for as many
// as there can be, and read how many there are.
#include "kernels/clue/stages.h"
#include "sitecap/primitives.h"

using namespace sitecap;
using namespace sitecap::clue;

extern "C" {

__global__ void clue_place(Cells cells, const Sheet* sheets, LayerParameters p, i32 dropped, Placed* placed,
                           i32* tile) {
  const i32 i = thread_item();
  if (i < cells.count) place(i, cells, sheets, p, dropped, placed, tile);
}
__global__ void clue_take(Count points_count, Cells cells, const Placed* placed, Points points) {
  const i32 k = thread_item();
  if (k < points_count.value()) take(k, cells, placed, points);
}
__global__ void clue_density(Count count, const Sheet* sheets, const i32* tile_offset, Points points) {
  const i32 k = thread_item();
  if (k < count.value()) density<float>(k, 1, sheets[points.sheet[k]], tile_offset, points);
}
__global__ void clue_nearest_denser(Count count, const Sheet* sheets, const i32* tile_offset,
                                    LayerParameters p, Points points) {
  const i32 k = thread_item();
  if (k < count.value()) nearest_denser<float>(k, 1, sheets[points.sheet[k]], tile_offset, p, points);
}
// `is_seed` starts as 0.
__global__ void clue_decide(Count count, Points points, i32* is_seed) {
  const i32 k = thread_item();
  if (k < count.value()) decide(k, points, is_seed);
}
// `cluster_of_cell` starts as -1.
__global__ void clue_label(Count count, Points points, const i32* seed_number, i32* cluster_of_cell) {
  const i32 k = thread_item();
  if (k < count.value()) label(k, points, seed_number, cluster_of_cell);
}
// Items of group -1 come last, into bin `last`.
__global__ void clue_bins_of_groups(Count items, i32 last, const i32* group, i32* bin) {
  const i32 i = thread_item();
  if (i < items.value()) bin[i] = group[i] == none ? last : group[i];
}
__global__ void clue_measure(Count count, const i32* member_offset, const i32* member, Cells cells,
                             LayerParameters p, Clusters clusters) {
  const i32 c = thread_item();
  if (c >= count.value()) return;
  measure(c, member + member_offset[c], member_offset[c + 1] - member_offset[c], cells, p, clusters);
  angles<float>(c, clusters);
}

__global__ void clue_place_clusters(Count count, Clusters clusters, TracksterParameters p, i32 dropped,
                                    i32* slot) {
  const i32 c = thread_item();
  if (c < count.value()) place_cluster(c, clusters, p, dropped, slot);
}
__global__ void clue_take_clusters(Count count, Clusters clusters, TracksterParameters p, const i32* slot,
                                   Nodes nodes) {
  const i32 k = thread_item();
  if (k < count.value()) take_cluster(k, clusters, p, slot, nodes);
}
__global__ void clue_density_3d(Count count, const i32* slot_offset, TracksterParameters p, Nodes nodes) {
  const i32 k = thread_item();
  if (k < count.value()) density_3d<float>(k, 1, slot_offset, p, nodes);
}
__global__ void clue_nearest_denser_3d(Count count, const i32* slot_offset, TracksterParameters p,
                                       Nodes nodes) {
  const i32 k = thread_item();
  if (k < count.value()) nearest_denser_3d<float>(k, 1, slot_offset, p, nodes);
}
__global__ void clue_decide_3d(Count count, TracksterParameters p, Nodes nodes) {
  const i32 k = thread_item();
  if (k < count.value()) decide_3d(k, p, nodes);
}
// `root` starts as -1, `size` as 0.
__global__ void clue_root_3d(Count count, Nodes nodes, i32* root, i32* size) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  root_3d(k, nodes, root);
  const i32 seed = root[nodes.cluster[k]];
  if (seed != none) atomicAdd(size + seed, 1);
}
// `kept` starts as 0: only seeds have a size.
__global__ void clue_keep(Count clusters, TracksterParameters p, const i32* size, i32* kept) {
  const i32 c = thread_item();
  if (c < clusters.value()) kept[c] = size[c] >= p.least_clusters ? 1 : 0;
}
__global__ void clue_number_tracksters(Count clusters, TracksterParameters p, const i32* root,
                                       const i32* size, const i32* number, i32* trackster) {
  const i32 c = thread_item();
  if (c >= clusters.value()) return;
  const bool kept = root[c] != none && size[root[c]] >= p.least_clusters;
  trackster[c] = kept ? number[root[c]] : none;
}
__global__ void clue_measure_3d(Count count, const i32* member_offset, const i32* member, Clusters clusters,
                                Tracksters tracksters) {
  const i32 t = thread_item();
  if (t < count.value())
    measure_3d(t, member + member_offset[t], member_offset[t + 1] - member_offset[t], clusters, tracksters);
}

}  // extern "C"
