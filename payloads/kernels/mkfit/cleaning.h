// Which tracks are kept: enough hits, a good fit, and none that shares too many hits with a better one.
#pragma once
#include "kernels/mkfit/candidates.h"

namespace sitecap::mkfit {

// A built track; `hit` lists are most_hits apart, from the outermost to the innermost.
struct Track {
  i32 hits, holes;
  float chi2;  // of the final fit
  float score;
};

SITECAP_FN bool good_track(const Parameters& parameters, const Track& t) {
  const float freedom = static_cast<float>(2 * t.hits - 5);
  return t.hits >= parameters.least_hits && t.chi2 < parameters.fit_chi2 * freedom;
}

// Tracks on each hit as lists: `first[hit]` and `next[...]` are places track * most_hits + i, -1 ends. The
// order within a list does not matter to what follows.
struct Users {
  i32* first;
  i32* next;
};

SITECAP_FN bool better(const Track* tracks, i32 a, i32 b) {
  return tracks[a].score > tracks[b].score || (tracks[a].score == tracks[b].score && a < b);
}

// Whether a better track shares too many hits with this one (CMSSW RecoTracker/MkFitCore, removal of
// duplicates by shared hits: a share of the shorter track's).
SITECAP_FN bool is_duplicate(const Parameters& parameters, const Track* tracks, const i32* hits,
                             const Users& users, i32 own) {
  const i32 most_others = 24;
  i32 other[most_others], common[most_others];
  i32 others = 0;
  for (i32 i = 0; i < tracks[own].hits; ++i) {
    const i32 mine = own * most_hits + i;
    for (i32 place = users.first[hits[mine]]; place >= 0; place = users.next[place]) {
      const i32 track = place / most_hits;
      if (track == own || !better(tracks, track, own)) continue;
      i32 k = 0;
      while (k < others && other[k] != track) ++k;
      if (k == most_others) continue;
      if (k == others) {
        other[k] = track;
        common[k] = 0;
        ++others;
      }
      ++common[k];
    }
  }
  for (i32 k = 0; k < others; ++k) {
    const i32 shorter = min_of(tracks[own].hits, tracks[other[k]].hits);
    if (static_cast<float>(common[k]) >= parameters.shared * static_cast<float>(shorter)) return true;
  }
  return false;
}

}  // namespace sitecap::mkfit
