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

// Pairs of a seed's candidates with the hits of a layer in their windows: candidates of one seed lie close
// together, so that hits are looked up once for all of them, W hits at a time, and each is then tried with W
// candidates at a time. Returns how many there are; those past `limit` are not kept. Arrays of windows and
// hits are read up to W - 1 entries past their ends.
template <class F>
SITECAP_FN i32 find_pairs(const Hits& hits, i32 layer_index, const Windows& w, i32 first_active, i32 count,
                          i32* parent, i32* hit, i32 limit) {
  constexpr int W = width_of<F>;
  constexpr int most = (most_candidates + W - 1) / W * W;
  i32 first = 0;
  while (first < count && w.status[first_active + first] == outside) ++first;
  if (first == count) return 0;
  const float reference = w.phi[first_active + first];
  float phi[most], left[most]{}, right[most]{}, near_end[most]{}, far_end[most]{};
  i32 sought[most];
  for (i32 c = 0; c < count; c += W) {
    const i32 at = first_active + c;
    const F own = reduced_angle(load<F>(w.phi + at) - reference);
    const F reach = load<F>(w.reach + at), along = load<F>(w.along + at), half = load<F>(w.half_along + at);
    const IntOf<F> there = select(lane_numbers<F>() + c < count, all_lanes_int<IntOf<F>>(1), IntOf<F>{});
    const IntOf<F> on = select(load<IntOf<F>>(w.status + at) != outside, there, IntOf<F>{});
    const F none = all_lanes<F>(1e9f);
    store(phi + c, own);
    store(left + c, select(on != 0, own - reach, none));
    store(right + c, select(on != 0, own + reach, -none));
    store(near_end + c, select(on != 0, along - half, none));
    store(far_end + c, select(on != 0, along + half, -none));
    store(sought + c, on);
  }
  float phi_low = left[0], phi_high = right[0], low = near_end[0], high = far_end[0];
  for (i32 c = 1; c < count; ++c) {
    phi_low = min_of(phi_low, left[c]);
    phi_high = max_of(phi_high, right[c]);
    low = min_of(low, near_end[c]);
    high = max_of(high, far_end[c]);
  }
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
      const auto inside_all =
          (place >= low) & (place <= high) & (d >= least) & (d <= largest) & (lane_numbers<F>() + i < end);
      i32 near[W], chosen[W + 1];
      store(near, select(inside_all, all_lanes_int<IntOf<F>>(1), IntOf<F>{}));
      float angle[W];
      store(angle, d);
      i32 some = 0;
      SITECAP_UNROLL
      for (i32 l = 0; l < W; ++l) {
        chosen[some] = l;
        some += near[l];
      }
      for (i32 n = 0; n < some; ++n) {
        const i32 l = chosen[n];
        for (i32 c = 0; c < count; c += W) {
          const i32 at = first_active + c;
          const F along = hits.along[i + l] - load<F>(w.along + at);
          const F across = reduced_angle(angle[l] - load<F>(phi + c)) - load<F>(w.slope + at) * along;
          const IntOf<F> within =
              select(absolute(along) < load<F>(w.half_along + at), load<IntOf<F>>(sought + c), IntOf<F>{});
          i32 taken[W];
          store(taken, select(absolute(across) < load<F>(w.half_phi + at), within, IntOf<F>{}));
          for (i32 k = 0; k < min_of(W, most_candidates); ++k) {
            if (found < limit) {
              parent[found] = c + k;
              hit[found] = i + l;
            }
            found += taken[k];
          }
        }
      }
    }
  }
  return found;
}

}  // namespace sitecap::mkfit
