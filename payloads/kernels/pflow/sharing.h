// Clusters of one topological cluster share its cells by Gaussian weights until they stay where they are.
//
// CMSSW, Basic2DGenericPFlowClusterizer and Basic2DGenericPFlowPositionCalc. Lanes run over the cells. Sums
// over cells are eight partial sums, cell k to the (k mod 8)th, added in one fixed order: the same at one,
// four and eight lanes.
#pragma once
#include "kernels/pflow/topology.h"
#include "sitecap/maths.h"

namespace sitecap::pflow {

SITECAP_CONST i32 partial_sums = 8;
SITECAP_CONST float least_total = 1e-20f, least_fraction = 1e-7f, least_in_position = 1e-9f;
SITECAP_CONST float farthest2 = 100.f, own_fraction = 0.9999f;  // in units of sigma^2; CMSSW
// Beyond this a weight is less than least_total for any energy below 10^6 norms.
SITECAP_CONST float no_weight2 = 130.f;

SITECAP_FN i32 padded(i32 cells) {
  return (cells + partial_sums - 1) / partial_sums * partial_sums;
}

// Cells by topological cluster, each of these padded to a multiple of eight by cells without energy.
struct Slots {
  float *x_cm, *y_cm, *z_cm;  // from the first cell of the topological cluster
  float* energy_gev;
  i32* owner;            // place of the cluster whose seed it is within the topological cluster, none
  i32* cell;             // none for padding
  float* inverse_total;  // of the clusters' weights; 0 if they are next to nothing
};
// Clusters while they share, by topological cluster.
struct Places {
  float *x_cm, *y_cm, *z_cm;  // as those of Slots
  float* energy_gev;
  i32* seed;  // slot within the topological cluster
  i32* near;  // eight a cluster: slots of cells beside the seed, none
  i32* iterations;
};
// One topological cluster.
struct Group {
  i32 first_slot, cells;  // real ones
  i32 first_place, clusters;
  float x_cm, y_cm;      // its first cell
  float inverse_norm;    // 1/GeV
  float inverse_sigma2;  // 1/cm2
  float* fraction;       // [cluster][padded cell]
};

SITECAP_FN float sum_of_eight(const float* s) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
template <class F>
SITECAP_FN float sum_of(const F* partial) {
  float s[partial_sums];
  for (i32 g = 0; g < partial_sums / width_of<F>; ++g) store(s + g * width_of<F>, partial[g]);
  return sum_of_eight(s);
}

template <class F>
SITECAP_FN F distance2(const Group& g, const Slots& slots, const Places& places, i32 slot, i32 place) {
  const F dx = load<F>(slots.x_cm + slot) - places.x_cm[place];
  const F dy = load<F>(slots.y_cm + slot) - places.y_cm[place];
  const F dz = load<F>(slots.z_cm + slot) - places.z_cm[place];
  return (dx * dx + dy * dy + dz * dz) * g.inverse_sigma2;
}

// Weights of all clusters for the cells of one vector, negative beyond the farthest, and the inverse of their
// sum.
template <class F>
SITECAP_FN void weigh(const Group& g, const Slots& slots, const Places& places, i32 k) {
  const i32 slot = g.first_slot + k, row = padded(g.cells);
  const IntOf<F> owner = load<IntOf<F>>(slots.owner + slot);
  const auto free = owner == none;
  F total = all_lanes<F>(0.f);
  for (i32 c = 0; c < g.clusters; ++c) {
    const F d2 = distance2<F>(g, slots, places, slot, g.first_place + c);
    F weight = select(owner == c, all_lanes<F>(1.f), all_lanes<F>(0.f));
    const auto counts = free & (d2 < no_weight2);
    if (any(counts)) {
      const float scale = places.energy_gev[g.first_place + c] * g.inverse_norm;
      weight = select(counts, scale * exponential(-0.5f * d2), weight);
    }
    store(g.fraction + static_cast<i64>(c) * row + k, select(d2 < farthest2, weight, -weight));
    total += weight;
  }
  const auto shared = total > least_total;
  const F inverse = 1.f / select(shared, total, all_lanes<F>(1.f));
  store(slots.inverse_total + slot, select(shared, inverse, all_lanes<F>(0.f)));
}

// Weights of cluster c become fractions; beyond the farthest only a cell that is all its own stays. Returns
// its energy.
template <class F>
SITECAP_FN float normalise(const Group& g, const Slots& slots, i32 c) {
  constexpr i32 W = width_of<F>;
  float* fraction = g.fraction + static_cast<i64>(c) * padded(g.cells);
  F energy[partial_sums / W] = {};
  for (i32 block = 0; block < g.cells; block += partial_sums) {
    SITECAP_UNROLL
    for (i32 part = 0; part < partial_sums / W; ++part) {
      const i32 k = block + part * W;
      if (k >= g.cells) break;
      const i32 slot = g.first_slot + k;
      const F weight = load<F>(fraction + k);
      F f = absolute(weight) * load<F>(slots.inverse_total + slot);
      f = select((weight > 0.f) | (f > own_fraction), f, all_lanes<F>(0.f));
      store(fraction + k, f);
      energy[part] += f * load<F>(slots.energy_gev + slot);
    }
  }
  return sum_of(energy);
}

// Weight of cells in a position: the logarithm of their energies in units of the norm, where positive.
template <class F>
SITECAP_FN F position_weight(F fraction, F energy, float inverse_norm) {
  const F held = larger(fraction * energy * inverse_norm, all_lanes<F>(1e-30f));
  const F weight = larger(logarithm(held), all_lanes<F>(0.f));
  return select(fraction >= least_in_position, weight, all_lanes<F>(0.f));
}

// Sums of weights and weighted places.
template <class F>
struct Moments {
  F one[partial_sums / width_of<F>] = {}, x[partial_sums / width_of<F>] = {},
                       y[partial_sums / width_of<F>] = {}, z[partial_sums / width_of<F>] = {};
  SITECAP_FN void add(i32 part, F weight, F px, F py, F pz) {
    one[part] += weight;
    x[part] += weight * px;
    y[part] += weight * py;
    z[part] += weight * pz;
  }
};

// Moves cluster c to the mean of its cells: all of them if it is alone, else its seed and those beside it.
// Places count from the seed, so that a cluster of its seed alone does not move by a rounding.
// Returns the square of the angle, in radians, that it moved by at most.
template <class F>
SITECAP_FN float move(const Group& g, const Slots& slots, const Places& places, i32 c) {
  constexpr i32 W = width_of<F>;
  const float* fraction = g.fraction + static_cast<i64>(c) * padded(g.cells);
  const i32 place = g.first_place + c;
  const i32 seed = places.seed[place], home = g.first_slot + seed;
  const float seed_x = slots.x_cm[home], seed_y = slots.y_cm[home], seed_z = slots.z_cm[home];
  Moments<F> sums;
  float one = 0.f;
  if (g.clusters == 1) {
    for (i32 block = 0; block < g.cells; block += partial_sums) {
      SITECAP_UNROLL
      for (i32 part = 0; part < partial_sums / W; ++part) {
        const i32 k = block + part * W, slot = g.first_slot + k;
        if (k >= g.cells) break;
        const F weight =
            position_weight(load<F>(fraction + k), load<F>(slots.energy_gev + slot), g.inverse_norm);
        sums.add(part, weight, load<F>(slots.x_cm + slot) - seed_x, load<F>(slots.y_cm + slot) - seed_y,
                 load<F>(slots.z_cm + slot) - seed_z);
      }
    }
  } else {
    one = position_weight(fraction[seed], slots.energy_gev[home], g.inverse_norm);
    SITECAP_UNROLL
    for (i32 part = 0; part < partial_sums / W; ++part) {
      using I = IntOf<F>;
      const I near = load<I>(places.near + partial_sums * place + part * W);
      const I k = select(near == none, all_lanes_int<I>(seed), near);
      const F weight = select(
          near == none, all_lanes<F>(0.f),
          position_weight(gather(fraction, k), gather(slots.energy_gev + g.first_slot, k), g.inverse_norm));
      sums.add(part, weight, gather(slots.x_cm + g.first_slot, k) - seed_x,
               gather(slots.y_cm + g.first_slot, k) - seed_y, gather(slots.z_cm + g.first_slot, k) - seed_z);
    }
  }
  one += sum_of(sums.one);
  if (!(one >= 1e-9f)) return 0.f;
  const float new_x = seed_x + sum_of(sums.x) / one, new_y = seed_y + sum_of(sums.y) / one,
              new_z = seed_z + sum_of(sums.z) / one;
  const float dx = new_x - places.x_cm[place], dy = new_y - places.y_cm[place],
              dz = new_z - places.z_cm[place];
  places.x_cm[place] = new_x;
  places.y_cm[place] = new_y;
  places.z_cm[place] = new_z;
  const float rx = g.x_cm + new_x, ry = g.y_cm + new_y;
  return (dx * dx + dy * dy + dz * dz) / (rx * rx + ry * ry);
}

// One cluster once all weights are known: what it holds, and where that moves it. Returns the square of how
// far. No other cluster looks at this one's energy and place before the next iteration.
template <class F>
SITECAP_FN float settle(const Group& g, const Slots& slots, const Places& places, i32 c) {
  const float energy = normalise<F>(g, slots, c);
  const float moved2 = move<F>(g, slots, places, c);
  places.energy_gev[g.first_place + c] = energy;
  return moved2;
}

// Square of how far clusters of a topological cluster may still move: by the tolerance times the square of
// their number less one.
SITECAP_FN float allowed_move2(const Group& g, const Options& o) {
  const float others = static_cast<float>(max_of(1, g.clusters - 1));
  const float allowed = o.tolerance * others * others;
  return allowed * allowed;
}

// Iterates one topological cluster until no cluster of it moves by more than that.
template <class F>
SITECAP_FN void share(const Group& g, const Options& o, const Slots& slots, const Places& places) {
  const float allowed2 = allowed_move2(g, o);
  i32 done = 0;
  for (float moved2 = 1e30f; done < o.max_iterations && moved2 > allowed2; ++done) {
    for (i32 k = 0; k < g.cells; k += width_of<F>) weigh<F>(g, slots, places, k);
    moved2 = 0.f;
    for (i32 c = 0; c < g.clusters; ++c) moved2 = max_of(moved2, settle<F>(g, slots, places, c));
  }
  for (i32 c = 0; c < g.clusters; ++c) places.iterations[g.first_place + c] = done;
}

}  // namespace sitecap::pflow
