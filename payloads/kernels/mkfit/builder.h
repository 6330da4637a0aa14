// A batch of seeds through the layers of its region, W candidates at a time. Host only.
#pragma once
#include "kernels/mkfit/batch.h"
#include "kernels/mkfit/events.h"

namespace sitecap::mkfit {

template <int W>
class Builder {
  using F = typename Types<W>::Float;

 public:
  Builder() {
    for (i32 k = 0; k < batch_slots + 2 * W; ++k) number_[k] = k;
  }

  i64 overflows = 0;  // pairs and hits past the limits of a seed: not considered

  std::size_t bytes() const {
    return sizeof(*this) + (rows_.size() + crossed_.size() + finished_.size()) * 4;
  }

  // Where the state of a seed is put before `begin`.
  float* seed_row(i32 seed) { return rows_.data() + seed * most_candidates * row_floats; }
  // `hits`: of the seed; `start`: place in the plan after the seed's last layer
  void begin(i32 seed, i32 hits, i32 start) {
    progress_[seed] = Progress{1, 0, 0, 0, 0, -1, Candidate{-1, 0.f, 0.f, 0.f, 0.f, {}}, 0.f};
    candidates_[seed * most_candidates] = Candidate{-1, static_cast<float>(hits), 0.f, 0.f, 0.f, {}};
    start_[seed] = start;
  }
  const Node* tree(i32 seed) const { return nodes_.data() + seed * tree_nodes; }

  void run(i32 seeds, const Parameters& parameters, const Events& events, i32 region, const Hits& hits,
           StageClock* clock) {
    seeds_ = seeds;
    for (i32 s = 0; s < seeds; ++s) asked_slot_[s] = slot_of(s, 0, 0);
    pad<W>(asked_slot_, seeds);
    for (i32 s = 0; s < seeds; s += W) set_heading<F>(rows_.data(), asked_slot_ + s, min_of(W, seeds - s));
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
      if (built.best.hits > 0.f && !(score > built.score)) continue;
      built = Built{candidates_[slot], score};
      from = own;
    }
    __builtin_memcpy(row, from, row_floats * sizeof(float));
    return built;
  }

 private:
  static constexpr i32 room = W > pair_slack ? W : pair_slack;  // past the end of the list of pairs
  float* row_of(i32 slot) { return rows_.data() + static_cast<i64>(slot) * row_floats; }
  template <int kind>
  void step(const Parameters& parameters, const Layer& layer, i32 index, i32 place, const Hits& hits,
            StageClock* clock) {
    activate<kind>(layer, place);
    if (clock) clock->lap("steer");
    if (active_ == 0) return;
    const Windows windows{phi_, along_, half_phi_, half_along_, slope_, reach_, inverse_pt_, status_};
    const Worth worth{with_hit_, without_, ended_};
    bool ending = false;  // a candidate
    for (i32 i = 0; i < active_; i += W) {
      cross_layer<kind, F>(rows_.data(), active_slot_ + i, crossed_.data(), number_ + i,
                           min_of(W, active_ - i), layer, parameters.chi2, windows, i);
      ending |= judge<F>(parameters, candidates_, active_slot_ + i, windows, i, worth);
    }
    if (clock) clock->lap("propagate");
    find(index, hits, windows);
    if (clock) clock->lap("search");
    for (i32 i = 0; i < pairs_; i += W) {
      F depth;
      const F chi2 =
          compatibility<kind, F>(crossed_.data(), pair_parent_ + i, hits.rows, pair_hit_ + i, depth);
      store(pair_chi2_ + i, chi2);
      store(pair_depth_ + i, depth);
      const F score = gather(with_hit_, load<IntOf<F>>(pair_parent_ + i)) - chi2;
      store(pair_score_ + i, select(chi2 < parameters.chi2, score, all_lanes<F>(no_score)));
    }
    if (clock) clock->lap("chi2");
    if (ending) end_candidates();
    select_best(parameters, layer);
    go_on_without();
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
    pad<W>(asked_slot_, asked);
    active_ = 0;
    const float margin_cm = 3.f;
    for (i32 i = 0; i < asked; i += W) {
      u32 near = mask_bits(comes_near<kind, F>(rows_.data(), asked_slot_ + i, layer, margin_cm));
      for (; near != 0; near &= near - 1) {
        const i32 l = lowest_bit(near);
        if (i + l >= asked) break;
        Progress& p = progress_[asked_seed_[i + l]];
        p.first_active = active_;
        for (i32 c = 0; c < p.candidates; ++c)
          active_slot_[active_++] = slot_of(asked_seed_[i + l], p.side, c);
      }
    }
    pad<W>(active_slot_, active_);
  }

