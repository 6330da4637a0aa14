// Who anneals: one CPU thread with W lanes, or GPU threads that share a block; and their sums over tracks, of
// the same bits.
#pragma once
#include "kernels/vertexing/annealing.h"

namespace sitecap::vertexing {

// A team of one: a CPU thread.
struct Alone {
  static constexpr bool alone = true;
  SITECAP_FN i32 rank() const { return 0; }
  SITECAP_FN i32 size() const { return 1; }
  SITECAP_FN void sync() const {}
  // How many members of lower rank have the flag set, and how many of all.
  SITECAP_FN i32 count_before(bool flag, i32& all) const {
    all = flag ? 1 : 0;
    return 0;
  }
  SITECAP_FN void lap(const char*) const {}  // end of a part, for whoever times them
};

// Sum over all tracks of part(base) for W of them. Members of a team take a slot each; `p` lends the memory.
template <class F, class Team, class Part>
SITECAP_FN float sum_of_tracks(const Team& team, const BlockTracks& t, const Prototypes& p,
                               const Part& part) {
  if constexpr (Team::alone) {
    Sums<F, 1> sums;
    sums.clear();
    for (i32 base = 0; base < t.padded; base += width_of<F>) sums.add(0, base, part(base));
    return sums.total(0);
  } else {
    for (i32 slot = team.rank(); slot < slots; slot += team.size()) {
      float sum = 0.f;
      for (i32 i = slot; i < t.padded; i += slots) sum += part(i);
      p.sum_share[slot] = sum;
    }
    team.sync();
    const float total = sum_of_slots(p.sum_share);
    team.sync();
    return total;
  }
}

// Of a team: no track is known to see a prototype.
template <class Team>
SITECAP_FN void forget_who_sees(const Team& team, const BlockTracks& t, const Prototypes& p) {
  for (i32 k = team.rank(); k < *p.count * classes; k += team.size()) {
    p.seen_from[k] = t.padded;
    p.seen_to[k] = 0;
  }
}
// Track i sees the prototypes in its range.
template <class Team>
SITECAP_FN void note_who_sees(const Team& team, const BlockTracks& t, const Prototypes& p, i32 i) {
  const i32 of_class = class_of(t.sigma[i]);
  for (i32 k = t.first[i]; k < t.last[i]; ++k) {
    team.lower(p.seen_from + k * classes + of_class, i);
    team.raise(p.seen_to + k * classes + of_class, i + 1);
  }
}
// Calls visit(track) for those of a slot that see prototype k, in their order.
template <class Visit>
SITECAP_FN void each_that_sees(const BlockTracks& t, const Prototypes& p, i32 k, i32 slot,
                               const Visit& visit) {
  for (i32 c = k * classes; c < (k + 1) * classes; ++c) {
    const i32 from = p.seen_from[c], to = p.seen_to[c];
    for (i32 i = from + ((slot - from) & (slots - 1)); i < to; i += slots)
      if (k >= t.first[i] && k < t.last[i]) visit(i);
  }
}

// For each prototype k for which wanted(k): N sums over all tracks of what part(k, base, add) adds by add(n,
// value) for W of them; then done(k, sums). Members of a team take a slot of a prototype each.
template <class F, i32 N, class Team, class Wanted, class Part, class Done>
SITECAP_FN void sum_for_each(const Team& team, const BlockTracks& t, const Prototypes& p,
                             const Wanted& wanted, const Part& part, const Done& done) {
  const i32 n = *p.count;
  if constexpr (Team::alone) {
    for (i32 k = 0; k < n; ++k) {
      if (!wanted(k)) continue;
      Sums<F, N> sums;
      sums.clear();
      for (i32 base = 0; base < t.padded; base += width_of<F>)
        part(k, base, [&](i32 s, F value) { sums.add(s, base, value); });
      float totals[N];
      for (i32 s = 0; s < N; ++s) totals[s] = sums.total(s);
      done(k, totals);
    }
  } else {
    float* const arrays[] = {p.sum_share, p.sum_weight, p.sum_moment, p.sum_energy, p.sum_more, p.sum_most};
    for (i32 item = team.rank(); item < n * slots; item += team.size()) {
      if (!wanted(item / slots)) continue;
      float sums[N] = {};
      each_that_sees(t, p, item / slots, item % slots,
                     [&](i32 i) { part(item / slots, i, [&](i32 s, float value) { sums[s] += value; }); });
      SITECAP_UNROLL
      for (i32 s = 0; s < N; ++s) arrays[s][item] = sums[s];
    }
    team.sync();
    for (i32 k = team.rank(); k < n; k += team.size()) {
      if (!wanted(k)) continue;
      float totals[N];
      SITECAP_UNROLL
      for (i32 s = 0; s < N; ++s) totals[s] = sum_of_slots(arrays[s] + k * slots);
      done(k, totals);
    }
    team.sync();
  }
}

}  // namespace sitecap::vertexing
