// The stages as device entry points: one thread an item, one entry a stage, in the order of stages.h.
//
// How many seeds, clusters and showers there are is known on the device only: entries are launched for as
// many as there can be, and read how many there are.
#include "kernels/pflow/stages.h"
#include "sitecap/primitives.h"

namespace sitecap::pflow {

// Threads of a block that share one topological cluster: most have but a few cells.
SITECAP_CONST i32 share_threads = 32;

// Cells by topological cluster, which has the number of its first cell r, and clusters by that, too.
struct Grouping {
  i32 *bin, *cell_offset, *cell;                           // of each cell; of r; cells in order
  i32 *seed_cell, *cluster_bin;                            // of each cluster: seed, r
  i32 *cluster_offset, *cluster;                           // of r; clusters in order
  i32 *number, *first_cell, *first_slot, *first_fraction;  // of r: those with clusters are groups
  i32* slot_of_cell;                                       // within its group
};

// Where group g of a topological cluster has its fractions of one place.
SITECAP_FN const float* fractions_of(const Group& g, i32 place) {
  return g.fraction + static_cast<i64>(place - g.first_place) * padded(g.cells);
}

}  // namespace sitecap::pflow

using namespace sitecap;
using namespace sitecap::pflow;

extern "C" {

// ---- cells to topological clusters
__global__ void pflow_enter(Cells cells, Channels channels, Topology t) {
  const i32 i = thread_item();
  if (i < cells.count) enter(i, cells, channels, t);
}
__global__ void pflow_look_around(Cells cells, Channels channels, Topology t) {
  const i32 i = thread_item();
  if (i < cells.count) look_around(i, cells, channels, t);
}
__global__ void pflow_join(Cells cells, Topology t) {
  const i32 i = thread_item();
  if (i < cells.count) join(i, t);
}
// `bin` is the cell's topological cluster; cells below threshold have the last. Empties the table by channel.
__global__ void pflow_topology_bin(Cells cells, Topology t, i32* bin) {
  const i32 i = thread_item();
  if (i >= cells.count) return;
  bin[i] = topology_bin(i, t, cells.count);
  leave(i, cells, t);
}
__global__ void pflow_cluster_bins(Count clusters, Grouping w) {
  const i32 c = thread_item();
  if (c < clusters.value()) w.cluster_bin[c] = w.bin[w.seed_cell[c]];
}

// ---- topological clusters with seeds: groups, with a row of slots and rows of fractions each
__global__ void pflow_size_groups(Cells cells, Grouping w) {
  const i32 r = thread_item();
  if (r >= cells.count) return;
  const i32 clusters = w.cluster_offset[r + 1] - w.cluster_offset[r];
  const i32 row = clusters > 0 ? padded(w.cell_offset[r + 1] - w.cell_offset[r]) : 0;
  w.number[r] = clusters > 0 ? 1 : 0;
  w.first_slot[r] = row;
  w.first_fraction[r] = row * clusters;
}
// From here on number, first_slot and first_fraction are scanned.
__global__ void pflow_make_groups(Count count, Cells cells, Channels channels, Options o, Grouping w,
                                  float* fraction, Group* groups) {
  const i32 i = thread_item();
  if (i >= count.value()) return;
  const i32 r = w.first_cell[i];
  Group g = group_of(w.cell_offset[r + 1] - w.cell_offset[r], w.cluster_offset[r + 1] - w.cluster_offset[r],
                     w.cluster_offset[r], cells.channel[r], channels, o);
  g.first_slot = w.first_slot[r];
  g.fraction = fraction + w.first_fraction[r];
  groups[i] = g;
}
// Item = place of a cell in the order of topological clusters.
__global__ void pflow_put_slots(Count count, Cells cells, Channels channels, Grouping w, Slots slots) {
  const i32 k = thread_item();
  if (k >= count.value()) return;
  const i32 cell = w.cell[k], r = w.bin[cell];
  if (w.number[r] == w.number[r + 1]) return;
  const i32 slot = k - w.cell_offset[r];
  put_slot(w.first_slot[r] + slot, cell, cells.channel[r], cells, channels, slots);
  w.slot_of_cell[cell] = slot;
}
// Item = place of a cluster in the order of topological clusters.
__global__ void pflow_start_clusters(Count count, Cells cells, Channels channels, Grouping w,
                                     const Group* groups, Topology t, Slots slots, Places places) {
  const i32 place = thread_item();
  if (place >= count.value()) return;
  const i32 c = w.cluster[place], r = w.cluster_bin[c];
  const Group g = groups[w.number[r]];
  start_cluster(place - g.first_place, w.seed_cell[c], w.slot_of_cell,
                considered(channels.layer[cells.channel[r]]), g, t, slots, places);
}

// ---- sharing: a block a group weighs its cells side by side, then settles its clusters side by side. A
// block has at most share_threads.
__global__ void pflow_share(Count count, const Group* groups, Options o, Slots slots, Places places) {
  __shared__ float moved[share_threads];
  if (static_cast<i32>(blockIdx.x) >= count.value()) return;
  const Group g = groups[blockIdx.x];
  const i32 rank = static_cast<i32>(threadIdx.x), threads = static_cast<i32>(blockDim.x);
  const float allowed2 = allowed_move2(g, o);
  i32 done = 0;
  for (float moved2 = 1e30f; done < o.max_iterations && moved2 > allowed2; ++done) {
    for (i32 k = rank; k < g.cells; k += threads) weigh<float>(g, slots, places, k);
    __syncthreads();
    float own = 0.f;
    for (i32 c = rank; c < g.clusters; c += threads) own = max_of(own, settle<float>(g, slots, places, c));
    moved[rank] = own;
    __syncthreads();
    moved2 = 0.f;
    for (i32 other = 0; other < threads; ++other) moved2 = max_of(moved2, moved[other]);
  }
  for (i32 c = rank; c < g.clusters; c += threads) places.iterations[g.first_place + c] = done;
}
// `counts` starts as 0.
__global__ void pflow_count_shares(Count count, Grouping w, const Group* groups, i32* counts) {
  const i32 place = thread_item();
  if (place >= count.value()) return;
  const i32 c = w.cluster[place];
  const Group g = groups[w.number[w.cluster_bin[c]]];
  counts[c] = count_shares(fractions_of(g, place), g.cells);
}
__global__ void pflow_put_clusters(Count count, Cells cells, Channels channels, Grouping w,
                                   const Group* groups, Slots slots, Places places, Clusters k) {
  const i32 place = thread_item();
  if (place >= count.value()) return;
  const i32 c = w.cluster[place], r = w.cluster_bin[c], channel = cells.channel[r];
  const Group g = groups[w.number[r]];
  k.seed[c] = w.seed_cell[c];
  k.layer[c] = channels.layer[channel];
  put_cluster(c, place, fractions_of(g, place), slots.cell + g.first_slot, g.cells, channel, cells, channels,
              places, k);
}

// ---- showers through all depths
__global__ void pflow_shapes(Count count, Cells cells, Channels channels, float* depth, Clusters k) {
  const i32 c = thread_item();
  if (c >= count.value()) return;
  directions<float>(c, k);
  depth[c] = static_cast<float>(layer_of(k.layer[c]).depth);
  k.parent[c] = none;
  widths(c, cells, channels, k);
}
// Item = cluster, and one more: the first of the hadron calorimeter, whose clusters come last.
__global__ void pflow_find_hcal(Count count, Clusters k, i32* first) {
  const i32 c = thread_item(), clusters = count.value();
  if (c > clusters || (c < clusters && k.layer[c] < ecal_layers)) return;
  if (c == 0 || k.layer[c - 1] < ecal_layers) *first = c;
}
__global__ void pflow_choose_parents(Count count, const i32* first, const float* depth, Options o,
                                     Clusters k) {
  const i32 c = thread_item();
  if (c >= *first && c < count.value()) choose_parent<float>(c, *first, count.value(), depth, o, k);
}
// `is_first` starts as 0.
__global__ void pflow_first_clusters(Count count, Clusters k, i32* is_first) {
  const i32 c = thread_item();
  if (c < count.value()) is_first[c] = k.parent[c] == none ? 1 : 0;
}
__global__ void pflow_number_showers(Count count, Clusters k, const i32* number) {
  const i32 c = thread_item();
  if (c < count.value()) k.shower[c] = number[first_of_shower(c, k)];
}
__global__ void pflow_measure(Count count, const i32* member_offset, const i32* member, Cells cells,
                              Channels channels, Clusters k, Showers showers) {
  const i32 s = thread_item();
  if (s >= count.value()) return;
  const i32 first = member_offset[s];
  measure(s, member + first, member_offset[s + 1] - first, cells, channels, k, showers);
}

// ---- links
__global__ void pflow_sheet_bins(Count count, Showers showers, i32* bin) {
  const i32 s = thread_item();
  if (s < count.value()) bin[s] = phi_bin(showers.phi[s]) + (showers.is_hcal[s] != 0 ? phi_bins : 0);
}
__global__ void pflow_fill_sheets(Count count, Showers showers, Sheet sheet) {
  const i32 j = thread_item();
  if (j >= count.value()) return;
  sheet.eta[j] = showers.eta[sheet.shower[j]];
  sheet.phi[j] = showers.phi[sheet.shower[j]];
}
__global__ void pflow_link(Tracks tracks, i32 to_hcal, Options o, Sheet sheet, float* eta, float* phi,
                           i32* shower, float* distance2) {
  const i32 t = thread_item();
  if (t >= tracks.count) return;
  arrive<float>(t, tracks, to_hcal != 0 ? hcal_front() : ecal_front(), o, eta, phi);
  link<float>(t, eta, phi, to_hcal != 0 ? o.hcal_window : o.ecal_window, sheet, shower, distance2);
}

// ---- candidates
__global__ void pflow_join_blocks(Count count, const i32* track_offset, const i32* track, Links links) {
  const i32 s = thread_item();
  if (s < count.value()) join_block(s, track + track_offset[s], track_offset[s + 1] - track_offset[s], links);
}
__global__ void pflow_join_tracks(Tracks tracks, Links links) {
  const i32 t = thread_item();
  if (t < tracks.count) join_track(t, links);
}
// Tracks by a shower of theirs; those without one come last.
__global__ void pflow_track_bins(Tracks tracks, i32 last, const i32* shower, i32* bin) {
  const i32 t = thread_item();
  if (t < tracks.count) bin[t] = shower[t] == none ? last : shower[t];
}
__global__ void pflow_decide(Count count, const i32* shower_offset, const i32* shower,
                             const i32* track_offset, const i32* track, Showers showers, Tracks tracks,
                             Options o, Links links) {
  const i32 b = thread_item();
  if (b >= count.value()) return;
  links.photon_gev[b] = links.neutral_gev[b] = 0.f;
  if (links.block[b] != b) return;
  decide(b, shower + shower_offset[b], shower_offset[b + 1] - shower_offset[b], track + track_offset[b],
         track_offset[b + 1] - track_offset[b], showers, tracks, o, links);
}
// `photons` and `neutrals` start as 0.
__global__ void pflow_flag_neutrals(Count count, Links links, i32* photons, i32* neutrals) {
  const i32 b = thread_item();
  if (b >= count.value()) return;
  photons[b] = links.photon_gev[b] > 0.f ? 1 : 0;
  neutrals[b] = links.neutral_gev[b] > 0.f ? 1 : 0;
}
// From here on links.kept, photons and neutrals are scanned.
__global__ void pflow_put_charged(Tracks tracks, Links links, Candidates c) {
  const i32 t = thread_item();
  if (t < tracks.count && links.kept[t + 1] > links.kept[t]) put_charged(links.kept[t], t, tracks, links, c);
}
// Photons lie behind charged hadrons, neutral hadrons behind them; `charged` and `photons` end with how many.
__global__ void pflow_put_neutrals(Count count, const i32* charged_count, const i32* photon_count,
                                   const i32* photons, const i32* neutrals, Showers showers, Links links,
                                   Candidates c) {
  const i32 b = thread_item();
  if (b >= count.value()) return;
  if (links.photon_gev[b] > 0.f)
    put_neutral(*charged_count + photons[b], b, photon, links.photon_gev[b], showers, c);
  if (links.neutral_gev[b] > 0.f)
    put_neutral(*charged_count + *photon_count + neutrals[b], b, neutral, links.neutral_gev[b], showers, c);
}

}  // extern "C"
