// Hits that match the same way, as seeds: pairs where the way passes few layers, triplets elsewhere.
#pragma once
#include "kernels/eseeding/matching.h"

namespace sitecap::eseeding {

// Hits by their number in the event, -1 for none; for which charges all of them match; how far off the second
// and third are, rad and cm.
struct Seeds {
  i32 *target, *hit0, *hit1, *hit2, *charges;
  float* dphi[3][2];  // hit; negative, positive
  float* drz[2];      // second and third hit
};

SITECAP_FN i32 hits_needed(i32 layers_passed, const Options& o) {
  return layers_passed < o.layers_for_triplets ? 2 : 3;
}

// Item = first hit: number of its seeds.
SITECAP_FN i32 count_seeds(const Nexts& n, const Options& o, i32 first) {
  const i32 next = n.count[first];
  if (hits_needed(n.layers_passed[first], o) == 2) return next;
  const i64 at = static_cast<i64>(first) * slots;
  i32 count = 0;
  for (i32 i = 0; i < next; ++i)
    for (i32 j = i + 1; j < next; ++j)
      if (n.layer[at + j] != n.layer[at + i] && (n.charges[at + i] & n.charges[at + j]) != 0) ++count;
  return count;
}

SITECAP_FN void put_seed(const Firsts& f, const Nexts& n, const Hits& h, i32 first, i64 second, i64 third,
                         const Seeds& s, i32 at) {
  s.target[at] = f.target[first];
  s.hit0[at] = h.order[f.hit[first]];
  s.hit1[at] = h.order[n.hit[second]];
  s.hit2[at] = third < 0 ? -1 : h.order[n.hit[third]];
  s.charges[at] = third < 0 ? n.charges[second] : n.charges[second] & n.charges[third];
  s.dphi[0][0][at] = f.dphi_negative[first];
  s.dphi[0][1][at] = f.dphi_positive[first];
  s.dphi[1][0][at] = n.dphi_negative[second];
  s.dphi[1][1][at] = n.dphi_positive[second];
  s.drz[0][at] = n.drz[second];
  s.dphi[2][0][at] = third < 0 ? 0.f : n.dphi_negative[third];
  s.dphi[2][1][at] = third < 0 ? 0.f : n.dphi_positive[third];
  s.drz[1][at] = third < 0 ? 0.f : n.drz[third];
}

// Item = first hit: writes its seeds from `at` on, as far as there is room.
SITECAP_FN void fill_seeds(const Firsts& f, const Nexts& n, const Hits& h, const Options& o, i32 first,
                           const Seeds& s, i32 at, i32 capacity) {
  const i64 begin = static_cast<i64>(first) * slots;
  const i32 next = n.count[first];
  const bool pairs = hits_needed(n.layers_passed[first], o) == 2;
  for (i32 i = 0; i < next; ++i) {
    if (pairs) {
      if (at < capacity) put_seed(f, n, h, first, begin + i, -1, s, at);
      ++at;
      continue;
    }
    for (i32 j = i + 1; j < next; ++j) {
      if (n.layer[begin + j] == n.layer[begin + i] || (n.charges[begin + i] & n.charges[begin + j]) == 0)
        continue;
      if (at < capacity) put_seed(f, n, h, first, begin + i, begin + j, s, at);
      ++at;
    }
  }
}

}  // namespace sitecap::eseeding
