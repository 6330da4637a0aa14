// What an event came to, as named arrays. Host only.
#pragma once
#include "kernels/catracks/workspace.h"

namespace sitecap::catracks {

struct Counts {
  i32 hits = 0, doublets = 0, segments = 0, triplets = 0, quintuplets = 0, tracks = 0;
  i32 doublets_over = 0, segments_over = 0, triplets_over = 0,
      quintuplets_over = 0;                          // not held by the workspace
  i32 pairs_of_segments = 0, pairs_of_triplets = 0;  // looked at
};

// Arrays of a result by name, in a fixed order, to `put(name, data, count)`.
template <class Put>
void each_result(const Workspace& s, const Counts& n, const Put& put) {
  put("doublet_lower", s.doublets.lower, n.doublets);
  put("doublet_upper", s.doublets.upper, n.doublets);
  put("doublet_angle", s.doublets.angle, n.doublets);
  put("segment_inner", s.segments.inner, n.segments);
  put("segment_outer", s.segments.outer, n.segments);
  put("triplet_inner", s.triplets.inner, n.triplets);
  put("triplet_outer", s.triplets.outer, n.triplets);
  put("quintuplet_inner", s.quintuplets.inner, n.quintuplets);
  put("quintuplet_outer", s.quintuplets.outer, n.quintuplets);
  put("quintuplet_chi2_bend", s.quintuplets.chi2_bend, n.quintuplets);
  put("quintuplet_chi2_rz", s.quintuplets.chi2_rz, n.quintuplets);
  put("track_quintuplet", s.track, n.tracks);
  put("path_offset", s.path_start, n.tracks + 1);
  put("path_doublet", s.path_point, s.path_start[n.tracks]);
}

inline std::vector<i32> numbers_of(const Counts& n) {
  return {n.doublets_over,    n.segments_over,     n.triplets_over,
          n.quintuplets_over, n.pairs_of_segments, n.pairs_of_triplets};
}

struct TrackColumns {
  std::vector<float> pt, phi, cotangent, impact;
  std::vector<i32> charge;
};
inline TrackColumns tracks_of(const Cuts& cuts, const Workspace& s, const Counts& n) {
  TrackColumns columns;
  for (i32 k = 0; k < n.tracks; ++k) {
    const Track track = track_of(cuts, s.doublets, s.quintuplets, s.track[k]);
    columns.pt.push_back(track.pt_gev);
    columns.phi.push_back(track.phi);
    columns.cotangent.push_back(track.cotangent);
    columns.impact.push_back(track.impact_cm);
    columns.charge.push_back(track.charge);
  }
  return columns;
}

// Columns, of which README.md tells the meaning.
inline Columns results_of(const Cuts& cuts, const Workspace& s, const Counts& n) {
  Columns columns;
  each_result(s, n, [&](const char* name, const auto* values, i32 count) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(values)>>;
    columns.put(name, std::vector<T>(values, values + count));
  });
  TrackColumns tracks = tracks_of(cuts, s, n);
  columns.put("track_pt", std::move(tracks.pt));
  columns.put("track_phi", std::move(tracks.phi));
  columns.put("track_cot", std::move(tracks.cotangent));
  columns.put("track_impact", std::move(tracks.impact));
  columns.put("track_charge", std::move(tracks.charge));
  const char* const names[] = {"overflow_doublets",    "overflow_segments",   "overflow_triplets",
                               "overflow_quintuplets", "count_segment_pairs", "count_triplet_pairs"};
  const std::vector<i32> numbers = numbers_of(n);
  for (std::size_t i = 0; i < numbers.size(); ++i) columns.put(names[i], std::vector<i32>{numbers[i]});
  return columns;
}

inline u64 digest_of(const Cuts& cuts, const Workspace& s, const Counts& n) {
  Digest digest;
  each_result(s, n, [&](const char*, const auto* values, i32 count) { digest.add(values, count); });
  const TrackColumns tracks = tracks_of(cuts, s, n);
  for (const auto* column : {&tracks.pt, &tracks.phi, &tracks.cotangent, &tracks.impact})
    digest.add(column->data(), n.tracks);
  digest.add(tracks.charge.data(), n.tracks);
  const std::vector<i32> numbers = numbers_of(n);
  digest.add(numbers.data(), static_cast<i64>(numbers.size()));
  return digest.value();
}

}  // namespace sitecap::catracks
