// Deterministic annealing of prototypes in z: K. Rose, Proc. IEEE 86 (1998) 2210; for vertices E. Chabanat
// and N. Estre, CHEP 2004; the steps and their parameters are those of CMSSW's DAClusterizerInZ_vect.cc.
//
// At temperature T = 1 / beta a track i belongs to prototype k with p = rho_k exp(-beta E_ik) / Z_i, E_ik the
// squared distance in standard deviations; prototypes move to the weighted mean, until nothing moves. Cooling
// splits the prototypes whose critical temperature is reached.
//
// CMSSW computes in double. Here exponents are taken relative to that of the nearest prototype, so that
// single precision neither underflows nor depends on how far out a track lies.
#pragma once
#include "kernels/vertexing/tracks.h"

namespace sitecap::vertexing {

// Terms below e^-40 of the largest are dropped: they change no bit of a sum, but would be denormal numbers.
SITECAP_CONST float least_exponent = -40.f;
SITECAP_CONST float no_outliers = -1e30f;  // the logarithm of an outlier term of 0
SITECAP_CONST i32 most_steps = 1000;       // maxIterations_ of thermalize

SITECAP_CONST i32 classes = 5;
// 2^-k times 0.16 cm: errors of the classes' upper ends
SITECAP_FN i32 class_of(float sigma_cm) {
  return sigma_cm < 0.01f ? 0 : (sigma_cm < 0.02f ? 1 : (sigma_cm < 0.04f ? 2 : (sigma_cm < 0.08f ? 3 : 4)));
}

// Tracks of one block, in an order of their own: by classes of error, then z, so that neighbours in a vector
// see the same prototypes. Padded to a multiple of 16 with tracks of prior 0.
struct BlockTracks {
  i32 count, padded;
  float *z, *weight, *prior, *sigma;
  i32* place;                     // index among the selected tracks; -1 for padding
  i32 *first, *last, *nearest;    // prototypes in range: [first, last); the nearest of them
  i32 *chunk_first, *chunk_last;  // of W tracks together
  float* share;                   // prior / Z after the last update
  float* shift;                   // exponent of the nearest prototype at the last update

  SITECAP_FN void hold(i32 tracks) {
    count = tracks;
    padded = (tracks + slots - 1) / slots * slots;
  }
  // The arrays from place `at` on.
  SITECAP_FN BlockTracks from(i64 at) const {
    return {count,      padded,    z + at,       weight + at,      prior + at,      sigma + at, place + at,
            first + at, last + at, nearest + at, chunk_first + at, chunk_last + at, share + at, shift + at};
  }
};

struct Prototypes {
  i32 capacity;
  i32* count;  // one value
  float *z, *rho;
  float *delta, *start;  // moved in the last update; where it was when ranges were set
  // capacity x 16 slots; the last two are scratch, as the others are between updates
  float *sum_share, *sum_weight, *sum_moment, *sum_energy, *sum_more, *sum_most;
  float *weight, *energy;  // sums of the last update with energies
  float *new_z, *new_rho;  // of the next list
  i32* pieces;             // how many of it come from a prototype
  float *left_z, *right_z, *left_rho, *right_rho;
  i32* flag;      // one value: what the leader found
  i32* overflow;  // one value: splits refused for want of room
  // capacity x 5 classes: the tracks that see a prototype lie in between. For teams.
  i32 *seen_from, *seen_to;

