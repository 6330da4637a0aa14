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
  i32 node;     // last hit taken, -1 if none beyond the seed
  float hits;   // with the seed's
  float inner;  // holes with a hit after them
  float tail;   // holes since the last hit
  float chi2;   // of hits beyond the seed
  float spare[3];
};
static_assert(sizeof(Candidate) == 32, "a candidate is a row of eight");

// What becomes of a seed.
struct Progress {
  i32 candidates;         // alive
  i32 side;               // which of the two row buffers holds them
  i32 nodes, most_nodes;  // the next of its tree, and where the tree ends
  Candidate finished;     // the best that had too many holes; hits = 0: none
  float finished_score;
};

// A candidate takes a hit, which is put at `node` of the tree.
SITECAP_FN void add_node(Node* nodes, i32 node, Candidate& candidate, i32 hit, float chi2) {
  nodes[node] = Node{hit, candidate.node};
  candidate.node = node;
  candidate.hits += 1.f;
  candidate.inner += candidate.tail;
  candidate.tail = 0.f;
  candidate.chi2 += chi2;
}

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

// Keeps a candidate that ends with score `ended` where it is the seed's best of these; whether it is.
SITECAP_FN bool keep_ended(Progress& p, const Candidate& candidate, float ended) {
  if (!(ended > 0.5f * no_score && (p.finished.hits == 0.f || ended > p.finished_score))) return false;
  p.finished = candidate;
  p.finished_score = ended;
  return true;
}

// What W candidates would be worth after a layer.
struct Worth {
  float* with_hit;  // less the hit's chi2
  float* without;   // no_score where the candidate ends: it has too many holes
  float* ended;     // its score then, else no_score
};

// Returns those that end, a bit each.
template <class F>
SITECAP_FN u32 judge(const Parameters& parameters, const Candidate* candidates, const i32* slot,
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
  return mask_bits(ends);
}

}  // namespace sitecap::mkfit
