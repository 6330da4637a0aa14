// Where cells lie: sheets (the silicon or the tiles of one plane), cut into rows and tiles for searches.
//
// Coordinates are in units of the clustering distance: u = x / deltac, v = y / deltac in silicon, u = |eta| /
// deltac, v = phi / deltac in scintillator, where v is periodic. A row is a band of v; its tiles are bands of
// u that lie one after another in memory, so that a search reads one range of points a row.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap::clue {

// One sheet. No result depends on how fine its tiles are.
struct Sheet {
  float to_units;      // 1 / deltac, in 1/cm or 1/rad
  float low_u, low_v;  // corner, in units
  float per_u, per_v;  // tiles and rows a unit
  float period;        // of v in units; 0 if it is not periodic
  i32 rows, tiles;     // rows; tiles in a row
  i32 first_tile;      // number of its first tile among those of all sheets
};

// A sheet of a plane: silicon and scintillator alternate.
SITECAP_FN i32 sheet_number(i32 plane, i32 is_silicon) {
  return 2 * plane + (is_silicon != 0 ? 1 : 0);
}

SITECAP_FN i32 tile_in_row(const Sheet& sheet, float u) {
  return clamp(static_cast<i32>((u - sheet.low_u) * sheet.per_u), 0, sheet.tiles - 1);
}
// Row of v; below 0 or beyond the last where a periodic coordinate leaves its range.
SITECAP_FN i32 row_of(const Sheet& sheet, float v) {
  const float rows = static_cast<float>(sheet.rows);
  const i32 row =
      static_cast<i32>((v - sheet.low_v) * sheet.per_v + rows) - sheet.rows;  // a floor from -rows on
  return sheet.period > 0.f ? row : clamp(row, 0, sheet.rows - 1);
}

// A range of sorted points, and what is added to their v to come near the point that asks.
struct Range {
  i32 from, to;
  float shift;
};
SITECAP_FN Range points_in(const Sheet& sheet, const i32* tile_offset, i32 row, i32 first_tile,
                           i32 last_tile) {
  float shift = 0.f;
  if (row < 0) {
    row += sheet.rows;
    shift = -sheet.period;
  } else if (row >= sheet.rows) {
    row -= sheet.rows;
    shift = sheet.period;
  }
  const i32 row_start = sheet.first_tile + row * sheet.tiles;
  return {tile_offset[row_start + first_tile], tile_offset[row_start + last_tile + 1], shift};
}

}  // namespace sitecap::clue