  // List `i` of several that lie one behind the other.
  SITECAP_FN Prototypes list(i32 i) const {
    const i64 at = static_cast<i64>(i) * capacity, sum = at * slots, seen = at * classes;
    return {capacity,       count + i,       z + at,           rho + at,         delta + at,
            start + at,     sum_share + sum, sum_weight + sum, sum_moment + sum, sum_energy + sum,
            sum_more + sum, sum_most + sum,  weight + at,      energy + at,      new_z + at,
            new_rho + at,   pieces + at,     left_z + at,      right_z + at,     left_rho + at,
            right_rho + at, flag + i,        overflow + i,     seen_from + seen, seen_to + seen};
  }
};

// Energy's part of a track at distance d, relative to the nearest prototype; 0 out of range.
template <class F>
SITECAP_FN F boltzmann(F minus_beta_weight, F d, F shift, MaskOf<F> in_range) {
  const F exponent = minus_beta_weight * (d * d) - shift;
  return select(in_range & (exponent > least_exponent), exponential(exponent), all_lanes<F>(0.f));
}

// Lanes that are tracks of the range.
template <class F>
SITECAP_FN MaskOf<F> in_range(i32 k, IntOf<F> first, IntOf<F> last) {
  return (k >= first) & (k < last);
}

// Weight of the outliers beside the prototypes, whose weights add up to 1.
SITECAP_FN float outlier_density(const Prototypes& p, const Options& o) {
  const i32 n = *p.count;
  return o.dz_cut > 0.f ? (n > 1 ? 1.f / to_float(n) : 1.f) : 0.f;
}
// Logarithm of the outliers' term of Z.
SITECAP_FN float outlier_term(const Options& o, float beta, float rho0) {
  return rho0 > 0.f ? logarithm(rho0) - beta * o.dz_cut * o.dz_cut : no_outliers;
}

// One work item of the first half of an update: W tracks from `base` on. Gives their Z; keeps the Boltzmann
// factors in `factor` (W floats a prototype from `begin` on) if that is given.
template <class F>
SITECAP_FN void normalise(const BlockTracks& t, const Prototypes& p, float beta, float log_outlier, i32 base,
                          i32 begin, i32 end, float* factor) {
  const F z = load<F>(t.z + base);
  const F scale = load<F>(t.weight + base) * -beta;
  const IntOf<F> first = load<IntOf<F>>(t.first + base), last = load<IntOf<F>>(t.last + base);
  const F nearest_d = z - gather(p.z, load<IntOf<F>>(t.nearest + base));
  const F shift = scale * (nearest_d * nearest_d);
  F sum = all_lanes<F>(0.f);
  // log_outlier - shift may be large: a track far from everything is an outlier
  if (log_outlier > no_outliers) sum = exponential(smaller(log_outlier - shift, all_lanes<F>(60.f)));
  for (i32 k = begin; k < end; ++k) {
    const F part = boltzmann<F>(scale, z - p.z[k], shift, in_range<F>(k, first, last));
    if (factor != nullptr) store(factor + (k - begin) * width_of<F>, part);
    sum = sum + part * p.rho[k];
  }
  const F prior = load<F>(t.prior + base);
  const auto good = sum > 1e-30f;
  store(t.share + base, select(good, prior / select(good, sum, all_lanes<F>(1.f)), all_lanes<F>(0.f)));
  store(t.shift + base, shift);
}

// What W tracks add to the sums of prototype k.
template <class F>
struct Terms {
  F share, weight, moment, energy;
};
template <class F>
SITECAP_FN Terms<F> terms_of(F part, F share, F weight, F d, float rho) {
  Terms<F> terms;
  terms.share = part * share;
  terms.weight = terms.share * rho * weight;
  terms.moment = terms.weight * d;
  terms.energy = terms.moment * d * weight;
  return terms;
}

// Item = prototype: the sums are complete, it moves.
SITECAP_FN void move_prototype(const Prototypes& p, i32 k, float inverse_prior, bool energies) {
  const float weight = sum_of_slots(p.sum_weight + k * slots);
  const float share = sum_of_slots(p.sum_share + k * slots);
  float delta = 0.f;
  if (weight > 0.f) delta = sum_of_slots(p.sum_moment + k * slots) / weight;
  p.z[k] += delta;
  p.delta[k] = absolute(delta);
  p.rho[k] = p.rho[k] * share * inverse_prior;
  p.weight[k] = weight;
  if (energies) p.energy[k] = sum_of_slots(p.sum_energy + k * slots);
}

// First of the ascending positions above `bound`, looked for from `k` on.
SITECAP_FN i32 first_above(const float* z, i32 n, i32 k, float bound) {
  k = min_of(k, n);
  while (k < n && z[k] <= bound) ++k;
  while (k > 0 && z[k - 1] > bound) --k;
  return k;
}

// Item = W tracks from `base` on: which prototypes they see; these are in order. `hint` is where the search
// begins and ends; the result does not depend on it.
template <class F>
SITECAP_FN void find_ranges(const BlockTracks& t, const Prototypes& p, const Options& o, float root_t,
                            i32 base, i32& hint) {
  using I = IntOf<F>;
  const i32 n = *p.count;
  const F z = load<F>(t.z + base);
  const F range = larger(load<F>(t.sigma + base) * (o.range_sigmas * root_t), all_lanes<F>(o.least_range_cm));
  const F low = z - range, high = z + range;
  float lowest = lane(low, 0), highest = lane(high, 0);
  for (i32 l = 1; l < width_of<F>; ++l) {
    lowest = min_of(lowest, lane(low, l));
    highest = max_of(highest, lane(high, l));
  }
  hint = first_above(p.z, n, hint, lowest);
  // how many prototypes lie below each border
  const I none = all_lanes_int<I>(0), one = all_lanes_int<I>(1);
  I first = all_lanes_int<I>(hint), last = first, right = first;
  for (i32 k = hint; k < n && p.z[k] < highest; ++k) {
    const float at = p.z[k];
    first = first + select(at <= low, one, none);
    last = last + select(at < high, one, none);
    right = right + select(at < z, one, none);
  }
  const auto empty = first == last;  // then the neighbours on both sides
  first = select(empty & (first > 0), first - 1, first);
  last = select(empty & (last < n), last + 1, last);
  const I left = select(right > 0, right - 1, none);
  right = select(right < n, right, all_lanes_int<I>(n - 1));
  const auto nearer = absolute(z - gather(p.z, left)) <= absolute(z - gather(p.z, right));
  store(t.first + base, first);
  store(t.last + base, last);
  store(t.nearest + base, select(nearer, left, right));
  i32 begin = lane(first, 0), end = lane(last, 0);
  for (i32 l = 1; l < width_of<F>; ++l) {
    begin = min_of(begin, lane(first, l));
    end = max_of(end, lane(last, l));
  }
  t.chunk_first[base / width_of<F>] = begin;
  t.chunk_last[base / width_of<F>] = end;
}

// Whether prototype k is critical: beta Tc > threshold, by the sums of the last update with energies.
SITECAP_FN bool is_critical(const Prototypes& p, float beta, float threshold, i32 k) {
  const float critical_t = 2.f * p.energy[k] / p.weight[k];
  return p.weight[k] > 0.f && beta * critical_t > threshold;
}

// What W tracks add to the halves of a critical prototype: to the left probability, weight, weight times
// distance; to the right the same.
SITECAP_CONST i32 split_sums = 6;
template <class F, class Add>
SITECAP_FN void add_to_halves(const BlockTracks& t, const Prototypes& p, float beta, i32 k, i32 base,
                              const Add& add) {
  const auto seen = in_range<F>(k, load<IntOf<F>>(t.first + base), load<IntOf<F>>(t.last + base));
  if (!any(seen)) return;
  const F d = load<F>(t.z + base) - p.z[k];
  const F weight = load<F>(t.weight + base);
  const F part = boltzmann<F>(weight * -beta, d, load<F>(t.shift + base), seen);
  const F share = part * load<F>(t.share + base) * p.rho[k];
  const F soft = larger(smaller(d * square_root(weight * beta), all_lanes<F>(20.f)), all_lanes<F>(-20.f));
  const F right = 1.f / (1.f + exponential(-soft));
  const F left = 1.f - right;
  const F w = share * weight;
  add(0, share * left);
  add(1, w * left);
  add(2, w * left * d);
  add(3, share * right);
  add(4, w * right);
  add(5, w * right * d);
}

// Item = critical prototype: the two pieces that it falls into by those sums, if they are apart. They stay on
// their side of the gap to the neighbours.
SITECAP_FN void propose_pieces(const Prototypes& p, i32 k, const float* sums) {
  const float least_gap_cm = 1e-3f;
  const float centre = p.z[k];
  const float p1 = sums[0], p2 = sums[3], w1 = sums[1], w2 = sums[4];
  float z1 = w1 > 0.f ? centre + sums[2] / w1 : centre - least_gap_cm;
  float z2 = w2 > 0.f ? centre + sums[5] / w2 : centre + least_gap_cm;
  if (k > 0) z1 = max_of(z1, 0.6f * centre + 0.4f * p.z[k - 1]);
  if (k + 1 < *p.count) z2 = min_of(z2, 0.6f * centre + 0.4f * p.z[k + 1]);
  if (!(z2 - z1 > least_gap_cm) || !(p1 + p2 > 0.f)) return;
  p.pieces[k] = 2;
  p.left_z[k] = z1;
  p.right_z[k] = z2;
  p.left_rho[k] = p1 * p.rho[k] / (p1 + p2);
  p.right_rho[k] = p2 * p.rho[k] / (p1 + p2);
}

// What W tracks add to how many are prototype k's own, and to the sum of its probabilities.
SITECAP_CONST i32 unique_sums = 2;
template <class F, class Add>
SITECAP_FN void add_to_unique(const BlockTracks& t, const Prototypes& p, const Options& o, float beta,
                              float outlier, i32 k, i32 base, const Add& add) {
  const float cut = o.unique_weight * p.rho[k] / (p.rho[k] + outlier);
  const auto seen = in_range<F>(k, load<IntOf<F>>(t.first + base), load<IntOf<F>>(t.last + base));
  if (!any(seen)) return;
  const F d = load<F>(t.z + base) - p.z[k];
  const F prior = load<F>(t.prior + base);
  const F part = boltzmann<F>(load<F>(t.weight + base) * -beta, d, load<F>(t.shift + base), seen);
  // CMSSW counts a track's own probability, without its prior weight
  const auto counted = prior > 0.f;
  const F inverse_z =
      select(counted, load<F>(t.share + base) / select(counted, prior, all_lanes<F>(1.f)), all_lanes<F>(0.f));
  const F own = part * inverse_z * p.rho[k];
  add(0, select(own > cut, all_lanes<F>(1.f), all_lanes<F>(0.f)));
  add(1, own);
}

}  // namespace sitecap::vertexing
