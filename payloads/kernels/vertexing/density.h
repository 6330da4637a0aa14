// Clusters in z by density: the pixel vertices of CMSSW (RecoPixelVertexing/PixelVertexFinding:
// clusterTracksByDensity, fitVertices, splitVertices), after A. Rodriguez and A. Laio, Science 344 (2014)
// 1492.
#pragma once
#include "kernels/vertexing/tracks.h"

namespace sitecap::vertexing {

// Tracks in the order of z, padded with 16 entries.
struct DensityTracks {
  i32 count;
  float *z, *error2;  // cm, cm^2
  i32* place;         // index among the selected tracks
  i32 *low, *high;    // tracks within eps: [low, high)
  i32 *neighbours, *parent, *cluster;
};

// Item = track, whose place among the selected is known.
SITECAP_FN void take_dense(const Selected& s, i32 i, const DensityTracks& t) {
  t.z[i] = s.z[t.place[i]];
  t.error2[i] = s.error2[t.place[i]];
}

// First of n ascending values that is not below `bound`.
SITECAP_FN i32 lower_bound(const float* values, i32 n, float bound) {
  i32 low = 0;
  while (n > 0) {
    const i32 half = n / 2;
    if (values[low + half] < bound) {
      low += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return low;
}

// Item = track. The window is a little wider than eps; every pair is tested by its distance.
SITECAP_FN void find_window(const DensityTracks& t, const Options& o, i32 i) {
  const float reach = o.eps_cm * 1.001f + 1e-5f;
  t.low[i] = lower_bound(t.z, t.count, t.z[i] - reach);
  t.high[i] = lower_bound(t.z, t.count, t.z[i] + reach);
}

template <class F>
SITECAP_FN MaskOf<F> compatible(const Options& o, F distance, F error2_sum) {
  return (distance <= o.eps_cm) & (distance * distance <= o.largest_pair_chi2 * error2_sum);
}

// Item = track: how many others are compatible with it; none if its own error is too large for a seed.
template <class F>
SITECAP_FN void count_neighbours(const DensityTracks& t, const Options& o, i32 i) {
  t.neighbours[i] = 0;
  if (t.error2[i] > o.seed_error_cm * o.seed_error_cm) return;
  const F z = all_lanes<F>(t.z[i]), error2 = all_lanes<F>(t.error2[i]);
  IntOf<F> count = all_lanes_int<IntOf<F>>(0);
  for (i32 base = t.low[i]; base < t.high[i]; base += width_of<F>) {
    const IntOf<F> j = lane_indices<F>(base);
    const auto near = compatible<F>(o, absolute(z - load<F>(t.z + base)), error2 + load<F>(t.error2 + base));
    const MaskOf<F> counted = near & (j < t.high[i]) & (j != i);
    count = count + select(counted, all_lanes_int<IntOf<F>>(1), all_lanes_int<IntOf<F>>(0));
  }
  i32 sum = 0;
  for (i32 l = 0; l < width_of<F>; ++l) sum += lane(count, l);
  t.neighbours[i] = sum;
}

// Item = track: the closest compatible one of higher density (of equal density, one of lower z), or itself.
template <class F>
SITECAP_FN void find_parent(const DensityTracks& t, const Options& o, i32 i) {
  const F z = all_lanes<F>(t.z[i]), error2 = all_lanes<F>(t.error2[i]);
  F least = all_lanes<F>(1e30f);
  IntOf<F> found = all_lanes_int<IntOf<F>>(i);
  const i32 own = t.neighbours[i];
  for (i32 base = t.low[i]; base < t.high[i]; base += width_of<F>) {
    const IntOf<F> j = lane_indices<F>(base), n = load<IntOf<F>>(t.neighbours + base);
    const F distance = absolute(z - load<F>(t.z + base));
    const auto higher = (n > own) | ((n == own) & (j < i));
    const MaskOf<F> better = compatible<F>(o, distance, error2 + load<F>(t.error2 + base)) & higher &
                             (j < t.high[i]) & (distance < least);
    least = select(better, distance, least);
    found = select(better, j, found);
  }
  float nearest = lane(least, 0);
  i32 parent = lane(found, 0);
  for (i32 l = 1; l < width_of<F>; ++l) {  // of equals the first in order, as one lane alone finds it
    const float distance = lane(least, l);
    const i32 candidate = lane(found, l);
    if (distance < nearest || (distance == nearest && candidate < parent && distance < 1e30f)) {
      nearest = distance;
      parent = candidate;
    }
  }
  t.parent[i] = nearest < 1e30f ? parent : i;
}

// Item = track: the seed at the end of the chain of parents; -1 if that seed has too few neighbours (noise).
SITECAP_FN void find_seed(const DensityTracks& t, const Options& o, i32 i) {
  i32 seed = t.parent[i];
  while (t.parent[seed] != seed) seed = t.parent[seed];
  t.cluster[i] = t.neighbours[seed] >= o.least_neighbours ? seed : -1;
}

// Item = track: seeds, which `number` numbers in the order of z, become clusters.
SITECAP_FN void number_cluster(const DensityTracks& t, const i32* number, i32 i) {
  if (t.cluster[i] >= 0) t.cluster[i] = number[t.cluster[i]];
}

// Item = cluster, members[0..n) its tracks in the order of z: weighted mean; tracks further than
// `outlier_chi2` leave it. Returns chi2 per degree of freedom.
SITECAP_FN float fit_in_z(const DensityTracks& t, const i32* members, i32 n, float outlier_chi2, float& z,
                          i32& kept) {
  float weight = 0.f, moment = 0.f;
  const float origin = n > 0 ? t.z[members[0]] : 0.f;
  for (i32 m = 0; m < n; ++m) {
    const float w = 1.f / t.error2[members[m]];
    weight += w;
    moment += w * (t.z[members[m]] - origin);
  }
  z = weight > 0.f ? origin + moment / weight : 0.f;
  float chi2 = 0.f;
  kept = 0;
  for (i32 m = 0; m < n; ++m) {
    const float d = t.z[members[m]] - z;
    const float one = d * d / t.error2[members[m]];
    if (one > outlier_chi2) {
      t.cluster[members[m]] = -1;
      continue;
    }
    chi2 += one;
    ++kept;
  }
  return kept > 1 ? chi2 / to_float(kept - 1) : 0.f;
}

// Item = cluster: two means in place of one, if they are two standard deviations apart. `side` (one entry a
// track) receives 1 for tracks of the right one. Returns the number of pieces.
SITECAP_FN i32 split_in_z(const DensityTracks& t, const i32* members, i32 n, float z, u8* side) {
  for (i32 m = 0; m < n; ++m) side[members[m]] = t.z[members[m]] < z ? 0 : 1;
  float mean[2] = {}, weight[2] = {};
  for (i32 round = 0; round < 20; ++round) {
    for (i32 s = 0; s < 2; ++s) mean[s] = weight[s] = 0.f;
    for (i32 m = 0; m < n; ++m) {
      const i32 s = side[members[m]];
      const float w = 1.f / t.error2[members[m]];
      mean[s] += w * (t.z[members[m]] - z);
      weight[s] += w;
    }
    if (!(weight[0] > 0.f) || !(weight[1] > 0.f)) return 1;
    for (i32 s = 0; s < 2; ++s) mean[s] /= weight[s];
    bool changed = false;
    for (i32 m = 0; m < n; ++m) {
      const float d = t.z[members[m]] - z;
      const u8 nearer = absolute(d - mean[0]) < absolute(d - mean[1]) ? 0 : 1;
      changed = changed || nearer != side[members[m]];
      side[members[m]] = nearer;
    }
    if (!changed) break;
  }
  const float gap = mean[0] - mean[1];
  return gap * gap < 4.f * (1.f / weight[0] + 1.f / weight[1]) ? 1 : 2;
}

// Item = cluster: its fit in z and the number of pieces that it falls into if that is bad.
SITECAP_FN i32 fit_and_split(const DensityTracks& t, const Options& o, const i32* members, i32 n, float& z,
                             u8* side) {
  i32 kept = 0;
  const float chi2 = fit_in_z(t, members, n, o.first_outlier_chi2, z, kept);
  return kept > 4 && chi2 > o.split_chi2 ? split_in_z(t, members, n, z, side) : 1;
}

// Item = track: its cluster among the pieces; those of cluster c are first[c] .. first[c + 1].
SITECAP_FN void place_in_piece(const DensityTracks& t, const i32* first, const u8* side, i32 i,
                               i32* cluster_of) {
  const i32 c = t.cluster[i];
  cluster_of[t.place[i]] = c < 0 ? -1 : first[c] + (first[c + 1] - first[c] == 2 ? side[i] : 0);
}

}  // namespace sitecap::vertexing
