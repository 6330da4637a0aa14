// A batch of seeds through the layers of its region, W candidates at a time. Host only.
#pragma once
#include "kernels/mkfit/events.h"

namespace sitecap::mkfit {

inline constexpr i32 batch_seeds = 32;  // as mkFit: what they hold stays in a core's first two caches
inline constexpr i32 batch_slots = batch_seeds * most_candidates;
inline constexpr i32 batch_pairs = batch_seeds * most_pairs;

// What a seed ends as.
struct Built {
  Candidate best;
  float score;
};

template <int W>
class Builder {
  using F = typename Types<W>::Float;

 public:
  i64 overflows = 0;  // pairs and hits past the limits of a seed: not considered

  std::size_t bytes() const {
    return sizeof(*this) + (rows_.size() + crossed_.size() + finished_.size()) * 4;
  }

  // Where the state of a seed is put before `begin`.
  float* seed_row(i32 seed) { return rows_.data() + seed * most_candidates * row_floats; }
  // `hits`: of the seed; `start`: place in the plan after the seed's last layer
  void begin(i32 seed, i32 hits, i32 start) {
    progress_[seed] = Progress{1, 0, 0, 0, 0, -1, Candidate{-1, 0, 0, 0, 0.f}, 0.f};
    candidates_[seed * most_candidates] = Candidate{-1, hits, 0, 0, 0.f};
    start_[seed] = start;
  }
  const Node* tree(i32 seed) const { return nodes_.data() + seed * most_nodes; }

  void run(i32 seeds, const Parameters& parameters, const Events& events, i32 region, const Hits& hits,
           StageClock* clock) {
    seeds_ = seeds;
    const Plan& plan = events.plan;
    i32 place = plan.count[region];
    for (i32 s = 0; s < seeds; ++s) place = min_of(place, start_[s]);
    for (; place < plan.count[region]; ++place) {
      const i32 index = plan.layers[region][place];
      const Layer& layer = events.layers[static_cast<std::size_t>(index)];
      if (layer.is_disc != 0)
        step<disc>(parameters, layer, index, place, hits, clock);
      else
        step<cylinder>(parameters, layer, index, place, hits, clock);
    }
  }

  // The best of a seed, its state in `row`.
  Built finish(i32 seed, float* row) {
    const Progress& p = progress_[seed];
    Built built{p.finished, p.finished_score};
    const float* from = finished_.data() + seed * row_floats;
    for (i32 c = 0; c < p.candidates; ++c) {
      const i32 slot = slot_of(seed, p.side, c);
      const float* own = row_of(slot);
      const float score = score_of(candidates_[slot], own[3]);
      if (built.best.hits != 0 && !(score > built.score)) continue;
      built = Built{candidates_[slot], score};
      from = own;
    }
    __builtin_memcpy(row, from, row_floats * sizeof(float));
    return built;
  }

 private:
  // Each seed has two sides of rows, the candidates before and after a layer.
  static i32 slot_of(i32 seed, i32 side, i32 candidate) {
    return side * batch_slots + seed * most_candidates + candidate;
  }
  float* row_of(i32 slot) { return rows_.data() + static_cast<i64>(slot) * row_floats; }
  // Entries past the end of a list that W lanes read: any valid ones.
  static void pad(i32* list, i32 count) {
    for (i32 k = 0; k < W; ++k) list[count + k] = count > 0 ? list[0] : 0;
  }

  template <int kind>
  void step(const Parameters& parameters, const Layer& layer, i32 index, i32 place, const Hits& hits,
            StageClock* clock) {
    activate<kind>(layer, place);
    if (clock) clock->lap("steer");
    if (active_ == 0) return;
    const Windows windows{phi_, along_, half_phi_, half_along_, slope_, status_};
    for (i32 i = 0; i < active_; i += W)
      cross_layer<kind, F>(rows_.data(), crossed_.data(), active_slot_ + i, min_of(W, active_ - i), layer,
                           parameters.chi2, windows, i);
    if (clock) clock->lap("propagate");
    find(layer, index, hits, windows);
    if (clock) clock->lap("search");
    for (i32 i = 0; i < pairs_; i += W)
      store(pair_chi2_ + i,
            compatibility<kind, F>(crossed_.data(), pair_slot_ + i, hits.rows, pair_hit_ + i));
    if (clock) clock->lap("chi2");
    select_best(parameters, layer, hits);
    if (clock) clock->lap("choose");
    for (i32 i = 0; i < updates_; i += W)
      attach<kind, F>(crossed_.data(), update_parent_ + i, hits.rows, update_hit_ + i, rows_.data(),
                      update_slot_ + i, min_of(W, updates_ - i));
    for (i32 i = 0; i < overlaps_; i += W) take_overlaps<kind>(parameters, hits, i);
    if (clock) clock->lap("update");
  }

