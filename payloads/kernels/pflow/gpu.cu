// The stages as device entry points: one thread an item, in the order of stages.h. Sorts by bin are count,
// scan, fill and order, so that the order of threads shows nowhere.
#include "kernels/pflow/stages.h"
#include "sitecap/order.h"

using namespace sitecap;
using namespace sitecap::pflow;

#define SITECAP_ITEM (static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x))

extern "C" {

// ---- cells to topological clusters
__global__ void pflow_enter(Cells cells, Channels channels, Topology t) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) enter(i, cells, channels, t);
}
__global__ void pflow_look_around(Cells cells, Channels channels, Topology t) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) look_around(i, cells, channels, t);
}
__global__ void pflow_join(Cells cells, Topology t) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) join(i, t);
}
__global__ void pflow_topology_bin(Cells cells, Topology t, i32* bin) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) bin[i] = topology_bin(i, t, cells.count);
}
__global__ void pflow_leave(Cells cells, Topology t) {
  const i32 i = SITECAP_ITEM;
  if (i < cells.count) leave(i, cells, t);
}
// One thread: a launcher with a sort by blocks may use that instead.
__global__ void pflow_sort(const i32* bin, i32 items, i32 bins, i32* offset, i32* cursor, i32* order) {
  if (SITECAP_ITEM == 0) counting_sort(bin, items, bins, offset, cursor, order);
}
__global__ void pflow_scan(i32 items, i32* counts) {
  if (SITECAP_ITEM == 0) exclusive_scan(counts, items);
}
// `number` is the scan of is_seed.
__global__ void pflow_number_seeds(Cells cells, Topology t, const i32* number, const i32* bin, i32* seed_cell,
                                   i32* cluster_bin) {
  const i32 i = SITECAP_ITEM;
  if (i >= cells.count || t.is_seed[i] == 0) return;
  seed_cell[number[i]] = i;
  cluster_bin[number[i]] = bin[i];
}

// ---- sharing: a thread a slot or a cluster to begin with, one a topological cluster to iterate
__global__ void pflow_put_slots(const Group* groups, i32 group, const i32* order, i32 origin, Cells cells,
                                Channels channels, Slots slots, i32* slot_of_cell) {
  const Group g = groups[group];
  const i32 k = SITECAP_ITEM;
  if (k >= padded(g.cells)) return;
  const i32 cell = k < g.cells ? order[k] : none;
  put_slot(g.first_slot + k, cell, cells.channel[origin], cells, channels, slots);
  if (cell != none) slot_of_cell[cell] = k;
}
__global__ void pflow_start_clusters(const Group* groups, i32 group, const i32* seed_of_place,
                                     const i32* slot_of_cell, i32 neighbours, Topology t, Slots slots,
                                     Places places) {
  const Group g = groups[group];
  const i32 c = SITECAP_ITEM;
  if (c < g.clusters)
    start_cluster(c, seed_of_place[g.first_place + c], slot_of_cell, neighbours, g, t, slots, places);
}
__global__ void pflow_share(i32 count, const Group* groups, Options o, Slots slots, Places places) {
  const i32 i = SITECAP_ITEM;
  if (i < count) share<float>(groups[i], o, slots, places);
}
__global__ void pflow_count_shares(i32 count, const i32* group_of_place, const i32* cluster_of_place,
                                   const Group* groups, i32* counts) {
  const i32 place = SITECAP_ITEM;
  if (place >= count) return;
  const Group g = groups[group_of_place[place]];
  const i64 row = static_cast<i64>(place - g.first_place) * padded(g.cells);
  counts[cluster_of_place[place]] = count_shares(g.fraction + row, g.cells);
}
__global__ void pflow_put_clusters(i32 count, const i32* group_of_place, const i32* cluster_of_place,
                                   const Group* groups, const i32* origin, Cells cells, Channels channels,
                                   Slots slots, Places places, const i32* seed_cell, Clusters k) {
  const i32 place = SITECAP_ITEM;
  if (place >= count) return;
  const i32 c = cluster_of_place[place], group = group_of_place[place],
            channel = cells.channel[origin[group]];
  const Group g = groups[group];
  const i64 row = static_cast<i64>(place - g.first_place) * padded(g.cells);
  k.seed[c] = seed_cell[c];
  k.layer[c] = channels.layer[channel];
  put_cluster(c, place, g.fraction + row, slots.cell + g.first_slot, g.cells, channel, cells, channels,
              places, k);
}

