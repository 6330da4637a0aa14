// Candidates of seeds: bookkeeping, score, and the choice of the best at each layer.
#pragma once
#include "kernels/mkfit/crossing.h"

namespace sitecap::mkfit {

SITECAP_CONST int most_candidates = 5;  // of a seed
SITECAP_CONST int most_pairs = 64;      // (candidate, hit) of a seed in one layer
SITECAP_CONST int most_nodes = 512;     // hits that a seed's candidates took, in a tree
SITECAP_CONST int most_hits = 48;       // of a track
SITECAP_CONST int seed_hits = 4;

// 0, 1, 2 ... in the lanes.
template <class F>
SITECAP_FN IntOf<F> lane_numbers() {
  IntOf<F> number{};
  for (int l = 0; l < width_of<F>; ++l) set_lane(number, l, l);
  return number;
}

// A hit that a candidate took, and the one before it.
struct Node {
  i32 hit, before;
};

// A row of eight words, of which W are read at a time.
struct Candidate {
  i32 node;     // last hit taken within its seed's tree, -1 if none beyond the seed
  float hits;   // with the seed's
  float inner;  // holes with a hit after them
  float tail;   // holes since the last hit
  float chi2;   // of hits beyond the seed
  float spare[3];
};
static_assert(sizeof(Candidate) == 32, "a candidate is a row of eight");

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
template <class F>
SITECAP_FN F score_of(F hits, F inner, F tail, F chi2, F inverse_pt) {
  const F bonus = 4.f + 0.2f * hits;
  const auto soft = inverse_pt > 1.f / 0.9f;
  const F each = select(soft, smaller(0.9f * bonus, all_lanes<F>(8.f)), bonus);
  const F penalty = select(soft, all_lanes<F>(8.f * 1.7f), all_lanes<F>(8.f));
  return each * hits - penalty * inner - 3.f * tail - chi2;
}
SITECAP_FN float score_of(const Candidate& c, float inverse_pt) {
  return score_of<float>(c.hits, c.inner, c.tail, c.chi2, inverse_pt);
}

SITECAP_CONST float no_score = -1e30f;  // of a way that is not open

// What W candidates would be worth after a layer.
struct Worth {
  float* with_hit;  // less the hit's chi2
  float* without;   // no_score where the candidate ends: it has too many holes
  float* ended;     // its score then, else no_score
};

// Returns whether one of them ends.
template <class F>
SITECAP_FN bool judge(const Parameters& parameters, const Candidate* candidates, const i32* slot,
                      const Windows& windows, i32 at, const Worth& worth) {
  F row[8];
  load_rows<8>(reinterpret_cast<const float*>(candidates), 8, slot, row);
  const F hits = row[1], inner = row[2], tail = row[3], chi2 = row[4];
  const F inverse_pt = load<F>(windows.inverse_pt + at);
  const F missed = select(load<IntOf<F>>(windows.status + at) == inside, all_lanes<F>(1.f), F{});
  const F holes = tail + missed;
  const auto ends = (missed > 0.f) & ((holes > static_cast<float>(parameters.consecutive_holes)) |
                                      (inner + holes > static_cast<float>(parameters.holes)));
  const F none = all_lanes<F>(no_score);
  const F now = score_of(hits, inner, tail, chi2, inverse_pt);
  store(worth.with_hit + at, score_of(hits + 1.f, inner + tail, F{}, chi2, inverse_pt));
  store(worth.without + at, select(ends, none, now - 3.f * missed));
  store(worth.ended + at, select(ends, now, none));
  return any(ends);
}

// A number that is the greater the greater the score, and equal for equal ones: to compare it is one
// operation. All scores that are not open are alike.
template <class F>
SITECAP_FN IntOf<F> order_of(F score) {
  const IntOf<F> bits = bits_of(score + 0.f);  // no negative zero
  const IntOf<F> key = bits ^ ((bits >> 31) & 0x7fffffff);
  return select(score > 0.5f * no_score, key, all_lanes_int<IntOf<F>>(-0x7fffffff));
}

// Of the ways to go on, with the hits (`with`, `pairs` of them) and without (`without`, `candidates` of them,
// numbered after the hits), the best few, best first, of equals the earlier: writes their numbers into `best`
// (room for `limit` + 1) and returns how many are open. Both are read up to W - 1 entries past their ends.
//
// Some are compared each with each, W at a time and a whole group of W even where it is not full, for the
// sake of loops of known lengths; many, and all at W = 1, by insertion.
template <class F>
SITECAP_FN i32 best_of(const float* with, i32 pairs, const float* without, i32 candidates, i32 limit,
                       i32* best) {
  constexpr int W = width_of<F>;
  if constexpr (W > 1) {
    using I = IntOf<F>;
    constexpr int groups = 24 / W > 0 ? 24 / W : 1, others = (most_candidates + W - 1) / W;
    if (pairs <= groups * W) {
      const I number = lane_numbers<F>();
      const I none = all_lanes_int<I>(-0x7fffffff);
      const i32 used = (pairs + W - 1) / W;  // groups
      i32 key[groups * W], other_key[others * W];
      for (i32 g = 0; g < used; ++g)
        store(key + g * W, select(number + g * W < pairs, order_of(load<F>(with + g * W)), none));
      SITECAP_UNROLL
      for (i32 g = 0; g < others; ++g)
        store(other_key + g * W,
              select(number + g * W < candidates, order_of(load<F>(without + g * W)), none));
      i32 count = 0;
      const auto put = [&](I own, I rank, i32 first) {
        const auto placed = (own != none) & (rank < limit);
        i32 place[W];
        store(place, select(placed, rank, all_lanes_int<I>(limit)));
        count += __builtin_popcount(mask_bits(placed));
        SITECAP_UNROLL
        for (i32 l = 0; l < W; ++l) best[place[l]] = first + l;
      };
      for (i32 g = 0; g < used; ++g) {
        const I own = load<I>(key + g * W);
        I rank{};  // how many are before it: equals too where they come earlier
        for (i32 k = 0; k < g * W; ++k) rank -= key[k] > own - 1;
        SITECAP_UNROLL
        for (i32 k = 0; k < W; ++k) rank -= key[g * W + k] > own + (number > k);
        for (i32 k = (g + 1) * W; k < used * W; ++k) rank -= key[k] > own;
        SITECAP_UNROLL
        for (i32 k = 0; k < most_candidates; ++k) rank -= other_key[k] > own;
        put(own, rank, g * W);
      }
      SITECAP_UNROLL
      for (i32 g = 0; g < others; ++g) {
        const I own = load<I>(other_key + g * W), before = own - 1;
        I rank{};
        for (i32 first = 0; first < used * W; first += W) SITECAP_UNROLL
        for (i32 k = 0; k < W; ++k) rank -= key[first + k] > before;
        SITECAP_UNROLL
        for (i32 k = 0; k < most_candidates; ++k) rank -= other_key[k] > own + (number + g * W > k);
        put(own, rank, pairs + g * W);
      }
      return count;
    }
  }
  i32 chosen = 0;
  float kept[most_candidates + 1];  // scores of the best
  const auto insert = [&](float own, i32 number) {
    if (!(own > 0.5f * no_score) || (chosen == limit && !(own > kept[limit - 1]))) return;
    i32 place = chosen < limit ? chosen++ : limit - 1;
    for (; place > 0 && own > kept[place - 1]; --place) {
      best[place] = best[place - 1];
      kept[place] = kept[place - 1];
    }
    best[place] = number;
    kept[place] = own;
  };
  for (i32 k = 0; k < pairs; ++k) insert(with[k], k);
  for (i32 k = 0; k < candidates; ++k) insert(without[k], pairs + k);
  return chosen;
}

}  // namespace sitecap::mkfit
