// One numbering for the cells of both calorimeters: where they are, in which layer, which are neighbours.
#pragma once
#include <vector>

#include "host/columns.h"
#include "simulation/calorimeters/towers.h"
#include "simulation/ecal/crystals.h"

namespace sitecap::simulation::calorimeters {

// Channels 0 .. ecal::crystals - 1 are crystals, the cells of HBHE follow.
// Layers: 0 and 1 the crystals of barrel and endcaps, 2 .. 5 HB's depths, 6 .. 12 HE's.
inline constexpr int ecal_layers = 2, layers = ecal_layers + barrel_depths + endcap_depths;

inline int layer_of(const Cell& cell) {
  return ecal_layers + (cell.in_barrel ? 0 : barrel_depths) + cell.depth - 1;
}

// Columns channel_x, _y, _z (cm, middle of a cell, of a crystal's front), channel_eta, channel_phi,
// channel_layer, and channel_neighbours: eight numbers a channel, -1 for none; those across an edge come
// first (towards larger and smaller eta or x, larger and smaller phi or y), then those across a corner.
void put_channels(Columns& columns, const Towers& towers);

}  // namespace sitecap::simulation::calorimeters
