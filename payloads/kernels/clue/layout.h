// Host: reads and checks the settings and the events once, and lays out the sheets' tiles.
#pragma once
#include <string>
#include <vector>

#include "host/payload.h"
#include "kernels/clue/stages.h"

namespace sitecap::clue {

struct Parameters {
  LayerParameters layer;
  TracksterParameters trackster;
  float deltac_cm, deltac_scintillator;
  bool link;  // whether layer clusters are linked to tracksters
};
// Throws std::invalid_argument where a setting is unknown or out of its range.
Parameters parameters_of(const Settings& settings);

// The events' cells, checked: every index and number is one that the stages can bear.
struct Events {
  Span<const i32> offset;
  Cells cells;  // of all events; count is that of the largest event
  int count = 0;
};
Events events_of(const Columns& columns, const Parameters& parameters);

struct Layout {
  std::vector<Sheet> sheets;  // by sheet_number
  i32 tiles = 0;              // of all sheets
};
Layout lay_out(const Events& events, const Parameters& parameters);

// Cells of one event.
Cells cells_of(const Events& events, int event);

}  // namespace sitecap::clue
