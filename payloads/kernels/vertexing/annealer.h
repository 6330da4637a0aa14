// The steps of the annealing: one text for a CPU thread with W lanes and for a team of GPU threads that share
// a block.
#pragma once
#include "kernels/vertexing/prototypes.h"
#include "kernels/vertexing/teams.h"

// The schedule calls each step from many places: one copy of its code instead of a hundred.
#if defined(__HIPCC__) || defined(__HIPCC_RTC__)
#define SITECAP_STEP __device__ __attribute__((noinline))
#elif SITECAP_GPU
#define SITECAP_STEP __device__ __noinline__
#else
#define SITECAP_STEP __attribute__((noinline))
#endif

namespace sitecap::vertexing {

// All members run this alike; a loop over items is strided, what only one may do is done by the leader.
template <class F, class Team>
class Annealer {
 public:
  BlockTracks t;
  Prototypes p;
  Options o;
  Team team;
  float* factors;       // scratch of a team of one: W floats a prototype
  float inverse_prior;  // 1 / sum of priors
  i32 updates = 0;

  // Takes selected tracks [begin, end): classes of error one after another, each in the order of z.
  SITECAP_STEP void take(const Selected& s, i32 begin, i32 end) {
    t.hold(end - begin);
    i32 at = 0;
    for (i32 c = 0; c < classes; ++c) {
      for (i32 first = begin; first < end; first += team.size()) {
        const i32 i = first + team.rank();
        const float sigma = i < end ? 1.f / square_root(s.weight[i]) : 0.f;
        const bool of_class = i < end && class_of(sigma) == c;
        i32 all = 0;
        const i32 to = at + team.count_before(of_class, all);
        at += all;
        if (!of_class) continue;
        t.z[to] = s.z[i];
        t.weight[to] = s.weight[i];
        t.prior[to] = s.prior[i];
        t.sigma[to] = sigma;
        t.place[to] = i;
      }
    }
    team.sync();
    for (at += team.rank(); at < t.padded; at += team.size()) {  // like the last track, with no weight
      t.z[at] = t.z[t.count - 1];
      t.weight[at] = t.weight[t.count - 1];
      t.prior[at] = 0.f;
      t.sigma[at] = t.sigma[t.count - 1];
      t.place[at] = -1;
    }
    team.sync();
    const float total = sum_of_tracks<F>(team, t, p, [&](i32 base) { return load<F>(t.prior + base); });
    inverse_prior = total > 0.f ? 1.f / total : 0.f;
    updates = 0;
  }

  // One prototype at the mean, and the temperature to begin with: a whole number of cooling steps above
  // T_min. Returns beta.
  SITECAP_STEP float begin() {
    const auto weight_of = [&](i32 base) { return load<F>(t.prior + base) * load<F>(t.weight + base); };
    const float weight = sum_of_tracks<F>(team, t, p, weight_of);
    const float moment =
        sum_of_tracks<F>(team, t, p, [&](i32 base) { return weight_of(base) * load<F>(t.z + base); });
    const float mean = weight > 0.f ? moment / weight : 0.f;
    const float spread = sum_of_tracks<F>(team, t, p, [&](i32 base) {
      const F d = load<F>(t.z + base) - mean;
      return weight_of(base) * load<F>(t.weight + base) * d * d;
    });
    const float critical_t = weight > 0.f ? 2.f * spread / weight : 0.f;
    if (leads()) {
      *p.count = 1;
      p.z[0] = mean;
      p.rho[0] = 1.f;
    }
    team.sync();
    float beta = o.cooling / o.t_min;
    for (i32 step = 0; step < 100 && beta * critical_t > 1.f; ++step) beta *= o.cooling;
    return beta;
  }

  SITECAP_STEP void set_ranges(float beta) {
    if (leads()) keep_order(p);
    if constexpr (!Team::alone) forget_who_sees(team, t, p);
    team.sync();
    const BlockTracks t = this->t;
    const Prototypes p = this->p;
    const float root_t = 1.f / square_root(beta);
    i32 hint = 0;
    for (i32 chunk = team.rank(); chunk < t.padded / width; chunk += team.size()) {
      find_ranges<F>(t, p, o, root_t, chunk * width, hint);
      if constexpr (!Team::alone) note_who_sees(team, t, p, chunk);
    }
    team.sync();
    team.lap("annealing: ranges");
  }

