// CLUE: cells to layer clusters, one stage a function, one work item a call (lanes: W neighbouring items).
//
// M. Rovere et al., "CLUE: a fast parallel clustering algorithm for
// high granularity calorimeters in high-energy physics", Front. Big Data 3 (2020) 591315, with the parameters
// of CMSSW's RecoLocalCalo/HGCalRecProducers. Energies enter densities as integers, so that no order of
// summing shows.
#pragma once
#include "kernels/clue/sheets.h"
#include "sitecap/maths.h"

namespace sitecap::clue {

struct LayerParameters {
  float threshold_sigma;   // cells below this many standard deviations of noise are left out (ecut)
  float kappa;             // a seed's density is at least this many standard deviations of its noise
  float critical_gev;      // if positive, a seed's least density instead
  float outlier_factor;    // search for a denser neighbour within this many deltac
  float units_per_gev;     // of the integers that energies are in densities
  float log_weight_floor;  // W0 of the logarithmic weights of a position
  float position_cm2;      // squared distance from the hottest cell within which cells weigh in a position
};

// Cells of an event, as the events give them.
struct Cells {
  const float *x_cm, *y_cm, *z_cm, *eta, *phi, *energy_gev, *sigma_gev;
  const u8 *plane, *is_silicon;
  i32 count;
};

// What the sort moves of a cell.
struct Placed {
  float u, v;    // units of deltac
  i32 weight;    // energy in integer units
  i32 critical;  // least density of a seed, in half units
};

// Points: cells above threshold, sorted by tile.
struct Points {
  float *u, *v;
  i32 *weight, *critical;
  i32* cell;         // index of the cell
  i32* sheet;        // number of its sheet
  i32* density;      // in half units: energy of all within deltac, its own counted twice
  i32* nearest;      // nearest denser point within the outlier distance; -1 if there is none
  float* distance2;  // squared distance to it, in units of deltac
  i32* follows;      // the point itself for a seed, the nearest denser one, or -1 for an outlier
};

constexpr i32 none = -1;

// Cell i: its coordinates and its tile; `dropped` is the tile of cells below threshold.
SITECAP_FN void place(i32 i, const Cells& cells, const Sheet* sheets, const LayerParameters& p, i32 dropped,
                      Placed* placed, i32* tile) {
  const float energy = cells.energy_gev[i], sigma = cells.sigma_gev[i];
  if (energy < p.threshold_sigma * sigma) {
    tile[i] = dropped;
    return;
  }
  const bool silicon = cells.is_silicon[i] != 0;
  const Sheet& sheet = sheets[sheet_number(cells.plane[i], silicon)];
  const float u = (silicon ? cells.x_cm[i] : absolute(cells.eta[i])) * sheet.to_units;
  const float v = (silicon ? cells.y_cm[i] : cells.phi[i]) * sheet.to_units;
  const float least = p.critical_gev > 0.f ? p.critical_gev : p.kappa * sigma;
  placed[i] = {u, v, static_cast<i32>(energy * p.units_per_gev + 0.5f),
               static_cast<i32>(2.f * least * p.units_per_gev + 0.5f)};
  const i32 row = clamp(row_of(sheet, v), 0, sheet.rows - 1);
  tile[i] = sheet.first_tile + row * sheet.tiles + tile_in_row(sheet, u);
}

// Point k takes its cell's values.
SITECAP_FN void take(i32 k, const Cells& cells, const Placed* placed, const Points& points) {
  const i32 cell = points.cell[k];
  const Placed point = placed[cell];
  points.u[k] = point.u;
  points.v[k] = point.v;
  points.weight[k] = point.weight;
  points.critical[k] = point.critical;
  points.sheet[k] = sheet_number(cells.plane[cell], cells.is_silicon[cell]);
}

// Calls visit(j, shift) for all points near the lanes' points: a superset of those within `reach`. `valid`
// lanes, all of one row of one sheet.
template <class F, class Visit>
SITECAP_FN void visit_near(const Sheet& sheet, const i32* tile_offset, F u, F v, i32 valid, float reach,
                           Visit&& visit) {
  float low_u = lane(u, 0), high_u = low_u, low_v = lane(v, 0), high_v = low_v;
  for (i32 l = 1; l < valid; ++l) {
    low_u = min_of(low_u, lane(u, l));
    high_u = max_of(high_u, lane(u, l));
    low_v = min_of(low_v, lane(v, l));
    high_v = max_of(high_v, lane(v, l));
  }
  const float margin = reach + 1e-3f;  // rounding of u and v
  const i32 first_tile = tile_in_row(sheet, low_u - margin), last_tile = tile_in_row(sheet, high_u + margin);
  const i32 last_row = row_of(sheet, high_v + margin);
  for (i32 row = row_of(sheet, low_v - margin); row <= last_row; ++row) {
    const Range range = points_in(sheet, tile_offset, row, first_tile, last_tile);
    for (i32 j = range.from; j < range.to; ++j) visit(j, range.shift);
  }
}

// Density of points [first, first + valid), all of one row.
template <class F>
SITECAP_FN void density(i32 first, i32 valid, const Sheet& sheet, const i32* tile_offset,
                        const Points& points) {
  using I = IntOf<F>;
  const F u = load<F>(points.u + first), v = load<F>(points.v + first);
  I sum = load<I>(points.weight + first);
  visit_near(sheet, tile_offset, u, v, valid, 1.f, [&](i32 j, float shift) {
    const F du = points.u[j] - u, dv = (points.v[j] + shift) - v;
    sum += select(du * du + dv * dv < 1.f, all_lanes_int<I>(points.weight[j]), I{});
  });
  if (valid == width_of<F>)
    store(points.density + first, sum);
  else
    for (i32 l = 0; l < valid; ++l) points.density[first + l] = lane(sum, l);
}

// Nearest denser point of points [first, first + valid), all of one row. Of equal densities the cell of
// higher index is the denser one; of equally near points the denser one is taken.
template <class F>
SITECAP_FN void nearest_denser(i32 first, i32 valid, const Sheet& sheet, const i32* tile_offset,
                               const LayerParameters& p, const Points& points) {
  using I = IntOf<F>;
  const F u = load<F>(points.u + first), v = load<F>(points.v + first);
  const I own_density = load<I>(points.density + first), own_cell = load<I>(points.cell + first);
  F best = all_lanes<F>(p.outlier_factor * p.outlier_factor);
  I best_point = all_lanes_int<I>(none), best_density = all_lanes_int<I>(none),
    best_cell = all_lanes_int<I>(none);
  visit_near(sheet, tile_offset, u, v, valid, p.outlier_factor, [&](i32 j, float shift) {
    const F du = points.u[j] - u, dv = (points.v[j] + shift) - v;
    const F distance2 = du * du + dv * dv;
    const I density = all_lanes_int<I>(points.density[j]), cell = all_lanes_int<I>(points.cell[j]);
    const auto denser = (density > own_density) | ((density == own_density) & (cell > own_cell));
    const auto preferred = (density > best_density) | ((density == best_density) & (cell > best_cell));
    const auto better = denser & ((distance2 < best) | ((distance2 == best) & preferred));
    best = select(better, distance2, best);
    best_point = select(better, all_lanes_int<I>(j), best_point);
    best_density = select(better, density, best_density);
    best_cell = select(better, cell, best_cell);
  });
  if (valid == width_of<F>) {
    store(points.nearest + first, best_point);
    store(points.distance2 + first, best);
  } else {
    for (i32 l = 0; l < valid; ++l) {
      points.nearest[first + l] = lane(best_point, l);
      points.distance2[first + l] = lane(best, l);
    }
  }
}

// Whether point k is a seed, an outlier, or follows its nearest denser one; is_seed is kept by cell.
SITECAP_FN void decide(i32 k, const Points& points, i32* is_seed) {
  const bool alone = points.nearest[k] == none;
  const bool dense = points.density[k] >= points.critical[k];
  const bool seed = dense && (alone || points.distance2[k] > 1.f);
  points.follows[k] = seed ? k : points.nearest[k];  // an outlier, not dense and alone, follows none
  is_seed[points.cell[k]] = seed ? 1 : 0;
}

// The cluster of point k: that of the seed at the end of its chain, densities rise along it. `seed_number` by
// cell.
SITECAP_FN void label(i32 k, const Points& points, const i32* seed_number, i32* cluster_of_cell) {
  i32 at = k;
  while (at != none && points.follows[at] != at) at = points.follows[at];
  cluster_of_cell[points.cell[k]] = at == none ? none : seed_number[points.cell[at]];
}

// Layer clusters.
struct Clusters {
  float *x_cm, *y_cm, *z_cm, *eta, *phi, *energy_gev;
  i32 *cells, *plane, *seed;  // number of cells; cell that is the seed
};

// Energy and position of cluster c, whose cells are member[0 .. count), in rising order.
SITECAP_FN void measure(i32 c, const i32* member, i32 count, const Cells& cells, const LayerParameters& p,
                        const Clusters& clusters) {
  i32 hottest = member[0];
  float energy = 0.f;
  for (i32 m = 0; m < count; ++m) {
    const i32 cell = member[m];
    energy += cells.energy_gev[cell];
    if (cells.energy_gev[cell] > cells.energy_gev[hottest]) hottest = cell;
  }
  float x = 0.f, y = 0.f, sum = 0.f;
  if (count == 1) {
    x = cells.x_cm[hottest];
    y = cells.y_cm[hottest];
    sum = 1.f;
  } else if (cells.is_silicon[hottest] != 0) {
    const float floor = p.log_weight_floor - logarithm(energy);
    for (i32 m = 0; m < count; ++m) {
      const i32 cell = member[m];
      const float dx = cells.x_cm[cell] - cells.x_cm[hottest], dy = cells.y_cm[cell] - cells.y_cm[hottest];
      if (dx * dx + dy * dy > p.position_cm2) continue;
      const float weight = max_of(floor + logarithm(cells.energy_gev[cell]), 0.f);
      x += cells.x_cm[cell] * weight;
      y += cells.y_cm[cell] * weight;
      sum += weight;
    }
  } else {
    for (i32 m = 0; m < count; ++m) {
      const float weight = cells.energy_gev[member[m]];
      x += cells.x_cm[member[m]] * weight;
      y += cells.y_cm[member[m]] * weight;
      sum += weight;
    }
  }
  const bool weighted = sum > 0.f;  // no cell may hold a share above exp(-W0)
  clusters.x_cm[c] = weighted ? x / sum : cells.x_cm[hottest];
  clusters.y_cm[c] = weighted ? y / sum : cells.y_cm[hottest];
  clusters.z_cm[c] = cells.z_cm[hottest];
  clusters.energy_gev[c] = energy;
  clusters.cells[c] = count;
  clusters.plane[c] = cells.plane[hottest];
}

// Pseudorapidity and azimuth of clusters [c, c + W).
template <class F>
SITECAP_FN void angles(i32 c, const Clusters& clusters) {
  const F x = load<F>(clusters.x_cm + c), y = load<F>(clusters.y_cm + c), z = load<F>(clusters.z_cm + c);
  const F r = larger(square_root(x * x + y * y), all_lanes<F>(1e-3f));
  const F eta = logarithm((absolute(z) + square_root(z * z + r * r)) / r);
  store(clusters.eta + c, select(z < 0.f, -eta, eta));
  store(clusters.phi + c, arc_tangent(y, x));
}

}  // namespace sitecap::clue