  // Seeds whose best candidate comes near the layer; all candidates of these are active.
  template <int kind>
  void activate(const Layer& layer, i32 place) {
    i32 asked = 0;
    for (i32 s = 0; s < seeds_; ++s) {
      progress_[s].first_active = -1;
      if (start_[s] > place || progress_[s].candidates == 0) continue;
      asked_seed_[asked] = s;
      asked_slot_[asked++] = slot_of(s, progress_[s].side, 0);
    }
    pad(asked_slot_, asked);
    active_ = 0;
    const float margin_cm = 3.f;
    for (i32 i = 0; i < asked; i += W) {
      const auto near = comes_near<kind, F>(rows_.data(), asked_slot_ + i, layer, margin_cm);
      for (i32 l = 0; l < W && i + l < asked; ++l) {
        if (!near_lane(near, l)) continue;
        Progress& p = progress_[asked_seed_[i + l]];
        p.first_active = active_;
        for (i32 c = 0; c < p.candidates; ++c)
          active_slot_[active_++] = slot_of(asked_seed_[i + l], p.side, c);
      }
    }
    pad(active_slot_, active_);
  }
  static bool near_lane(const MaskOf<F>& mask, i32 l) { return lane(mask, l) != 0; }

  void find(const Layer& layer, i32 index, const Hits& hits, const Windows& windows) {
    pairs_ = 0;
    for (i32 s = 0; s < seeds_; ++s) {
      Progress& p = progress_[s];
      if (p.first_active < 0) continue;
      p.first_pair = pairs_;
      const i32 found = find_pairs(hits, layer, index, windows, p.first_active, p.candidates,
                                   pair_parent_ + pairs_, pair_hit_ + pairs_, most_pairs);
      p.pairs = min_of(found, most_pairs);
      overflows += found - p.pairs;
      for (i32 k = 0; k < p.pairs; ++k) pair_slot_[pairs_ + k] = slot_of(s, p.side, pair_parent_[pairs_ + k]);
      pairs_ += p.pairs;
    }
    pad(pair_slot_, pairs_);
    pad(pair_hit_, pairs_);
  }

  void select_best(const Parameters& parameters, const Layer& layer, const Hits& hits) {
    updates_ = overlaps_ = 0;
    for (i32 s = 0; s < seeds_; ++s) {
      Progress& p = progress_[s];
      if (p.first_active < 0) continue;
      const i32 own = slot_of(s, p.side, 0), next = slot_of(s, 1 - p.side, 0);
      float inverse_pt[most_candidates];
      for (i32 c = 0; c < p.candidates; ++c) inverse_pt[c] = row_of(own + c)[3];
      Choice best[most_candidates];
      i32 ended;
      const i32 chosen =
          choose(parameters, candidates_ + own, inverse_pt, p.candidates, status_ + p.first_active,
                 pair_parent_ + p.first_pair, pair_chi2_ + p.first_pair, p.pairs, p, best, ended);
      if (ended >= 0)
        __builtin_memcpy(finished_.data() + s * row_floats, row_of(own + ended), row_floats * sizeof(float));
      for (i32 k = 0; k < chosen; ++k) take(layer, hits, s, p, best[k], own, next + k);
      p.candidates = chosen;
      p.side = 1 - p.side;
    }
    pad(update_parent_, updates_);
    pad(update_hit_, updates_);
    pad(update_slot_, updates_);
    pad(overlap_slot_, overlaps_);
    pad(overlap_hit_, overlaps_);
  }

