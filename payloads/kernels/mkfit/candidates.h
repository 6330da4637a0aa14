// Candidates of seeds: bookkeeping, score, and the choice of the best at each layer.
#pragma once
#include "kernels/mkfit/crossing.h"

namespace sitecap::mkfit {

SITECAP_CONST int most_candidates = 5;  // of a seed
SITECAP_CONST int most_pairs = 64;      // (candidate, hit) of a seed in one layer
SITECAP_CONST int most_nodes = 512;     // hits that a seed's candidates took, in a tree
SITECAP_CONST int most_hits = 48;       // of a track
SITECAP_CONST int seed_hits = 4;

// A hit that a candidate took, and the one before it.
struct Node {
  i32 hit, before;
};

struct Candidate {
  i32 node;    // last hit taken within its seed's tree, -1 if none beyond the seed
  i32 hits;    // with the seed's
  i32 inner;   // holes with a hit after them
  i32 tail;    // holes since the last hit
  float chi2;  // of hits beyond the seed
};

// What becomes of a seed.
struct Progress {
  i32 candidates;  // alive
  i32 side;        // which of the two row buffers holds them
  i32 nodes;       // used of its tree
  i32 first_pair, pairs;
  i32 first_active;    // in the list of active candidates, -1 if it skips this layer
  Candidate finished;  // the best that had too many holes; hits = 0: none
  float finished_score;
};

// mkFit's score (RecoTracker/MkFitCore, standard functions, default scorer; while candidates are sought).
SITECAP_FN float score_of(const Candidate& c, float inverse_pt) {
  float bonus = 4.f + 0.2f * static_cast<float>(c.hits);
  float penalty = 8.f;
  if (inverse_pt > 1.f / 0.9f) {
    penalty = penalty * 1.7f;
    bonus = min_of(0.9f * bonus, 8.f);
  }
  return bonus * static_cast<float>(c.hits) - penalty * static_cast<float>(c.inner) -
         3.f * static_cast<float>(c.tail) - c.chi2;
}

// One way to go on: a candidate with a hit, or without (hit = -1).
struct Choice {
  float score;
  i32 parent;  // among the seed's candidates
  i32 pair;    // -1: no hit
};

SITECAP_FN void keep_best(Choice* best, i32& count, i32 limit, const Choice& choice) {
  if (count == limit && !(choice.score > best[limit - 1].score)) return;
  i32 place = count < limit ? count++ : limit - 1;
  while (place > 0 && choice.score > best[place - 1].score) {
    best[place] = best[place - 1];
    --place;
  }
  best[place] = choice;
}

// Of all ways to go on the best few, and whether a candidate ends here: then it may become the seed's
// finished one. `pair_parent` and `pair_chi2` are the seed's own; returns how many go on. `ended` is the
// candidate that became the finished one in this layer, or -1.
SITECAP_FN i32 choose(const Parameters& parameters, const Candidate* candidates, const float* inverse_pt,
                      i32 count, const i32* status, const i32* pair_parent, const float* pair_chi2, i32 pairs,
                      Progress& seed, Choice* best, i32& ended) {
  i32 chosen = 0;
  ended = -1;
  float with_hit[most_candidates];
  for (i32 c = 0; c < count; ++c) {
    Candidate next = candidates[c];
    next.hits += 1;
    next.inner += next.tail;
    next.tail = 0;
    with_hit[c] = score_of(next, inverse_pt[c]);
  }
  for (i32 p = 0; p < pairs; ++p) {
    if (!(pair_chi2[p] < parameters.chi2)) continue;
    keep_best(best, chosen, parameters.candidates,
              Choice{with_hit[pair_parent[p]] - pair_chi2[p], pair_parent[p], p});
  }
  for (i32 c = 0; c < count; ++c) {
    Candidate next = candidates[c];
    if (status[c] == inside) {
      ++next.tail;
      if (next.tail > parameters.consecutive_holes || next.inner + next.tail > parameters.holes) {
        const float score = score_of(candidates[c], inverse_pt[c]);
        if (seed.finished.hits == 0 || score > seed.finished_score) {
          seed.finished = candidates[c];
          seed.finished_score = score;
          ended = c;
        }
        continue;
      }
    }
    keep_best(best, chosen, parameters.candidates, Choice{score_of(next, inverse_pt[c]), c, -1});
  }
  return chosen;
}

// Hits of an event as the search wants them: sorted by layer, bin of `along`, bin of phi.
struct Hits {
  const float* rows;      // point_floats each
  const float* phi;       // rad
  const float* along;     // cm
  const i32* bin_offset;  // where each bin starts; one more than layers * layer_bins
};

SITECAP_FN i32 phi_bin_unbounded(float phi) {
  return static_cast<i32>((phi + 4.f * pi) * (static_cast<float>(phi_bins) / (2.f * pi)));  // phi > -4 pi
}

// Pairs of a seed's candidates with the hits of a layer in their windows: candidates of one seed lie close
// together, so that bins are looked up once for all of them. Returns how many there are; those past `limit`
// are not kept.
SITECAP_FN i32 find_pairs(const Hits& hits, const Layer& layer, i32 layer_index, const Windows& w,
                          i32 first_active, i32 count, i32* parent, i32* hit, i32 limit) {
  float low = 1e9f, high = -1e9f, phi_low = 1e9f, phi_high = -1e9f;
  float phi[most_candidates] = {}, reach[most_candidates] = {};
  float reference = 0.f;
  bool some = false;
  for (i32 c = 0; c < count; ++c) {
    const i32 at = first_active + c;
    if (w.status[at] == outside) continue;
    if (!some) reference = w.phi[at];
    some = true;
    phi[c] = reduced_angle(w.phi[at] - reference);
    const float slope = w.slope[at] < 0.f ? -w.slope[at] : w.slope[at];
    reach[c] = min_of(w.half_phi[at] + slope * w.half_along[at], pi);
    phi_low = min_of(phi_low, phi[c] - reach[c]);
    phi_high = max_of(phi_high, phi[c] + reach[c]);
    low = min_of(low, w.along[at] - w.half_along[at]);
    high = max_of(high, w.along[at] + w.half_along[at]);
  }
  if (!some) return 0;
  const i32 first_along = along_bin(layer, low), last_along = along_bin(layer, high);
  const i32 first_phi = phi_bin_unbounded(reference + phi_low);
  const i32 width = min_of(phi_bin_unbounded(reference + phi_high) - first_phi + 1, phi_bins);
  const i32 start = first_phi % phi_bins;
  const i32 straight = min_of(width, phi_bins - start);
  const bool narrow = (phi_low > -3.f) & (phi_high < 3.f);  // else d may lie a turn off
  i32 found = 0;
  for (i32 a = first_along; a <= last_along; ++a) {
    const i32 base = layer_index * layer_bins + a * phi_bins;
    for (i32 part = 0; part < 2; ++part) {
      const i32 from = part == 0 ? base + start : base;
      const i32 length = part == 0 ? straight : width - straight;
      const i32 end = hits.bin_offset[from + length];
      for (i32 i = hits.bin_offset[from]; i < end; ++i) {
        const float d = reduced_angle(hits.phi[i] - reference);
        const float place = hits.along[i];
        if ((place < low) | (place > high)) continue;
        if (narrow & ((d < phi_low) | (d > phi_high))) continue;
        for (i32 c = 0; c < count; ++c) {
          const i32 at = first_active + c;
          const float along = place - w.along[at];
          const float across = reduced_angle(d - phi[c]) - w.slope[at] * along;
          const bool good = (w.status[at] != outside) & (absolute(along) < w.half_along[at]) &
                            (absolute(across) < w.half_phi[at]);
          if (found < limit) {
            parent[found] = c;
            hit[found] = i;
          }
          found += good ? 1 : 0;
        }
      }
    }
  }
  return found;
}

}  // namespace sitecap::mkfit
