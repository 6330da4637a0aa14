// The search: hits of a layer in the windows of a seed's candidates.
#pragma once
#include "kernels/mkfit/candidates.h"

namespace sitecap::mkfit {

// Hits of an event as the search wants them: sorted by layer and bin of phi.
struct Hits {
  const float* rows;      // point_floats each
  const float* phi;       // rad
  const float* along;     // cm
  const i32* bin_offset;  // where each bin starts; one more than layers * phi_bins
};

SITECAP_FN i32 phi_bin_unbounded(float phi) {
  return static_cast<i32>((phi + 4.f * pi) * (static_cast<float>(phi_bins) / (2.f * pi)));  // phi > -4 pi
}

// Asks for the first hits that `find_pairs` will look at for a seed.
SITECAP_FN void prefetch_hits(const Hits& hits, i32 layer_index, const Windows& w, i32 first_active) {
  if (w.status[first_active] == outside) return;
  const float low = w.phi[first_active] - w.reach[first_active];
  const i32 first = hits.bin_offset[layer_index * phi_bins + (phi_bin_unbounded(low) & (phi_bins - 1))];
  prefetch(hits.phi + first);
  prefetch(hits.along + first);
}

#if !SITECAP_GPU
// The numbers of the lanes that a mask of five has, packed to the left; in the eighth place how many.
struct PackedLanes {
  alignas(32) i32 number[1 << most_candidates][8];
};
constexpr PackedLanes pack_lanes() {
  PackedLanes packed{};
  for (int bits = 0; bits < 1 << most_candidates; ++bits)
    for (int l = 0; l < most_candidates; ++l)
      if ((bits >> l & 1) != 0) packed.number[bits][packed.number[bits][7]++] = l;
  return packed;
}
inline constexpr PackedLanes packed_lanes = pack_lanes();
#endif
SITECAP_CONST int pair_slack = 8;  // entries past a list of pairs that may be written

// Pairs of a seed's candidates with the hits of a layer in their windows: candidates of one seed lie close
// together, so that hits are looked up once for all of them, W hits at a time, and each is then tried with W
// candidates at a time. `parent` is a place in the list of active candidates. Returns how many there are;
// those past `limit` are not kept, but up to `pair_slack` entries past it are written. Arrays of windows and
// hits are read up to W - 1 entries past their ends.
template <class F>
SITECAP_FN i32 find_pairs(const Hits& hits, i32 layer_index, const Windows& w, i32 first_active, i32 count,
                          i32* parent, i32* hit, i32 limit) {
  constexpr int W = width_of<F>;
  // Candidates take no more lanes than eight: there are five, and their ends are looked for across lanes.
  using C = typename Types<(W > 8 ? 8 : W)>::Float;
  constexpr int lanes = width_of<C>;
  constexpr int groups = (most_candidates + lanes - 1) / lanes;  // of candidates
  i32 first = 0;
  if constexpr (groups == 1) {
    const u32 bits =
        mask_bits((load<IntOf<C>>(w.status + first_active) != outside) & (lane_numbers<C>() < count));
    if (bits == 0) return 0;
    first = lowest_bit(bits);
  } else {
    while (first < count && w.status[first_active + first] == outside) ++first;
    if (first == count) return 0;
  }
  const float reference = w.phi[first_active + first];
  C phi[groups]{}, along[groups]{}, half_along[groups]{}, half_phi[groups]{}, slope[groups]{};
  const C none = all_lanes<C>(1e9f);
  // ends of all windows together, the upper ones with their signs changed
  C left = none, right = none, near_end = none, far_end = none;
  SITECAP_UNROLL
  for (i32 g = 0; g < groups; ++g) {
    if (g > 0 && g * lanes >= count) break;
    const i32 at = first_active + g * lanes;
    phi[g] = reduced_angle(load<C>(w.phi + at) - reference);
    along[g] = load<C>(w.along + at);
    half_phi[g] = load<C>(w.half_phi + at);
    slope[g] = load<C>(w.slope + at);
    const C reach = load<C>(w.reach + at), half = load<C>(w.half_along + at);
    const MaskOf<C> sought =
        (load<IntOf<C>>(w.status + at) != outside) & (lane_numbers<C>() + g * lanes < count);
    half_along[g] = select(sought, half, C{});  // a window of no width has no hits
    left = smaller(left, select(sought, phi[g] - reach, none));
    right = smaller(right, select(sought, -(phi[g] + reach), none));
    near_end = smaller(near_end, select(sought, along[g] - half, none));
    far_end = smaller(far_end, select(sought, -(along[g] + half), none));
  }
  const float phi_low = smallest(left), phi_high = -smallest(right);
  const float low = smallest(near_end), high = -smallest(far_end);
  const i32 first_phi = phi_bin_unbounded(reference + phi_low);
  const i32 width = min_of(phi_bin_unbounded(reference + phi_high) - first_phi + 1, phi_bins);
  const i32 start = first_phi & (phi_bins - 1);
  const i32 straight = min_of(width, phi_bins - start);
  const bool narrow = (phi_low > -3.f) & (phi_high < 3.f);  // else d may lie a turn off
  const float least = narrow ? phi_low : -4.f, largest = narrow ? phi_high : 4.f;
  i32 found = 0;
  for (i32 part = 0; part < (straight < width ? 2 : 1); ++part) {
    const i32 base = layer_index * phi_bins;
    const i32 from = part == 0 ? base + start : base;
    const i32 end = hits.bin_offset[from + (part == 0 ? straight : width - straight)];
    for (i32 i = hits.bin_offset[from]; i < end; i += W) {
      const F d = reduced_angle(load<F>(hits.phi + i) - reference);
      const F place = load<F>(hits.along + i);
      u32 near = mask_bits((place >= low) & (place <= high) & (d >= least) & (d <= largest) &
                           (lane_numbers<F>() + i < end));
      if (near == 0) continue;
      float angle[W];
      store(angle, d);
      for (; near != 0; near &= near - 1) {
        const i32 l = W == 1 ? 0 : lowest_bit(near);
        prefetch(hits.rows + static_cast<i64>(i + l) * point_floats);
        SITECAP_UNROLL
        for (i32 g = 0; g < groups; ++g) {
          if (g > 0 && g * lanes >= count) break;
          const C off = hits.along[i + l] - along[g];
          const C across = reduced_angle(angle[l] - phi[g]) - slope[g] * off;
          const u32 taken = mask_bits((absolute(off) < half_along[g]) & (absolute(across) < half_phi[g]));
          const i32 own = first_active + g * lanes;
#if !SITECAP_GPU
          if constexpr (W > 1) {
            using Eight = Types<8>::Int;
            const i32 to = min_of(found, limit);
            const i32* number = packed_lanes.number[taken];
            store(parent + to, load<Eight>(number) + own);
            store(hit + to, Eight{} + (i + l));
            found += number[7];
            continue;
          }
#endif
          if (taken != 0 && found < limit) {
            parent[found] = own;
            hit[found] = i + l;
          }
          found += static_cast<i32>(taken);
        }
      }
    }
  }
  return found;
}

}  // namespace sitecap::mkfit