  // New probabilities, positions and weights of the prototypes. Returns the largest move in cm.
  SITECAP_STEP float update(float beta, float rho0, bool energies) {
    ++updates;
    const i32 n = *p.count;
    const float log_outlier = outlier_term(o, beta, rho0);
    if constexpr (Team::alone)
      sum_by_tracks(beta, log_outlier, energies);
    else
      sum_by_slots(beta, log_outlier, energies);
    team.sync();
    for (i32 k = team.rank(); k < n; k += team.size()) move_prototype(p, k, inverse_prior, energies);
    team.sync();
    float largest = 0.f;
    for (i32 k = 0; k < n; ++k) largest = max_of(largest, p.delta[k]);
    team.sync();
    team.lap("annealing: update");
    return largest;
  }

  // Updates at one temperature until nothing moves by more than `delta_cm`.
  SITECAP_STEP void thermalise(float beta, float delta_cm, float rho0) {
    set_ranges(beta);
    note_start();
    float moved = 0.f;
    for (i32 step = 0; step < most_steps; ++step) {
      const float delta = update(beta, rho0, false);
      moved += delta;
      if (moved > o.least_range_cm && far_from_start()) {
        set_ranges(beta);
        note_start();
        moved = 0.f;
      }
      if (delta < delta_cm) break;
    }
  }

  // Joins the closest two prototypes if they are closer than `merge_cm`. Returns whether it did.
  SITECAP_STEP bool merge_one(float beta) {
    if (leads()) {
      *p.flag = closest_pair(p, o.merge_cm);
      if (*p.flag >= 0) join_pair(p, *p.flag);
    }
    team.sync();
    const bool merged = *p.flag >= 0;
    team.sync();
    team.lap("annealing: merge");
    if (merged) set_ranges(beta);
    return merged;
  }
  SITECAP_STEP void merge_all(float beta, float rho0) {
    while (merge_one(beta)) update(beta, rho0, false);
  }

  // Splits what is critical. Returns whether anything was split.
  SITECAP_STEP bool split(float beta, float threshold) {
    update(beta, 0.f, true);
    const i32 n = *p.count;
    for (i32 k = team.rank(); k < n; k += team.size()) p.pieces[k] = 1;
    sum_for_each<F, split_sums>(
        team, t, p, [&](i32 k) { return is_critical(p, beta, threshold, k); },
        [&](i32 k, i32 base, const auto& add) { add_to_halves<F>(t, p, beta, k, base, add); },
        [&](i32 k, const float* sums) { propose_pieces(p, k, sums); });
    if (leads()) replace_by_pieces(p);
    team.sync();
    team.lap("annealing: split");
    return *p.count > n;
  }

  // Removes the weakest of the prototypes that have fewer than two tracks of their own.
  SITECAP_STEP bool purge_one(float beta, float rho0) {
    const i32 n = *p.count;
    if (n < 2) return false;
    set_ranges(beta);
    const float outlier = rho0 * exponential(-beta * o.dz_cut * o.dz_cut);
    sum_for_each<F, unique_sums>(
        team, t, p, [](i32) { return true; },
        [&](i32 k, i32 base, const auto& add) { add_to_unique<F>(t, p, o, beta, outlier, k, base, add); },
        [&](i32 k, const float* sums) {
          p.pieces[k] = static_cast<i32>(sums[0]);
          p.delta[k] = sums[1];
        });
    if (leads()) {
      *p.flag = weakest_alone(p, to_float(t.count));
      if (*p.flag >= 0) remove_prototype(p, *p.flag);
    }
    team.sync();
    const bool removed = *p.flag >= 0;
    team.sync();
    team.lap("annealing: purge");
    return removed;
  }

