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

}  // namespace sitecap::mkfit
