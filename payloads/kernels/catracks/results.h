// What an event came to, as named arrays, wherever it ran. Host only.
#pragma once
#include <vector>

#include "host/found.h"
#include "kernels/catracks/stages.h"

namespace sitecap::catracks {

// Views of one event's result in the host's memory.
struct Found {
  Counts n;
  Doublets doublets;
  Segments segments;
  Triplets triplets;
  Quintuplets quintuplets;
  i32 *track, *path_start, *path_point;
  Tracks tracks;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("doublet_lower", doublets.lower, n.doublets);
    visit("doublet_upper", doublets.upper, n.doublets);
    visit("doublet_angle", doublets.angle, n.doublets);
    visit("segment_inner", segments.inner, n.segments);
    visit("segment_outer", segments.outer, n.segments);
    visit("triplet_inner", triplets.inner, n.triplets);
    visit("triplet_outer", triplets.outer, n.triplets);
    visit("quintuplet_inner", quintuplets.inner, n.quintuplets);
    visit("quintuplet_outer", quintuplets.outer, n.quintuplets);
    visit("quintuplet_chi2_bend", quintuplets.chi2_bend, n.quintuplets);
    visit("quintuplet_chi2_rz", quintuplets.chi2_rz, n.quintuplets);
    visit("track_quintuplet", track, n.tracks);
    visit("path_offset", path_start, n.tracks + 1);
    visit("path_doublet", path_point, n.path_points);
    visit("track_pt", tracks.pt_gev, n.tracks);
    visit("track_phi", tracks.phi, n.tracks);
    visit("track_cot", tracks.cotangent, n.tracks);
    visit("track_impact", tracks.impact_cm, n.tracks);
    visit("track_charge", tracks.charge, n.tracks);
  }
};

inline std::vector<i32> numbers_of(const Counts& n) {
  return {n.doublets_over,    n.segments_over,     n.triplets_over,
          n.quintuplets_over, n.pairs_of_segments, n.pairs_of_triplets};
}

// Columns, of which README.md tells the meaning.
inline Columns columns_of(const Found& found) {
  Columns columns = sitecap::columns_of<Found>(found);
  const char* const names[] = {"overflow_doublets",    "overflow_segments",   "overflow_triplets",
                               "overflow_quintuplets", "count_segment_pairs", "count_triplet_pairs"};
  const std::vector<i32> numbers = numbers_of(found.n);
  for (std::size_t i = 0; i < numbers.size(); ++i) columns.put(names[i], std::vector<i32>{numbers[i]});
  return columns;
}

inline u64 digest_of(Found found) {
  Digest digest;
  found.each_column([&digest](const char*, const auto* view, i64 count) { digest.add(view, count); });
  const std::vector<i32> numbers = numbers_of(found.n);
  digest.add(numbers.data(), static_cast<i64>(numbers.size()));
  return digest.value();
}

}  // namespace sitecap::catracks