  // Probabilities for the prototypes where they are now.
  SITECAP_FN void refresh(float beta, float rho0) {
    set_ranges(beta);
    const float log_outlier = outlier_term(o, beta, rho0);
    for (i32 chunk = team.rank(); chunk < t.padded / width; chunk += team.size())
      normalise<F>(t, p, beta, log_outlier, chunk * width, t.chunk_first[chunk], t.chunk_last[chunk],
                   nullptr);
    team.sync();
  }

  SITECAP_FN float outlier_density() const { return vertexing::outlier_density(p, o); }
  SITECAP_FN bool leads() const { return team.rank() == 0; }

 private:
  static constexpr i32 width = width_of<F>;

  // As a CPU does it: W tracks at a time, each factor computed once.
  SITECAP_FN void sum_by_tracks(float beta, float log_outlier, bool energies) {
    // copies on the stack: a store through a pointer cannot change them, so they stay in registers
    const BlockTracks t = this->t;
    const Prototypes p = this->p;
    float* const factors = this->factors;
    for (i32 i = 0; i < *p.count * slots; ++i) {
      p.sum_share[i] = p.sum_weight[i] = p.sum_moment[i] = 0.f;
      if (energies) p.sum_energy[i] = 0.f;
    }
    for (i32 chunk = 0; chunk < t.padded / width; ++chunk) {
      const i32 base = chunk * width, begin = t.chunk_first[chunk], end = t.chunk_last[chunk];
      normalise<F>(t, p, beta, log_outlier, base, begin, end, factors);
      const F z = load<F>(t.z + base), weight = load<F>(t.weight + base), share = load<F>(t.share + base);
      const i32 slot = base & (slots - 1);
      for (i32 k = begin; k < end; ++k) {
        const F part = load<F>(factors + (k - begin) * width);
        const Terms<F> terms = terms_of<F>(part, share, weight, z - p.z[k], p.rho[k]);
        const i32 at = k * slots + slot;
        store(p.sum_share + at, load<F>(p.sum_share + at) + terms.share);
        store(p.sum_weight + at, load<F>(p.sum_weight + at) + terms.weight);
        store(p.sum_moment + at, load<F>(p.sum_moment + at) + terms.moment);
        if (energies) store(p.sum_energy + at, load<F>(p.sum_energy + at) + terms.energy);
      }
    }
  }

  // As a GPU does it: a thread a track, then a thread for each slot of a prototype. The order within a slot
  // is the same, and a track out of range adds nothing in both, so the bits are.
  SITECAP_FN void sum_by_slots(float beta, float log_outlier, bool energies) {
    for (i32 i = team.rank(); i < t.padded; i += team.size())
      normalise<F>(t, p, beta, log_outlier, i, t.first[i], t.last[i], nullptr);
    team.sync();
    for (i32 item = team.rank(); item < *p.count * slots; item += team.size()) {
      const i32 k = item / slots;
      Terms<F> sum{};
      each_that_sees(t, p, k, item % slots, [&](i32 i) {
        const F d = t.z[i] - p.z[k];
        const F part = boltzmann<F>(t.weight[i] * -beta, d, t.shift[i], true);
        const Terms<F> terms = terms_of<F>(part, t.share[i], t.weight[i], d, p.rho[k]);
        sum.share += terms.share;
        sum.weight += terms.weight;
        sum.moment += terms.moment;
        sum.energy += terms.energy;
      });
      p.sum_share[item] = sum.share;
      p.sum_weight[item] = sum.weight;
      p.sum_moment[item] = sum.moment;
      if (energies) p.sum_energy[item] = sum.energy;
    }
  }

  SITECAP_FN void note_start() {
    for (i32 k = team.rank(); k < *p.count; k += team.size()) p.start[k] = p.z[k];
    team.sync();
  }
  SITECAP_FN bool far_from_start() const {
    bool far = false;
    for (i32 k = 0; k < *p.count && !far; ++k) far = absolute(p.z[k] - p.start[k]) > o.least_range_cm;
    team.sync();  // before the leader moves any
    return far;
  }
};

}  // namespace sitecap::vertexing
#undef SITECAP_STEP