// ---- showers through all depths
__global__ void pflow_shapes(i32 count, Cells cells, Channels channels, float* depth, Clusters k) {
  const i32 c = SITECAP_ITEM;
  if (c >= count) return;
  directions<float>(c, k);
  depth[c] = static_cast<float>(layer_of(k.layer[c]).depth);
  k.parent[c] = none;
  widths(c, cells, channels, k);
}
__global__ void pflow_choose_parents(i32 from, i32 to, const float* depth, Options o, Clusters k) {
  const i32 c = from + SITECAP_ITEM;
  if (c < to) choose_parent<float>(c, from, to, depth, o, k);
}
__global__ void pflow_first_clusters(i32 count, Clusters k, i32* is_first) {
  const i32 c = SITECAP_ITEM;
  if (c < count) is_first[c] = k.parent[c] == none ? 1 : 0;
}
__global__ void pflow_number_showers(i32 count, Clusters k, const i32* number) {
  const i32 c = SITECAP_ITEM;
  if (c < count) k.shower[c] = number[first_of_shower(c, k)];
}
__global__ void pflow_measure(i32 count, const i32* member_offset, const i32* member, Cells cells,
                              Channels channels, Clusters k, Showers showers) {
  const i32 s = SITECAP_ITEM;
  if (s >= count) return;
  const i32 first = member_offset[s];
  measure(s, member + first, member_offset[s + 1] - first, cells, channels, k, showers);
}

// ---- links
__global__ void pflow_sheet_bins(i32 count, Showers showers, i32* bin) {
  const i32 s = SITECAP_ITEM;
  if (s < count) bin[s] = phi_bin(showers.phi[s]) + (showers.is_hcal[s] != 0 ? phi_bins : 0);
}
__global__ void pflow_fill_sheets(i32 count, Showers showers, Sheet sheet) {
  const i32 j = SITECAP_ITEM;
  if (j >= count) return;
  sheet.eta[j] = showers.eta[sheet.shower[j]];
  sheet.phi[j] = showers.phi[sheet.shower[j]];
}
__global__ void pflow_link(Tracks tracks, i32 to_hcal, Options o, Sheet sheet, float* eta, float* phi,
                           i32* shower, float* distance2) {
  const i32 t = SITECAP_ITEM;
  if (t >= tracks.count) return;
  arrive<float>(t, tracks, to_hcal != 0 ? hcal_front() : ecal_front(), o, eta, phi);
  link<float>(t, eta, phi, to_hcal != 0 ? o.hcal_window : o.ecal_window, sheet, shower, distance2);
}

// ---- candidates
__global__ void pflow_join_blocks(i32 count, const i32* track_offset, const i32* track, Links links) {
  const i32 s = SITECAP_ITEM;
  if (s < count) join_block(s, track + track_offset[s], track_offset[s + 1] - track_offset[s], links);
}
__global__ void pflow_join_tracks(Tracks tracks, Links links) {
  const i32 t = SITECAP_ITEM;
  if (t < tracks.count) join_track(t, links);
}
// Items of group -1 come last.
__global__ void pflow_bins_of_groups(i32 items, i32 groups, const i32* group, i32* bin) {
  const i32 i = SITECAP_ITEM;
  if (i < items) bin[i] = group[i] == none ? groups : group[i];
}
__global__ void pflow_decide(i32 count, const i32* shower_offset, const i32* shower, const i32* track_offset,
                             const i32* track, Showers showers, Tracks tracks, Options o, Links links) {
  const i32 b = SITECAP_ITEM;
  if (b >= count) return;
  links.photon_gev[b] = links.neutral_gev[b] = 0.f;
  if (links.block[b] != b) return;
  decide(b, shower + shower_offset[b], shower_offset[b + 1] - shower_offset[b], track + track_offset[b],
         track_offset[b + 1] - track_offset[b], showers, tracks, o, links);
}
__global__ void pflow_flag_neutrals(i32 count, Links links, i32* photons, i32* neutrals) {
  const i32 b = SITECAP_ITEM;
  if (b >= count) return;
  photons[b] = links.photon_gev[b] > 0.f ? 1 : 0;
  neutrals[b] = links.neutral_gev[b] > 0.f ? 1 : 0;
}
// `at` are the scans of links.kept, of the photons and of the neutral hadrons.
__global__ void pflow_put_charged(const i32* at, Tracks tracks, Links links, Candidates c) {
  const i32 t = SITECAP_ITEM;
  if (t < tracks.count && links.kept[t] != 0) put_charged(at[t], t, tracks, links, c);
}
__global__ void pflow_put_neutrals(i32 count, i32 charged_count, i32 photon_count, const i32* photon_at,
                                   const i32* neutral_at, Showers showers, Links links, Candidates c) {
  const i32 b = SITECAP_ITEM;
  if (b >= count) return;
  if (links.photon_gev[b] > 0.f)
    put_neutral(charged_count + photon_at[b], b, photon, links.photon_gev[b], showers, c);
  if (links.neutral_gev[b] > 0.f)
    put_neutral(charged_count + photon_count + neutral_at[b], b, neutral, links.neutral_gev[b], showers, c);
}

}  // extern "C"
