// Which n-tuplets are tracks: of those that share doublets the longest, of a good fit the best, each hit to
// one track.
//
// Every step first lets each n-tuplet bid for what it shares (least key wins, whatever the order), then asks
// who lost.
#pragma once
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

// *at = min(*at, key), whoever else does the same.
SITECAP_FN void lower_to(u64* at, u64 key) {
#if SITECAP_GPU
  atomicMin(at, key);
#else
  if (key < *at) *at = key;
#endif
}

SITECAP_CONST u64 no_bid = ~static_cast<u64>(0);

// Longer first, then by lower chi2, then by index: all different.
SITECAP_FN u64 bid_of(i32 hits, float chi2, i32 tuple) {
  const u64 shortness = static_cast<u64>(max_hits_on_track - hits);
  const u64 misfit = static_cast<u64>(bits_of(larger(chi2, 0.f)));
  return shortness << 56 | misfit << 24 | static_cast<u64>(tuple & 0xffffff);
}
// As above without a fit: equal lengths bid equally.
SITECAP_FN u64 bid_of_length(i32 hits) {
  return static_cast<u64>(max_hits_on_track - hits);
}

// Item: an n-tuplet. Whether all its doublets are in no longer one.
SITECAP_FN bool is_longest(const Tuples& tuples, const u64* best_of_doublet, i32 tuple) {
  const i32 start = tuples.start[tuple], hits = tuples.start[tuple + 1] - start;
  for (i32 k = 0; k + 1 < hits; ++k)
    if (best_of_doublet[tuples.doublet[start + k]] < bid_of_length(hits)) return false;
  return true;
}

// Item: a fitted n-tuplet. Quality by chi2 (cut rising with pT) and by distance from the beam region.
SITECAP_FN i32 quality_of_fit(const Topology& t, const Tracks& tracks, i32 hits, i32 track) {
  const float pt = tracks.pt[track], chi2 = tracks.chi2[track];
  const float p = min_of(pt, 10.f);
  // coefficients of CMSSW's trackQualityCuts; there for quadruplets, hence the 3 degrees of freedom
  const float border = (hits > 3 ? t.quadruplet_max_chi2_scale : t.triplet_max_chi2_scale) *
                       (0.68177776f + p * (0.74609577f + p * (-0.08035491f + p * 0.00315399f)));
  const float reduced = chi2 / static_cast<float>(2 * hits - 5);
  const float max_tip = hits > 3 ? t.quadruplet_max_tip_cm : t.triplet_max_tip_cm;
  const float min_pt = hits > 3 ? t.quadruplet_min_pt_gev : t.triplet_min_pt_gev;
  // written so that a fit that is not a number is bad
  const bool good = 3.f * reduced < border && absolute(tracks.tip[track]) < max_tip && pt > min_pt &&
                    absolute(tracks.zip[track]) < t.max_zip_cm;
  return good ? quality_good : quality_bad_fit;
}

// Item: a good n-tuplet. Whether all its doublets are its own.
SITECAP_FN bool is_best_of_doublets(const Tuples& tuples, const u64* best_of_doublet, i32 tuple, u64 bid) {
  const i32 start = tuples.start[tuple], end = tuples.start[tuple + 1] - 1;
  for (i32 k = start; k < end; ++k)
    if (best_of_doublet[tuples.doublet[k]] < bid) return false;
  return true;
}

// Hits that a track may lose to better ones.
SITECAP_FN i32 most_lost_hits(const Topology& t, i32 hits) {
  return hits > 3 ? t.quadruplet_max_lost_hits : t.triplet_max_lost_hits;
}

// Item: a good n-tuplet. Hits that a better one has.
SITECAP_FN i32 hits_lost(const Tuples& tuples, const u64* best_of_hit, i32 tuple, u64 bid) {
  i32 lost = 0;
  for (i32 k = tuples.start[tuple]; k < tuples.start[tuple + 1]; ++k)
    lost += best_of_hit[tuples.hit[k]] < bid;
  return lost;
}

}  // namespace sitecap::pixeltrack