  // Makes a choice a candidate: its books here, its state here or in the list of updates.
  void take(const Layer& layer, const Hits& hits, i32 seed, Progress& p, const Choice& choice, i32 own,
            i32 to) {
    Candidate next = candidates_[own + choice.parent];
    const i32 pair = choice.pair < 0 ? -1 : p.first_pair + choice.pair;
    if (pair < 0 || p.nodes == most_nodes) {
      const i32 status = status_[p.first_active + choice.parent];
      if (pair < 0 && status == inside) ++next.tail;
      if (pair >= 0) ++overflows;
      const float* from = status == outside
                              ? row_of(own + choice.parent)
                              : crossed_.data() + static_cast<i64>(own + choice.parent) * row_floats;
      __builtin_memcpy(row_of(to), from, row_floats * sizeof(float));
      candidates_[to] = next;
      return;
    }
    add_node(seed, p, next, pair_hit_[pair], pair_chi2_[pair]);
    candidates_[to] = next;
    update_parent_[updates_] = own + choice.parent;
    update_hit_[updates_] = pair_hit_[pair];
    update_slot_[updates_++] = to;
    const i32 other = overlap_of(hits.rows, layer, pair_parent_ + p.first_pair, pair_hit_ + p.first_pair,
                                 pair_chi2_ + p.first_pair, p.pairs, choice.pair, 30.f);
    if (other < 0) return;
    overlap_seed_[overlaps_] = seed;
    overlap_hit_[overlaps_] = other;
    overlap_slot_[overlaps_++] = to;
  }
  void add_node(i32 seed, Progress& p, Candidate& candidate, i32 hit, float chi2) {
    nodes_[static_cast<std::size_t>(seed * most_nodes + p.nodes)] = Node{hit, candidate.node};
    candidate.node = p.nodes++;
    candidate.hits += 1;
    candidate.inner += candidate.tail;
    candidate.tail = 0;
    candidate.chi2 += chi2;
  }

  template <int kind>
  void take_overlaps(const Parameters& parameters, const Hits& hits, i32 i) {
    const i32 lanes = min_of(W, overlaps_ - i);
    const F chi2 = attach_overlap<kind, F>(rows_.data(), overlap_slot_ + i, hits.rows, overlap_hit_ + i,
                                           parameters.overlap_chi2, lanes);
    for (i32 l = 0; l < lanes; ++l) {
      Progress& p = progress_[overlap_seed_[i + l]];
      if (!(lane(chi2, l) < parameters.overlap_chi2) || p.nodes == most_nodes) continue;
      add_node(overlap_seed_[i + l], p, candidates_[overlap_slot_[i + l]], overlap_hit_[i + l],
               lane(chi2, l));
    }
  }

  i32 seeds_ = 0, active_ = 0, pairs_ = 0, updates_ = 0, overlaps_ = 0;
  std::vector<float> rows_ = std::vector<float>(2 * batch_slots * row_floats);
  std::vector<float> crossed_ = std::vector<float>(2 * batch_slots * row_floats);
  std::vector<float> finished_ = std::vector<float>(batch_seeds * row_floats);
  std::vector<Node> nodes_ = std::vector<Node>(batch_seeds * most_nodes);
  Progress progress_[batch_seeds];
  Candidate candidates_[2 * batch_slots];
  i32 start_[batch_seeds];
  i32 asked_seed_[batch_seeds], asked_slot_[batch_seeds + W];
  i32 active_slot_[batch_slots + W], status_[batch_slots + W];
  float phi_[batch_slots + W], along_[batch_slots + W], half_phi_[batch_slots + W],
      half_along_[batch_slots + W], slope_[batch_slots + W];
  i32 pair_parent_[batch_pairs + W], pair_hit_[batch_pairs + W], pair_slot_[batch_pairs + W];
  float pair_chi2_[batch_pairs + W];
  i32 update_parent_[batch_slots + W], update_hit_[batch_slots + W], update_slot_[batch_slots + W];
  i32 overlap_seed_[batch_slots + W], overlap_hit_[batch_slots + W], overlap_slot_[batch_slots + W];
};

}  // namespace sitecap::mkfit
