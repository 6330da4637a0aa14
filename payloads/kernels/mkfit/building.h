// The building as a device does it: all seeds of an event side by side, each with room of its own, where
// builder.h has lists of a batch. Seeds are counted in the order of their directions.
#pragma once
#include "kernels/mkfit/choice.h"
#include "kernels/mkfit/stages.h"

namespace sitecap::mkfit {

// How a candidate goes on behind a layer.
struct Way {
  i32 parent;  // the seed's candidate, times the seed: a place among crossed rows and windows
  i32 pair;    // -1: without a hit
  i32 node;    // of the tree, where the hit is put
};

// Arrays of an event by seed, by candidate (`most_candidates` each seed) and by pair (`most_pairs` each);
// rows and candidates have two sides, `side` apart, as a layer makes new ones of old ones.
struct Building {
  const i32* order;      // which seed of the event
  const i32* direction;  // by seed of the event
  const i32* place;      // places by hit of the event
  i32* start;            // place in the plan behind the seed's own layers
  Progress* progress;
  Candidate* candidates;
  float *rows, *crossed, *finished;  // row_floats each
  Node* nodes;                       // most_nodes a seed
  i32 side;
  Windows windows;
  Worth worth;
  i32 *pairs, *pair_parent, *pair_hit;
  float *pair_chi2, *pair_depth, *pair_score;
  Way* ways;
  float* spread;  // cm, of a seed's pairs across the layer

