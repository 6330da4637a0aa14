// Which quintuplets are tracks: of two that share most of their hits the one of less chi2; and what the
// others add to it in further layers.
#pragma once
#include "kernels/catracks/quintuplets.h"

namespace sitecap::catracks {

// Quintuplets by lower hit: start [hits + 1], member [5 * quintuplets].
struct Owners {
  i32 *start, *member;
};

// Hits that two quintuplets have in common.
SITECAP_FN i32 shared_hits(const Doublets& d, const i32* one, const i32* other) {
  i32 shared = 0;
  for (int a = 0; a < points; ++a)
    for (int b = 0; b < points; ++b)
      shared +=
          (d.lower[one[a]] == d.lower[other[b]] ? 1 : 0) + (d.upper[one[a]] == d.upper[other[b]] ? 1 : 0);
  return shared;
}

SITECAP_FN float misfit_of(const Quintuplets& q, i32 k) {
  return q.chi2_bend[k] + q.chi2_rz[k];
}

// Item: a quintuplet. Whether none that shares as many hits fits better (of equals: comes before).
SITECAP_FN bool is_track(const Cuts& cuts, const Doublets& d, const Quintuplets& q, const Owners& owners,
                         i32 k) {
  const i32* own = q.point + points * k;
  const float misfit = misfit_of(q, k);
  for (int a = 0; a < points; ++a) {
    const i32 hit = d.lower[own[a]];
    for (i32 i = owners.start[hit]; i < owners.start[hit + 1]; ++i) {
      const i32 other = owners.member[i];
      const float others = misfit_of(q, other);
      if (others > misfit || (others == misfit && other >= k)) continue;
      if (static_cast<float>(shared_hits(d, own, q.point + points * other)) >= cuts.least_shared_hits)
        return false;
    }
  }
  return true;
}

// A track's mini-doublets, from inside to outside.
struct Path {
  i32 length;
  i32 point[layers];
};

// Item: a track. In a layer where it has none, the mini-doublet of the best-fitting quintuplet that shares
// enough.
SITECAP_FN Path path_of(const Cuts& cuts, const Doublets& d, const Quintuplets& q, const Owners& owners,
                        i32 k) {
  const i32* own = q.point + points * k;
  i32 at[layers], giver[layers];
  for (int l = 0; l < layers; ++l) at[l] = giver[l] = -1;
  for (int a = 0; a < points; ++a) at[d.layer[own[a]]] = own[a];
  for (int a = 0; a < points; ++a) {
    const i32 hit = d.lower[own[a]];
    for (i32 i = owners.start[hit]; i < owners.start[hit + 1]; ++i) {
      const i32 other = owners.member[i];
      if (other == k) continue;
      const i32* others = q.point + points * other;
      for (int b = 0; b < points; ++b) {
        const i32 point = others[b];
        const i32 layer = d.layer[point], best = giver[layer];
        if (best < 0 && at[layer] >= 0) continue;  // one of our own
        if (best >= 0 && (misfit_of(q, best) < misfit_of(q, other) ||
                          (misfit_of(q, best) == misfit_of(q, other) && best <= other)))
          continue;
        if (static_cast<float>(shared_hits(d, own, others)) < cuts.least_common_hits) continue;
        at[layer] = point;
        giver[layer] = other;
      }
    }
  }
  Path path{0, {}};
  for (int l = 0; l < layers; ++l)
    if (at[l] >= 0) path.point[path.length++] = at[l];
  return path;
}

// A track at the point where it is closest to the beam line.
struct Track {
  float pt_gev, phi, cotangent, impact_cm;
  i32 charge;
};
SITECAP_FN Track track_of(const Cuts& cuts, const Doublets& d, const Quintuplets& q, i32 k) {
  const i32 first = q.point[points * k];
  const float curvature = q.curvature[k];
  float sine, cosine;
  sine_cosine(q.direction[k], sine, cosine);
  // curvature times the circle's centre: no difference of large numbers for stiff tracks
  const float x = curvature * d.x[first] - sine, y = curvature * d.y[first] + cosine;
  const float size = square_root(x * x + y * y);
  const float left = -d.x[first] * sine + d.y[first] * cosine;
  Track track;
  track.pt_gev = cuts.bend_gev_per_cm / larger(absolute(curvature), 1e-9f);
  track.phi = arc_tangent(-x, y);
  track.cotangent = q.cotangent[k];
  track.impact_cm = absolute(curvature * d.r[first] * d.r[first] + 2.f * left) / (size + 1.f);
  track.charge = curvature < 0.f ? 1 : -1;
  return track;
}
SITECAP_FN void put_track(const Tracks& to, i32 at, const Track& track) {
  to.pt_gev[at] = track.pt_gev;
  to.phi[at] = track.phi;
  to.cotangent[at] = track.cotangent;
  to.impact_cm[at] = track.impact_cm;
  to.charge[at] = track.charge;
}

}  // namespace sitecap::catracks