  void find(i32 index, const Hits& hits, const Windows& windows) {
    pairs_ = 0;
    for (i32 s = 0; s < seeds_; ++s)
      if (progress_[s].first_active >= 0) prefetch_hits(hits, index, windows, progress_[s].first_active);
    for (i32 s = 0; s < seeds_; ++s) {
      Progress& p = progress_[s];
      if (p.first_active < 0) continue;
      p.first_pair = pairs_;
      const i32 found = find_pairs<F>(hits, index, windows, p.first_active, p.candidates,
                                      pair_parent_ + pairs_, pair_hit_ + pairs_, most_pairs);
      p.pairs = min_of(found, most_pairs);
      overflows += found - p.pairs;
      pairs_ += p.pairs;
    }
    pad<W>(pair_parent_, pairs_);
    pad<W>(pair_hit_, pairs_);
  }

  // Which ways the seeds go on. What differs from way to way is written into both lists, of updates and of
  // those without a hit, and one of them grows: a jump would be guessed wrongly every other time.
  void select_best(const Parameters& parameters, const Layer& layer) {
    updates_ = overlaps_ = without_hit_ = 0;
    for (i32 s = 0; s < seeds_; ++s) {
      Progress& p = progress_[s];
      if (p.first_active < 0) continue;
      const i32 next = slot_of(s, 1 - p.side, 0);
      const Pairs pairs{pair_parent_ + p.first_pair, pair_hit_ + p.first_pair, pair_chi2_ + p.first_pair,
                        pair_depth_ + p.first_pair, p.pairs};
      i32 best[most_candidates + 1]{};
      const i32 chosen = best_of<F>(pair_score_ + p.first_pair, pairs.count, without_ + p.first_active,
                                    p.candidates, parameters.candidates, best);
      const i32 first_update = updates_;
      for (i32 k = 0; k < chosen; ++k) {
        const i32 way = best[k];
        bool takes = way < pairs.count;
        const i32 pair = p.first_pair + (takes ? way : 0);
        const i32 parent = takes ? pair_parent_[pair] : p.first_active + way - pairs.count;
        if (takes & (p.nodes == most_nodes)) {
          ++overflows;
          takes = false;
        }
        without_parent_[without_hit_] = parent;
        without_slot_[without_hit_] = next + k;
        without_hit_ += takes ? 0 : 1;
        update_parent_[updates_] = parent;
        update_pair_[updates_] = pair;
        update_hit_[updates_] = pair_hit_[pair];
        update_slot_[updates_] = next + k;
        updates_ += takes ? 1 : 0;
      }
      for (i32 u = first_update; u < updates_; ++u) {
        Candidate candidate = candidates_[active_slot_[update_parent_[u]]];
        add_node(s, p, candidate, update_hit_[u], pair_chi2_[update_pair_[u]]);
        candidates_[update_slot_[u]] = candidate;
      }
      if (pairs.count > 1 && first_update < updates_) seek_overlaps(s, pairs, layer.stagger, first_update);
      p.candidates = chosen;
      p.side = 1 - p.side;
    }
    pad<W>(update_parent_, updates_);
    pad<W>(update_hit_, updates_);
    pad<W>(update_slot_, updates_);
    pad<W>(overlap_slot_, overlaps_);
    pad<W>(overlap_hit_, overlaps_);
  }
  // Keeps each seed's best of the candidates that have too many holes.
  void end_candidates() {
    for (i32 s = 0; s < seeds_; ++s) {
      Progress& p = progress_[s];
      if (p.first_active < 0) continue;
      for (i32 c = 0; c < p.candidates; ++c) {
        const float ended = ended_[p.first_active + c];
        if (!(ended > 0.5f * no_score && (p.finished.hits == 0.f || ended > p.finished_score))) continue;
        const i32 slot = slot_of(s, p.side, c);
        p.finished = candidates_[slot];
        p.finished_score = ended;
        __builtin_memcpy(finished_.data() + s * row_floats, row_of(slot), row_floats * sizeof(float));
      }
    }
  }
  // Second hits of this layer for a seed's updates, where its hits lie on both sides.
  void seek_overlaps(i32 seed, const Pairs& pairs, float stagger, i32 first_update) {
    F low = all_lanes<F>(1e9f), high = low;  // the upper end with its sign changed
    for (i32 k = 0; k < pairs.count; k += W) {
      const F depth = load<F>(pairs.depth + k);
      const MaskOf<F> there = lane_numbers<F>() + k < pairs.count;
      low = smaller(low, select(there, depth, all_lanes<F>(1e9f)));
      high = smaller(high, select(there, -depth, all_lanes<F>(1e9f)));
    }
    if (!(-smallest(high) - smallest(low) >= stagger)) return;
    for (i32 u = first_update; u < updates_; ++u) {
      const i32 other = overlap_of<F>(pairs, stagger, update_pair_[u] - progress_[seed].first_pair, 30.f);
      if (other < 0) continue;
      overlap_seed_[overlaps_] = seed;
      overlap_hit_[overlaps_] = other;
      overlap_slot_[overlaps_++] = update_slot_[u];
    }
  }

