// Into the sharing and out of it: cells to slots, clusters to where they start, what they keep.
#pragma once
#include "kernels/pflow/showers.h"

namespace sitecap::pflow {

// A topological cluster whose first cell lies at `channel`; where its fractions and slots begin is left out.
SITECAP_FN Group group_of(i32 cells, i32 clusters, i32 first_place, i32 channel, const Channels& channels,
                          const Options& o) {
  Group g{};
  g.cells = cells;
  g.clusters = clusters;
  g.first_place = first_place;
  g.x_cm = channels.x_cm[channel];
  g.y_cm = channels.y_cm[channel];
  const i32 layer = channels.layer[channel];
  g.inverse_norm = 1.f / layer_of(layer).cell_gev;
  g.inverse_sigma2 = layer < ecal_layers ? o.ecal_inverse_sigma2 : o.hcal_inverse_sigma2;
  return g;
}

// Slot of a cell (none: padding), its place from that of channel `origin`.
SITECAP_FN void put_slot(i32 slot, i32 cell, i32 origin, const Cells& cells, const Channels& channels,
                         const Slots& slots) {
  const i32 channel = cell == none ? origin : cells.channel[cell];
  slots.x_cm[slot] = channels.x_cm[channel] - channels.x_cm[origin];
  slots.y_cm[slot] = channels.y_cm[channel] - channels.y_cm[origin];
  slots.z_cm[slot] = channels.z_cm[channel] - channels.z_cm[origin];
  slots.energy_gev[slot] = cell == none ? 0.f : cells.energy_gev[cell];
  slots.owner[slot] = none;
  slots.cell[slot] = cell;
}

// Cluster c of a group begins as its seed. `slot_of_cell` counts from the group's first slot.
SITECAP_FN void start_cluster(i32 c, i32 seed, const i32* slot_of_cell, i32 neighbours, const Group& g,
                              const Topology& topology, const Slots& slots, const Places& places) {
  const i32 place = g.first_place + c, slot = slot_of_cell[seed];
  places.seed[place] = slot;
  slots.owner[g.first_slot + slot] = c;
  places.x_cm[place] = slots.x_cm[g.first_slot + slot];
  places.y_cm[place] = slots.y_cm[g.first_slot + slot];
  places.z_cm[place] = slots.z_cm[g.first_slot + slot];
  places.energy_gev[place] = slots.energy_gev[g.first_slot + slot];
  for (i32 k = 0; k < partial_sums; ++k) {
    const i32 cell = k < neighbours ? topology.beside[partial_sums * seed + k] : none;
    places.near[partial_sums * place + k] = cell == none ? none : slot_of_cell[cell];
  }
}

SITECAP_FN i32 count_shares(const float* fraction, i32 cells) {
  i32 kept = 0;
  for (i32 k = 0; k < cells; ++k) kept += fraction[k] > least_fraction ? 1 : 0;
  return kept;
}
// Writes cluster c and what it keeps from share_offset[c] on. `origin` is the channel that its place counts
// from.
SITECAP_FN void put_cluster(i32 c, i32 place, const float* fraction, const i32* cell, i32 cells, i32 origin,
                            const Cells& event, const Channels& channels, const Places& places,
                            const Clusters& k) {
  i32 next = k.share_offset[c];
  float energy = 0.f;
  for (i32 s = 0; s < cells; ++s) {
    if (!(fraction[s] > least_fraction)) continue;
    k.share_cell[next] = cell[s];
    k.share_cluster[next] = c;
    k.share_fraction[next++] = fraction[s];
    energy += fraction[s] * event.energy_gev[cell[s]];
  }
  k.energy_gev[c] = energy;
  k.x_cm[c] = channels.x_cm[origin] + places.x_cm[place];
  k.y_cm[c] = channels.y_cm[origin] + places.y_cm[place];
  k.z_cm[c] = channels.z_cm[origin] + places.z_cm[place];
  k.iterations[c] = places.iterations[place];
}

}  // namespace sitecap::pflow