  SITECAP_FN i32 region(i32 seed) const { return direction[order[seed]] / sectors; }
  SITECAP_FN i32 slot(i32 side_number, i32 seed) const { return side_number * side + seed * most_candidates; }
};

struct Tracker {
  const Layer* layers;
  const Plan* plan;
};

// Seed `s` to its first candidate.
SITECAP_FN void begin_seed(const Building& b, const RawSeeds& raw, const u8* hit_layer, const Plan& plan,
                           i32 s) {
  const i32 slot = b.slot(0, s);
  put_seed(raw, b.order[s], b.rows + static_cast<i64>(slot) * row_floats);
  set_heading<float>(b.rows, &slot, 1);
  const i32 hits = seed_hit_count(raw, b.order[s], hit_layer, plan.place[b.region(s)], b.start[s]);
  b.progress[s] = fresh_progress(s * most_nodes);
  b.candidates[slot] = first_candidate(hits);
}

// The layer at a place of the plan of a seed's region.
SITECAP_FN i32 layer_index(const Building& b, const Tracker& tracker, i32 place, i32 s) {
  return tracker.plan->layers[b.region(s)][place];
}

// Whether the seed's best candidate comes near the layer at this place.
SITECAP_FN bool meets_layer(const Building& b, const Tracker& tracker, i32 place, i32 s) {
  const Progress& p = b.progress[s];
  if (place >= tracker.plan->count[b.region(s)] || b.start[s] > place || p.candidates == 0) return false;
  const Layer& layer = tracker.layers[layer_index(b, tracker, place, s)];
  const i32 slot = b.slot(p.side, s);
  return layer.is_disc != 0 ? comes_near<disc, float>(b.rows, &slot, layer, margin_cm)
                            : comes_near<cylinder, float>(b.rows, &slot, layer, margin_cm);
}

// Candidate `c` of the seed to the layer, and what it is worth behind it.
SITECAP_FN void cross(const Building& b, const Parameters& parameters, const Layer& layer, i32 s, i32 c) {
  const Progress& p = b.progress[s];
  if (c >= p.candidates) return;
  const i32 own = s * most_candidates + c, slot = p.side * b.side + own;
  if (layer.is_disc != 0)
    cross_layer<disc, float>(b.rows, &slot, b.crossed, &own, 1, layer, parameters.chi2, b.windows, own);
  else
    cross_layer<cylinder, float>(b.rows, &slot, b.crossed, &own, 1, layer, parameters.chi2, b.windows, own);
  judge<float>(parameters, b.candidates, &slot, b.windows, own, b.worth);
}

// The seed's pairs with hits of the layer. Returns how many there were no room for.
SITECAP_FN i32 search(const Building& b, const Hits& hits, i32 layer_index, i32 s) {
  const i32 first = s * most_pairs;
  const i32 found =
      find_pairs<float>(hits, layer_index, b.windows, s * most_candidates, b.progress[s].candidates,
                        b.pair_parent + first, b.pair_hit + first, most_pairs);
  b.pairs[s] = min_of(found, most_pairs);
  return found - b.pairs[s];
}

SITECAP_FN void try_pair(const Building& b, const Parameters& parameters, const Layer& layer,
                         const float* hit_rows, i32 pair) {
  const i32 *parent = b.pair_parent + pair, *hit = b.pair_hit + pair;
  float depth;
  const float chi2 = layer.is_disc != 0
                         ? compatibility<disc, float>(b.crossed, parent, hit_rows, hit, depth)
                         : compatibility<cylinder, float>(b.crossed, parent, hit_rows, hit, depth);
  b.pair_chi2[pair] = chi2;
  b.pair_depth[pair] = depth;
  b.pair_score[pair] = chi2 < parameters.chi2 ? b.worth.with_hit[*parent] - chi2 : no_score;
}

// The ways on which the seed goes on. Returns how many hits there was no room for in its tree.
SITECAP_FN i32 choose_ways(const Building& b, const Parameters& parameters, i32 s) {
  Progress& p = b.progress[s];
  const i32 first = s * most_candidates, slot = b.slot(p.side, s);
  for (i32 c = 0; c < p.candidates; ++c)
    if (keep_ended(p, b.candidates[slot + c], b.worth.ended[first + c]))
      for (i32 k = 0; k < row_floats; ++k)
        b.finished[s * row_floats + k] = b.rows[static_cast<i64>(slot + c) * row_floats + k];
  const Ways<float> open{s * most_pairs, b.pairs[s], first, p.candidates};
  const Choice<float> choice = choose<float, false>(open, b.pair_score, b.pair_depth, b.worth.without);
  b.spread[s] = choice.spread;
  i32 chosen = 0, over = 0;
  SITECAP_UNROLL
  for (i32 k = 0; k < most_candidates; ++k) {
    if (k >= parameters.candidates || !(choice.score[k] > 0.5f * no_score)) continue;
    const i32 way = choice.way[k], pair = open.first_pair + way;
    const bool with = way < open.pairs, takes = with && p.nodes < p.most_nodes;
    over += with && !takes ? 1 : 0;
    b.ways[first + chosen++] =
        Way{with ? b.pair_parent[pair] : first + way - open.pairs, takes ? pair : -1, p.nodes};
    p.nodes += takes ? 1 : 0;
  }
  p.candidates = chosen;
  p.side = 1 - p.side;
  return over;
}

// The seed's new candidate `c`: with a hit, or as it was.
SITECAP_FN void go_on(const Building& b, const Layer& layer, const float* hit_rows, i32 s, i32 c) {
  const Progress& p = b.progress[s];
  if (c >= p.candidates) return;
  const i32 own = s * most_candidates + c;
  const Way way = b.ways[own];
  const i32 from = (1 - p.side) * b.side + way.parent, to = p.side * b.side + own;
  Candidate candidate = b.candidates[from];
  if (way.pair >= 0) {
    const i32* hit = b.pair_hit + way.pair;
    add_node(b.nodes, way.node, candidate, *hit, b.pair_chi2[way.pair]);
    if (layer.is_disc != 0)
      attach<disc, float>(b.crossed, &way.parent, hit_rows, hit, b.rows, &to, 1);
    else
      attach<cylinder, float>(b.crossed, &way.parent, hit_rows, hit, b.rows, &to, 1);
  } else {
    const i32 status = b.windows.status[way.parent];
    const float* row = status == outside ? b.rows + static_cast<i64>(from) * row_floats
                                         : b.crossed + static_cast<i64>(way.parent) * row_floats;
    for (i32 k = 0; k < row_floats; ++k) b.rows[static_cast<i64>(to) * row_floats + k] = row[k];
    candidate.tail += status == inside ? 1.f : 0.f;
  }
  b.candidates[to] = candidate;
}

// Second hits of the layer for the seed's candidates that have taken one, where its hits lie on both sides.
SITECAP_FN void take_overlaps(const Building& b, const Parameters& parameters, const Layer& layer,
                              const float* hit_rows, i32 s) {
  if (b.pairs[s] <= 1 || !(b.spread[s] >= layer.stagger)) return;
  Progress& p = b.progress[s];
  const i32 first = s * most_pairs;
  const Pairs pairs{b.pair_parent + first, b.pair_hit + first, b.pair_chi2 + first, b.pair_depth + first,
                    b.pairs[s]};
  for (i32 c = 0; c < p.candidates; ++c) {
    const i32 pair = b.ways[s * most_candidates + c].pair, slot = b.slot(p.side, s) + c;
    const i32 hit = pair < 0 ? -1 : overlap_of<float>(pairs, layer.stagger, pair - first, overlap_cut);
    if (hit < 0) continue;
    const float cut = parameters.overlap_chi2;
    const float chi2 = layer.is_disc != 0
                           ? attach_overlap<disc, float>(b.rows, &slot, hit_rows, &hit, cut, 1)
                           : attach_overlap<cylinder, float>(b.rows, &slot, hit_rows, &hit, cut, 1);
    if (chi2 < cut && p.nodes != p.most_nodes) add_node(b.nodes, p.nodes++, b.candidates[slot], hit, chi2);
  }
}

// Arrays of tracks, by seed of the event.
struct Tracks {
  Track* track;
  float* rows;  // row_floats each
  i32* hits;    // most_hits each
};

SITECAP_FN void end_seed(const Building& b, const RawSeeds& raw, const Tracks& tracks, i32 s) {
  const Progress& p = b.progress[s];
  const i32 t = b.order[s], slot = b.slot(p.side, s);
  const Built built = best_of(p, b.candidates + slot, b.rows + static_cast<i64>(slot) * row_floats,
                              b.finished + s * row_floats);
  for (i32 k = 0; k < row_floats; ++k) tracks.rows[static_cast<i64>(t) * row_floats + k] = built.row[k];
  tracks.track[t] = track_of(raw, t, built, b.nodes, b.place, tracks.hits + static_cast<i64>(t) * most_hits);
}

}  // namespace sitecap::mkfit
