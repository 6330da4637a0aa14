// Seeds as they come to the first candidates, and a seed's best candidate to a track.
#pragma once
#include "kernels/mkfit/cleaning.h"
#include "kernels/mkfit/sorting.h"

namespace sitecap::mkfit {

// The seeds of one event as they come.
struct RawSeeds {
  const float *x, *y, *z;     // cm
  const float* inverse_pt;    // 1/GeV
  const float *phi, *theta;   // rad
  const float* covariance;    // 21 each
  const i32* hit[seed_hits];  // of the event, -1 where there is none
  const i8* charge;
};

SITECAP_CONST i32 sectors = 32;  // of azimuth
SITECAP_CONST i32 directions = regions * sectors;

// Region of a seed, and its sector of azimuth: seeds that look the same way find the same hits in the caches.
SITECAP_FN i32 direction_of(const RawSeeds& seeds, i32 i) {
  const i32 sector = to_int((reduced_angle(seeds.phi[i]) + pi) * (static_cast<float>(sectors) / (2.f * pi)));
  return region_of(seeds.x[i], seeds.y[i], seeds.z[i], seeds.theta[i]) * sectors +
         clamp(sector, 0, sectors - 1);
}

// A seed's state as a row without a heading.
SITECAP_FN void put_seed(const RawSeeds& seeds, i32 i, float* row) {
  row[0] = seeds.x[i];
  row[1] = seeds.y[i];
  row[2] = seeds.z[i];
  row[3] = seeds.inverse_pt[i];
  row[4] = seeds.phi[i];
  row[5] = seeds.theta[i];
  row[6] = static_cast<float>(seeds.charge[i]);
  row[7] = row[29] = row[30] = row[31] = 0.f;
  for (int k = 0; k < 21; ++k) row[8 + k] = seeds.covariance[21 * static_cast<i64>(i) + k];
}

// How many hits a seed has; `start`: place in its region's list (`place` of each layer) after the last that
// has one.
SITECAP_FN i32 seed_hit_count(const RawSeeds& seeds, i32 i, const u8* hit_layer, const i32* place,
                              i32& start) {
  i32 hits = 0;
  start = 0;
  for (int h = 0; h < seed_hits; ++h) {
    const i32 hit = seeds.hit[h][i];
    if (hit < 0) continue;
    ++hits;
    start = max_of(start, place[hit_layer[hit]] + 1);
  }
  return hits;
}

SITECAP_FN Progress fresh_progress(i32 tree) {
  return {1, 0, tree, tree + most_nodes, Candidate{-1, 0.f, 0.f, 0.f, 0.f, {}}, 0.f};
}
SITECAP_FN Candidate first_candidate(i32 hits) {
  return {-1, static_cast<float>(hits), 0.f, 0.f, 0.f, {}};
}

// What a seed ends as.
struct Built {
  Candidate best;
  float score;
  const float* row;
};

// The best of a seed: of its candidates, and of that which had too many holes (its row: `finished`).
SITECAP_FN Built best_of(const Progress& p, const Candidate* candidates, const float* rows,
                         const float* finished) {
  Built built{p.finished, p.finished_score, finished};
  for (i32 c = 0; c < p.candidates; ++c) {
    const float* own = rows + c * row_floats;
    const float score = score_of(candidates[c], own[3]);
    if (built.best.hits > 0.f && !(score > built.score)) continue;
    built = Built{candidates[c], score, own};
  }
  return built;
}

// A seed's best candidate becomes a track: hits of the candidate from its last, then the seed's. `place`:
// where the event's hits were sorted to; `list` has room for most_hits.
SITECAP_FN Track track_of(const RawSeeds& seeds, i32 i, const Built& built, const Node* nodes,
                          const i32* place, i32* list) {
  i32 count = 0;
  for (i32 node = built.best.node; node >= 0 && count < most_hits - seed_hits; node = nodes[node].before)
    list[count++] = nodes[node].hit;
  for (int h = seed_hits - 1; h >= 0; --h) {
    const i32 hit = seeds.hit[h][i];
    if (hit >= 0) list[count++] = place[hit];
  }
  return {count, static_cast<i32>(built.best.inner), 0.f, built.score};
}

}  // namespace sitecap::mkfit
