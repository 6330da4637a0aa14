// The choice of the best ways to go on at a layer, of W seeds at a time: one a lane.
#pragma once
#include "kernels/mkfit/candidates.h"

namespace sitecap::mkfit {

// The ways of seeds: with a hit, `pairs` of them from `first_pair` on, and without, `candidates` of them from
// `first_candidate` on. A way's number in its seed counts the pairs, then the candidates.
template <class F>
struct Ways {
  IntOf<F> first_pair, pairs, first_candidate, candidates;
};

// The best ways, best first, of equals the earlier; `score` is no_score where there are no more. `spread`,
// cm: how far apart the hits of all pairs lie across the layer, below 0 without pairs.
template <class F>
struct Choice {
  F score[most_candidates];
  IntOf<F> way[most_candidates];
  F spread;

  // Puts one way into its place in each lane: a jump would be guessed wrongly in one of them.
  SITECAP_FN void insert(F own, IntOf<F> number) {
    own = select(own > 0.5f * no_score, own, all_lanes<F>(no_score));
    SITECAP_UNROLL
    for (i32 k = 0; k < most_candidates; ++k) {
      const MaskOf<F> before = own > score[k];
      const F worse = select(before, score[k], own);
      const IntOf<F> its_number = select(before, way[k], number);
      score[k] = select(before, own, score[k]);
      way[k] = select(before, number, way[k]);
      own = worse;
      number = its_number;
    }
  }
};

// One seed: most ways end before the first comparison.
SITECAP_FN void insert_one(Choice<float>& choice, float own, i32 number) {
  i32 place = most_candidates - 1;
  if (!(own > choice.score[place]) || !(own > 0.5f * no_score)) return;
  for (; place > 0 && own > choice.score[place - 1]; --place) {
    choice.way[place] = choice.way[place - 1];
    choice.score[place] = choice.score[place - 1];
  }
  choice.way[place] = number;
  choice.score[place] = own;
}

// `jumps`: whether one seed's ways end early where they can; a GPU would keep the choice in memory for that.
// `with`, `depth`: of pairs, read up to most_pairs + 3 entries past a seed's last; `without`: of candidates,
// up to 7.
template <class F, bool jumps = true>
SITECAP_FN Choice<F> choose(const Ways<F>& ways, const float* with, const float* depth,
                            const float* without) {
  constexpr int W = width_of<F>;
  Choice<F> choice;
  SITECAP_UNROLL
  for (i32 k = 0; k < most_candidates; ++k) {
    choice.score[k] = all_lanes<F>(no_score);
    choice.way[k] = IntOf<F>{};
  }
  const F far = all_lanes<F>(1e9f);
  F low = far, high = -far;
  if constexpr (W == 1) {
    const auto insert = [&choice](float own, i32 number) {
      if constexpr (jumps)
        insert_one(choice, own, number);
      else
        choice.insert(own, number);
    };
    for (i32 k = 0; k < ways.pairs; ++k) {
      insert(with[ways.first_pair + k], k);
      low = smaller(low, depth[ways.first_pair + k]);
      high = larger(high, depth[ways.first_pair + k]);
    }
    for (i32 k = 0; k < ways.candidates; ++k) insert(without[ways.first_candidate + k], ways.pairs + k);
  } else {
    i32 first[W], first_candidate[W], pairs[W];
    store(first, ways.first_pair);
    store(first_candidate, ways.first_candidate);
    store(pairs, ways.pairs);
    i32 most = 0;
    for (i32 l = 0; l < W; ++l) most = max_of(most, pairs[l]);
    constexpr int quad = 4;
    F own[2 * quad], place[quad];
    for (i32 k = 0; k < most; k += quad) {
      load_rows<quad>(with + k, 1, first, own);
      load_rows<quad>(depth + k, 1, first, place);
      SITECAP_UNROLL
      for (i32 j = 0; j < quad; ++j) {
        const MaskOf<F> there = ways.pairs > k + j;
        choice.insert(select(there, own[j], all_lanes<F>(no_score)), all_lanes_int<IntOf<F>>(k + j));
        low = smaller(low, select(there, place[j], far));
        high = larger(high, select(there, place[j], -far));
      }
    }
    load_rows<2 * quad>(without, 1, first_candidate, own);
    SITECAP_UNROLL
    for (i32 k = 0; k < most_candidates; ++k)
      choice.insert(select(ways.candidates > k, own[k], all_lanes<F>(no_score)), ways.pairs + k);
  }
  choice.spread = high - low;
  return choice;
}

}  // namespace sitecap::mkfit
