// Crystals to clusters: every crystal follows its largest neighbour up to a local maximum; a maximum above
// the seed's threshold makes a cluster.
#pragma once
#include "kernels/eseeding/options.h"

namespace sitecap::eseeding {

// Numbers of crystals: barrel ring * 360 + sector, then 120 x 120 an endcap.
inline constexpr i32 rings = 170, sectors = 360, side_cells = 120;
inline constexpr i32 barrel_crystals = rings * sectors, endcap_crystals = side_cells * side_cells;
// In memory each region has a border of empty cells; the barrel's border in phi repeats the other end.
inline constexpr i32 barrel_row = sectors + 2, endcap_row = side_cells + 2;
inline constexpr i32 barrel_cells = (rings + 2) * barrel_row, endcap_cells = endcap_row * endcap_row;
inline constexpr i32 cells = barrel_cells + 2 * endcap_cells;
inline constexpr i32 quiet_cell = barrel_row + 1;  // any with eight neighbours in memory

// Crystals of one event as they come.
struct Rechits {
  i32 count;
  const i32* index;
  const float *energy, *x, *y, *z;  // GeV, cm
};

// The detector as a grid: number of the event's crystal in each cell, plus one; 0 where there is none.
struct Grid {
  i32* rechit;
};

// A crystal's way to its cluster; `spare` entries longer than the largest event.
struct Climb {
  i32 *cell, *parent, *root;
  float* level;  // [i + 1]: energy of crystal i, 0 if that is too little to be gathered; [0]: 0
  i32* cluster;  // -1: none
  i32* seeds;    // 1 where a cluster's seed is, then their running number
};

SITECAP_FN bool in_barrel(i32 index) {
  return index < barrel_crystals;
}

SITECAP_FN i32 cell_of(i32 index) {
  if (in_barrel(index)) return (index / sectors + 1) * barrel_row + index % sectors + 1;
  const i32 side = (index - barrel_crystals) / endcap_crystals;
  const i32 cell = (index - barrel_crystals) % endcap_crystals;
  return barrel_cells + side * endcap_cells + (cell / side_cells + 1) * endcap_row + cell % side_cells + 1;
}
// The cell at the other end that stands for the same crystal, or the crystal's own.
SITECAP_FN i32 repeated_cell(i32 index, i32 cell) {
  if (!in_barrel(index)) return cell;
  const i32 sector = index % sectors;
  return sector == 0 ? cell + sectors : (sector == sectors - 1 ? cell - sectors : cell);
}

// Item = crystal.
SITECAP_FN void place_crystal(const Rechits& r, const Options& o, i32 i, const Grid& grid, const Climb& c) {
  const i32 index = r.index[i], cell = cell_of(index);
  const bool gathered = r.energy[i] > (in_barrel(index) ? o.gather_barrel_gev : o.gather_endcap_gev);
  c.cell[i] = cell;
  c.level[i + 1] = gathered ? r.energy[i] : 0.f;
  if (!gathered) return;
  const i32 again = repeated_cell(index, cell);
  grid.rechit[cell] = grid.rechit[again] = i + 1;
}
// Item = crystal: leaves the grid empty again.
SITECAP_FN void lift_crystal(const Rechits& r, i32 i, const Grid& grid, const Climb& c) {
  const i32 again = repeated_cell(r.index[i], c.cell[i]);
  grid.rechit[c.cell[i]] = grid.rechit[again] = 0;
}

// Items = W crystals: the largest of each and its neighbours, of equals the one of lower number.
template <class F>
SITECAP_FN void climb(const Grid& grid, const Climb& c, i32 base) {
  const IntOf<F> cell = load<IntOf<F>>(c.cell + base);
  const IntOf<F> row =
      select(cell < barrel_cells, all_lanes_int<IntOf<F>>(barrel_row), all_lanes_int<IntOf<F>>(endcap_row));
  F best = load<F>(c.level + base + 1);
  const auto gathered = best > 0.f;
  IntOf<F> parent = lane_indices<F>(base + 1);
  SITECAP_UNROLL
  for (i32 k = 0; k < 9; ++k) {
    if (k == 4) continue;
    const IntOf<F> at = cell + row * (k / 3 - 1) + (k % 3 - 1);
    const IntOf<F> other = gather(grid.rechit, at);
    const F energy = gather(c.level, other);
    const MaskOf<F> better = (energy > best) | ((energy == best) & (other < parent) & (energy > 0.f));
    best = select(better, energy, best);
    parent = select(better, other, parent);
  }
  store(c.parent + base, select(gathered, parent - 1, all_lanes_int<IntOf<F>>(-1)));
}

// Item = crystal: the maximum at the end of its way; whether it is itself the seed of a cluster.
SITECAP_FN void find_root(const Rechits& r, const Options& o, i32 i, const Climb& c) {
  i32 root = c.parent[i];
  c.seeds[i] = 0;
  if (root >= 0)
    while (c.parent[root] != root) root = c.parent[root];
  c.root[i] = root;
  if (root != i) return;
  const float energy = r.energy[i];
  bool seed = energy > o.seed_barrel_gev;
  if (!in_barrel(r.index[i])) {
    const float r2 = r.x[i] * r.x[i] + r.y[i] * r.y[i];
    const float et = energy * square_root(r2 / (r2 + r.z[i] * r.z[i]));
    seed = energy > o.seed_endcap_gev && et > o.seed_endcap_et_gev;
  }
  c.seeds[i] = seed ? 1 : 0;
}

// Item = crystal, `seeds` scanned: its cluster; the bin after the last cluster is for those that have none.
SITECAP_FN void name_cluster(const Climb& c, i32 i, i32 clusters, i32* bin) {
  const i32 root = c.root[i];
  const bool has = root >= 0 && c.seeds[root + 1] > c.seeds[root];
  c.cluster[i] = has ? c.seeds[root] : -1;
  bin[i] = has ? c.seeds[root] : clusters;
}

// Members of clusters side by side, and what they weigh in its position.
struct Members {
  i32* rechit;
  i32* cluster;
  float* weight;
};

// Clusters of crystals: energy (GeV), position (cm), direction.
struct Clusters {
  i32* offset;  // its members
  float *energy, *x, *y, *z, *eta, *phi, *et;
};

// Item = cluster: the sum of its energies, in the order of crystals.
SITECAP_FN void sum_cluster(const Rechits& r, const Members& m, const Clusters& c, i32 k) {
  float sum = 0.f;
  for (i32 at = c.offset[k]; at < c.offset[k + 1]; ++at) {
    sum += r.energy[m.rechit[at]];
    m.cluster[at] = k;
  }
  c.energy[k] = sum;
}

// Items = W members: weights by the logarithm of their share (T. Awes et al., NIM A 311 (1992) 130).
template <class F>
SITECAP_FN void weigh_members(const Rechits& r, const Options& o, const Members& m, const Clusters& c,
                              i32 base) {
  const F share =
      gather(r.energy, load<IntOf<F>>(m.rechit + base)) / gather(c.energy, load<IntOf<F>>(m.cluster + base));
  store(m.weight + base, larger(o.log_weight + logarithm(share), all_lanes<F>(0.f)));
}

// Item = cluster: its position, the weighted mean of the fronts of its crystals; by energy where the
// logarithms leave no weight to any of very many equals.
SITECAP_FN void place_cluster(const Rechits& r, const Members& m, const Clusters& c, i32 k) {
  float weight = 0.f, x = 0.f, y = 0.f, z = 0.f;
  for (i32 at = c.offset[k]; at < c.offset[k + 1]; ++at) weight += m.weight[at];
  const bool by_energy = !(weight > 0.f);
  if (by_energy) weight = c.energy[k];
  for (i32 at = c.offset[k]; at < c.offset[k + 1]; ++at) {
    const float w = by_energy ? r.energy[m.rechit[at]] : m.weight[at];
    const i32 i = m.rechit[at];
    x += w * r.x[i];
    y += w * r.y[i];
    z += w * r.z[i];
  }
  c.x[k] = x / weight;
  c.y[k] = y / weight;
  c.z[k] = z / weight;
}

// Items = W clusters.
template <class F>
SITECAP_FN void direct_clusters(const Clusters& c, i32 base) {
  const F x = load<F>(c.x + base), y = load<F>(c.y + base), z = load<F>(c.z + base);
  const F r = square_root(x * x + y * y);
  store(c.eta + base, pseudorapidity(z, r));
  store(c.phi + base, arc_tangent(y, x));
  store(c.et + base, load<F>(c.energy + base) * (r / square_root(r * r + z * z)));
}

}  // namespace sitecap::eseeding
