// What the kernel tells of an event, wherever it ran. Host only.
#pragma once
#include <vector>

#include "host/columns.h"
#include "kernels/mkfit/stages.h"

namespace sitecap::mkfit {

// Views of one event's result in the host's memory.
struct Found {
  i32 hit_count, seed_count;  // of the event
  i32 kept_count, overflows;
  const i32* kept;          // tracks, by number of their seed
  const Track* tracks;      // one a seed, as the following two
  const float* track_rows;  // row_floats each
  const i32* track_hits;    // most_hits each: places of hits in the sorted order
  const i32* hit_order;     // of a place, which hit of the event it is

  // Whole arrays, as a device gives them back: which tracks are kept is known only then.
  template <class Visit>
  void each_column(const Visit& visit) {
    visit("kept", kept, seed_count);
    visit("track", tracks, seed_count);
    visit("row", track_rows, row_floats * i64{seed_count});
    visit("track_hit", track_hits, most_hits * i64{seed_count});
    visit("hit_order", hit_order, hit_count);
  }
  const float* row(i32 track) const { return track_rows + static_cast<i64>(track) * row_floats; }
  const i32* hits(i32 track) const { return track_hits + static_cast<i64>(track) * most_hits; }
};

inline u64 digest_of(const Found& found) {
  Digest digest;
  digest.add(found.kept, found.kept_count);
  for (i32 k = 0; k < found.kept_count; ++k) {
    const i32 t = found.kept[k];
    digest.add(found.row(t), 29);
    digest.add(found.hits(t), found.tracks[t].hits);
    digest.add(&found.tracks[t].chi2, 1);
  }
  return digest.value();
}

inline Columns columns_of(const Found& found) {
  std::vector<i32> seed, first{0}, hit, hits, holes, charge;
  std::vector<float> parameters[6], covariance, chi2, score;
  for (i32 k = 0; k < found.kept_count; ++k) {
    const i32 t = found.kept[k];
    const Track& track = found.tracks[t];
    const float* row = found.row(t);
    seed.push_back(t);
    hits.push_back(track.hits);
    holes.push_back(track.holes);
    chi2.push_back(track.chi2);
    score.push_back(track.score);
    charge.push_back(row[6] > 0.f ? 1 : -1);
    for (int i = 0; i < 6; ++i) parameters[i].push_back(row[i]);
    covariance.insert(covariance.end(), row + 8, row + 29);
    // from inside to outside, as indices of the event's hits
    for (i32 i = track.hits - 1; i >= 0; --i) hit.push_back(found.hit_order[found.hits(t)[i]]);
    first.push_back(static_cast<i32>(hit.size()));
  }
  Columns columns;
  const char* const names[] = {"track_x",          "track_y",   "track_z",
                               "track_inverse_pt", "track_phi", "track_theta"};
  for (int i = 0; i < 6; ++i) columns.put(names[i], std::move(parameters[i]));
  columns.put("track_seed", std::move(seed));
  columns.put("track_charge", std::move(charge));
  columns.put("track_hits", std::move(hits));
  columns.put("track_holes", std::move(holes));
  columns.put("track_chi2", std::move(chi2));
  columns.put("track_score", std::move(score));
  columns.put("track_covariance", std::move(covariance));
  columns.put("track_first_hit", std::move(first));
  columns.put("track_hit", std::move(hit));
  columns.put("overflows", std::vector<i32>{found.overflows});
  return columns;
}

}  // namespace sitecap::mkfit