  // Makes candidates without a hit of this layer ones of the next.
  void go_on_without() {
    for (i32 k = 0; k < without_hit_; ++k) {
      const i32 parent = without_parent_[k], to = without_slot_[k], slot = active_slot_[parent];
      const float* from =
          status_[parent] == outside ? row_of(slot) : crossed_.data() + static_cast<i64>(parent) * row_floats;
      __builtin_memcpy(row_of(to), from, row_floats * sizeof(float));
      Candidate next = candidates_[slot];
      next.tail += status_[parent] == inside ? 1.f : 0.f;
      candidates_[to] = next;
    }
  }
  void add_node(i32 seed, Progress& p, Candidate& candidate, i32 hit, float chi2) {
    nodes_[static_cast<std::size_t>(seed * tree_nodes + p.nodes)] = Node{hit, candidate.node};
    candidate.node = p.nodes++;
    candidate.hits += 1.f;
    candidate.inner += candidate.tail;
    candidate.tail = 0.f;
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

  i32 seeds_ = 0, active_ = 0, pairs_ = 0, updates_ = 0, overlaps_ = 0, without_hit_ = 0;
  std::vector<float> rows_ = std::vector<float>(2 * batch_slots * row_floats);
  std::vector<float> crossed_ = std::vector<float>(batch_slots * row_floats);  // by place among the active
  std::vector<float> finished_ = std::vector<float>(batch_seeds * row_floats);
  std::vector<Node> nodes_ = std::vector<Node>(batch_seeds * tree_nodes);
  Progress progress_[batch_seeds];
  Candidate candidates_[2 * batch_slots];
  i32 start_[batch_seeds];
  i32 asked_seed_[batch_seeds], asked_slot_[batch_seeds + W];
  i32 active_slot_[batch_slots + 2 * W], status_[batch_slots + 2 * W];
  float phi_[batch_slots + 2 * W], along_[batch_slots + 2 * W], half_phi_[batch_slots + 2 * W],
      half_along_[batch_slots + 2 * W], slope_[batch_slots + 2 * W], reach_[batch_slots + 2 * W],
      inverse_pt_[batch_slots + 2 * W];
  i32 number_[batch_slots + 2 * W];  // 0, 1, 2 ...
  i32 pair_parent_[batch_pairs + room]{}, pair_hit_[batch_pairs + room]{}, update_pair_[batch_slots + 2 * W];
  float pair_chi2_[batch_pairs + room], pair_depth_[batch_pairs + room], pair_score_[batch_pairs + room];
  float with_hit_[batch_slots + 2 * W], without_[batch_slots + 2 * W]{}, ended_[batch_slots + 2 * W]{};
  i32 update_parent_[batch_slots + 2 * W], update_hit_[batch_slots + 2 * W],
      update_slot_[batch_slots + 2 * W];
  i32 without_parent_[batch_slots + 2 * W], without_slot_[batch_slots + 2 * W];
  i32 overlap_seed_[batch_slots + 2 * W], overlap_hit_[batch_slots + 2 * W],
      overlap_slot_[batch_slots + 2 * W];
};

}  // namespace sitecap::mkfit
