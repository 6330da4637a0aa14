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
    for (i32 k = 0; k < slots; ++k) number_[k] = k;
  }

  i64 overflows = 0;  // pairs and hits past the limits of a seed: not considered

  std::size_t bytes() const {
    return sizeof(*this) + (rows_.size() + crossed_.size() + finished_.size()) * 4;
  }

  // Where the state of a seed is put before `begin`.
  float* seed_row(i32 seed) { return rows_.data() + seed * most_candidates * row_floats; }
  // `hits`: of the seed; `start`: place in the plan after the seed's last layer
  void begin(i32 seed, i32 hits, i32 start) {
    progress_[seed] = fresh_progress(seed * tree_nodes);
    candidates_[seed * most_candidates] = first_candidate(hits);
    start_[seed] = start;
  }
  const Node* nodes() const { return nodes_.data(); }

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

  Built finish(i32 seed) {
    const Progress& p = progress_[seed];
    const i32 first = slot_of(seed, p.side, 0);
    return best_of(p, candidates_ + first, row_of(first), finished_.data() + seed * row_floats);
  }

 private:
  static constexpr i32 slots = batch_slots + 2 * W, pair_room = batch_pairs + most_pairs + W + 3;
  float* row_of(i32 slot) { return rows_.data() + static_cast<i64>(slot) * row_floats; }
  template <int kind>
  void step(const Parameters& parameters, const Layer& layer, i32 index, i32 place, const Hits& hits,
            StageClock* clock) {
    activate<kind>(layer, place);
    if (clock) clock->lap("steer");
    if (active_ == 0) return;
    const Windows windows{phi_, along_, half_phi_, half_along_, slope_, reach_, inverse_pt_, status_};
    const Worth worth{with_hit_, without_, ended_};
    ending_ = 0;
    for (i32 i = 0; i < active_; i += W) {
      cross_layer<kind, F>(rows_.data(), active_slot_ + i, crossed_.data(), number_ + i,
                           min_of(W, active_ - i), layer, parameters.chi2, windows, i);
      u32 ends = judge<F>(parameters, candidates_, active_slot_ + i, windows, i, worth);
      for (; ends != 0; ends &= ends - 1)
        if (i + lowest_bit(ends) < active_) ending_place_[ending_++] = i + lowest_bit(ends);
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
    end_candidates();
    select_best(parameters);
    take_hits();
    seek_overlaps(layer.stagger);
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
    for (i32 s = 0; s < seeds_; ++s) {  // without a jump, here and below: it would often be guessed wrongly
      asked_seed_[asked] = s;
      asked_slot_[asked] = slot_of(s, progress_[s].side, 0);
      asked += (start_[s] <= place) & (progress_[s].candidates > 0) ? 1 : 0;
    }
    pad<W>(asked_slot_, asked);
    active_ = met_.count = 0;
    for (i32 i = 0; i < asked; i += W) {
      u32 near = mask_bits(comes_near<kind, F>(rows_.data(), asked_slot_ + i, layer, margin_cm));
      for (; near != 0; near &= near - 1) {
        const i32 l = lowest_bit(near);
        if (i + l >= asked) break;
        const i32 seed = asked_seed_[i + l];
        met_.add(seed, progress_[seed], active_);
        SITECAP_UNROLL
        for (i32 c = 0; c < most_candidates; ++c) active_slot_[active_ + c] = asked_slot_[i + l] + c;
        active_ += progress_[seed].candidates;
      }
    }
    pad<W>(active_slot_, active_);
  }

  void find(i32 index, const Hits& hits, const Windows& windows) {
    pairs_ = 0;
    for (i32 a = 0; a < met_.count; ++a) prefetch_hits(hits, index, windows, met_.first_candidate[a]);
    for (i32 a = 0; a < met_.count; ++a) {
      const i32 found = find_pairs<F>(hits, index, windows, met_.first_candidate[a], met_.candidates[a],
                                      pair_parent_ + pairs_, pair_hit_ + pairs_, most_pairs);
      met_.first_pair[a] = pairs_;
      met_.pairs[a] = min_of(found, most_pairs);
      overflows += found - met_.pairs[a];
      pairs_ += met_.pairs[a];
    }
    pad<W>(pair_parent_, pairs_);
    pad<W>(pair_hit_, pairs_);
  }

  // Which ways the seeds go on: lists of updates and of those without a hit.
  void select_best(const Parameters& parameters) {
    using I = IntOf<F>;
    updates_ = without_hit_ = 0;
    for (i32 a = 0; a < met_.count; a += W) {
      const I number = lane_numbers<F>() + a, next = load<I>(met_.next_slot + a);
      const Ways<F> ways = met_.ways(a);
      const Choice<F> choice = choose<F>(ways, pair_score_, pair_depth_, without_);
      const I last = load<I>(met_.last_node + a);
      I node = load<I>(met_.next_node + a), chosen{};
      SITECAP_UNROLL
      for (i32 k = 0; k < most_candidates; ++k) {
        if (k == parameters.candidates) break;
        const I way = choice.way[k];
        const auto is_open = choice.score[k] > 0.5f * no_score;
        const auto with = is_open & (way < ways.pairs);
        const auto takes = with & (node < last);
        const I pair = ways.first_pair + way;
        I parent = ways.first_candidate + way - ways.pairs;
        const u32 taken = mask_bits(takes), full = mask_bits(with) & ~taken;
        if (full != 0) {
          overflows += __builtin_popcount(full);
          parent = select(with, gather(pair_parent_, select(with, pair, I{})), parent);
        }
        const u32 open = mask_bits(is_open), without = open & ~taken;
        append(without_parent_ + without_hit_, parent, without);
        append(without_slot_ + without_hit_, next + k, without);
        without_hit_ += __builtin_popcount(without);
        append(update_pair_ + updates_, pair, taken);
        append(update_slot_ + updates_, next + k, taken);
        append(update_node_ + updates_, node, taken);
        append(update_active_ + updates_, number, taken);
        updates_ += __builtin_popcount(taken);
        node += select(takes, I{} + 1, I{});
        chosen += select(is_open, I{} + 1, I{});
      }
      store(met_.next_node + a, node);
      store(met_.candidates + a, chosen);
      store(met_.spread + a, choice.spread);
    }
    met_.leave(progress_);
  }
  // The candidates that have a new hit.
  void take_hits() {
    for (i32 u = 0; u < updates_; ++u) {
      const i32 pair = update_pair_[u];
      update_parent_[u] = pair_parent_[pair];
      update_hit_[u] = pair_hit_[pair];
      Candidate candidate = candidates_[active_slot_[pair_parent_[pair]]];
      add_node(nodes_.data(), update_node_[u], candidate, pair_hit_[pair], pair_chi2_[pair]);
      candidates_[update_slot_[u]] = candidate;
    }
    pad<W>(update_parent_, updates_);
    pad<W>(update_hit_, updates_);
    pad<W>(update_slot_, updates_);
  }
  // Keeps each seed's best of the candidates that have too many holes.
  void end_candidates() {
    for (i32 k = 0; k < ending_; ++k) {
      const i32 slot = active_slot_[ending_place_[k]], s = slot % batch_slots / most_candidates;
      if (keep_ended(progress_[s], candidates_[slot], ended_[ending_place_[k]]))
        __builtin_memcpy(finished_.data() + s * row_floats, row_of(slot), row_floats * sizeof(float));
    }
  }
  // Second hits of this layer for updates of seeds whose hits lie on both sides.
  void seek_overlaps(float stagger) {
    overlaps_ = 0;
    for (i32 u = 0; u < updates_; ++u) {
      const i32 a = update_active_[u], first = met_.first_pair[a];
      if ((met_.pairs[a] <= 1) | !(met_.spread[a] >= stagger)) continue;
      const Pairs pairs{pair_parent_ + first, pair_hit_ + first, pair_chi2_ + first, pair_depth_ + first,
                        met_.pairs[a]};
      const i32 other = overlap_of<F>(pairs, stagger, update_pair_[u] - first, overlap_cut);
      if (other < 0) continue;
      overlap_seed_[overlaps_] = met_.seed[a];
      overlap_hit_[overlaps_] = other;
      overlap_slot_[overlaps_++] = update_slot_[u];
    }
    pad<W>(overlap_slot_, overlaps_);
    pad<W>(overlap_hit_, overlaps_);
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
  template <int kind>
  void take_overlaps(const Parameters& parameters, const Hits& hits, i32 i) {
    const i32 lanes = min_of(W, overlaps_ - i);
    const F chi2 = attach_overlap<kind, F>(rows_.data(), overlap_slot_ + i, hits.rows, overlap_hit_ + i,
                                           parameters.overlap_chi2, lanes);
    for (i32 l = 0; l < lanes; ++l) {
      Progress& p = progress_[overlap_seed_[i + l]];
      if (!(lane(chi2, l) < parameters.overlap_chi2) || p.nodes == p.most_nodes) continue;
      add_node(nodes_.data(), p.nodes++, candidates_[overlap_slot_[i + l]], overlap_hit_[i + l],
               lane(chi2, l));
    }
  }

  i32 seeds_ = 0, active_ = 0, ending_ = 0, pairs_ = 0, updates_ = 0, overlaps_ = 0, without_hit_ = 0;
  std::vector<float> rows_ = std::vector<float>(2 * batch_slots * row_floats);
  std::vector<float> crossed_ = std::vector<float>(batch_slots * row_floats);  // by place among the active
  std::vector<float> finished_ = std::vector<float>(batch_seeds * row_floats);
  std::vector<Node> nodes_ = std::vector<Node>(batch_seeds * tree_nodes);
  Progress progress_[batch_seeds];
  Candidate candidates_[2 * batch_slots];
  i32 start_[batch_seeds];
  i32 asked_seed_[batch_seeds], asked_slot_[batch_seeds + W];
  Meeting<W> met_;
  i32 ending_place_[batch_slots];
  i32 active_slot_[slots + most_candidates], status_[slots];
  float phi_[slots], along_[slots], half_phi_[slots], half_along_[slots], slope_[slots], reach_[slots],
      inverse_pt_[slots];
  i32 number_[slots];  // 0, 1, 2 ...
  i32 pair_parent_[pair_room]{}, pair_hit_[pair_room]{}, update_pair_[slots];
  float pair_chi2_[pair_room], pair_depth_[pair_room]{}, pair_score_[pair_room]{};
  float with_hit_[slots], without_[slots + pair_slack]{}, ended_[slots]{};
  i32 update_parent_[slots], update_hit_[slots], update_slot_[slots], update_node_[slots],
      update_active_[slots];
  i32 without_parent_[slots], without_slot_[slots];
  i32 overlap_seed_[slots], overlap_hit_[slots], overlap_slot_[slots];
};

}  // namespace sitecap::mkfit
