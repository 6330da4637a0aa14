// Doublets to n-tuplets: a cellular automaton whose cells are doublets and whose links are compatible
// triplets.
//
// F. Pantaleo et al., "New track seeding techniques for the CMS experiment" (2017), CMSSW's
// CAHitNtupletGenerator. The cuts are its: alignment in r-z, and a circle through the three hits that passes
// the beam line closely enough.
#pragma once
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

// A doublet as the outer part of a triplet.
struct OuterPart {
  float middle_x, middle_y, middle_z, middle_r, outer_x, outer_y, outer_z, outer_r;
  float max_misalignment;
};

// Which of the doublets from `first` on, all ending at the middle hit, make a triplet with `part`.
// `max_dca_cm` belongs to their inner layers.
template <class F>
SITECAP_FN MaskOf<F> are_linked(const Topology& t, const Doublets& doublets, i32 first, F max_dca_cm,
                                const OuterPart& part) {
  const F x1 = load<F>(doublets.inner_x + first), y1 = load<F>(doublets.inner_y + first);
  const F z1 = load<F>(doublets.inner_z + first), r1 = load<F>(doublets.inner_r + first);

  // r-z: the area of the triangle against its base, tighter for low momenta that scatter
  const F dr = absolute(part.outer_r - r1);
  const F dz = part.outer_z - z1;
  const F base2 = dr * dr + dz * dz;
  const F area = absolute(z1 * (part.middle_r - part.outer_r) + part.middle_z * (part.outer_r - r1) +
                          part.outer_z * (r1 - part.middle_r));
  const F allowed = part.max_misalignment * dr;
  auto good = area * area * (t.min_pt_gev * t.min_pt_gev) <= allowed * allowed * base2;
  if (!any(good)) return good;

  // Circle through the three: with a and b from the inner hit to the others, its centre is the inner hit + n
  // / d
  const F ax = part.middle_x - x1, ay = part.middle_y - y1;
  const F bx = part.outer_x - x1, by = part.outer_y - y1;
  const F a2 = ax * ax + ay * ay, b2 = bx * bx + by * by;
  const F d = 2.f * (ax * by - ay * bx);
  const F nx = by * a2 - ay * b2, ny = ax * b2 - bx * a2;
  const F n2 = nx * nx + ny * ny;
  good = good & (d * d <= t.max_curvature_per_cm * t.max_curvature_per_cm * n2);
  // | |d p + n| - |n| | / |d|, as a quotient that keeps its digits for straight tracks
  const F px = d * x1 + nx, py = d * y1 + ny;
  const F difference = d * (x1 * x1 + y1 * y1) + 2.f * (x1 * nx + y1 * ny);
  return good & (absolute(difference) <= max_dca_cm * (square_root(px * px + py * py) + square_root(n2)));
}

// Item: a doublet, one lane. Calls visit(inner doublet) for its links, in order.
template <class Visit>
SITECAP_FN void each_link_of(const Topology& t, const Hits& hits, const Doublets& d, i32 k,
                             const Visit& visit) {
  const i32 middle = d.inner[k], outer = d.outer[k];
  const OuterPart part{d.inner_x[k],  d.inner_y[k],  d.inner_z[k],
                       d.inner_r[k],  hits.x[outer], hits.y[outer],
                       hits.z[outer], hits.r[outer], t.layer[t.pair[d.pair[k]].inner].max_misalignment};
  for (i32 i = d.of_outer[middle]; i < d.of_outer[middle + 1]; ++i)
    if (are_linked<float>(t, d, i, t.layer[t.pair[d.pair[i]].inner].max_dca_cm, part)) visit(i);
}

// Item: a doublet that has links. Whether another one of the same outer hit, on another module, points the
// same way and is shorter: then this one only repeats it ("fishbone").
SITECAP_FN bool is_repeated(const Topology& t, const Hits& hits, const Doublets& doublets, i32 doublet) {
  const i32 outer = doublets.outer[doublet];
  const float ox = hits.x[outer], oy = hits.y[outer], oz = hits.z[outer];
  const float x = doublets.inner_x[doublet] - ox, y = doublets.inner_y[doublet] - oy,
              z = doublets.inner_z[doublet] - oz;
  const float length2 = x * x + y * y + z * z;
  const i32 module = hits.module[doublets.inner[doublet]];
  for (i32 other = doublets.of_outer[outer]; other < doublets.of_outer[outer + 1]; ++other) {
    if (other == doublet || !(doublets.flags[other] & flag_used)) continue;
    const float u = doublets.inner_x[other] - ox, v = doublets.inner_y[other] - oy,
                w = doublets.inner_z[other] - oz;
    const float other2 = u * u + v * v + w * w;
    // sine of the angle between them, which keeps its digits where a cosine is all nines
    const float a = y * w - z * v, b = z * u - x * w, c = x * v - y * u;
    const bool shorter = other2 < length2 || (other2 == length2 && other < doublet);
    if (shorter && a * a + b * b + c * c <= t.max_sine2 * length2 * other2 &&
        hits.module[doublets.inner[other]] != module)
      return true;
  }
  return false;
}

// Item: a doublet that lives and is not continued outwards. Walks inwards along all links; every path that
// stands at a pair where n-tuplets may begin, with hits enough, goes to `found(path, doublets of it)`,
// outermost doublet first.
template <class Found>
SITECAP_FN void walk_inwards(const Topology& t, const Doublets& doublets, const Links& links, i32 outermost,
                             const Found& found) {
  i32 path[max_hits_on_track], next[max_hits_on_track];
  i32 depth = 0;
  path[0] = outermost;
  next[0] = links.start[outermost];
  for (;;) {
    const i32 here = path[depth];
    if (next[depth] == links.start[here + 1] || depth + 2 == max_hits_on_track) {
      if (depth == 0) return;
      --depth;
      continue;
    }
    const i32 inner = links.inner[next[depth]++];
    if (doublets.flags[inner] & flag_killed) continue;
    ++depth;
    path[depth] = inner;
    next[depth] = links.start[inner];
    const LayerPair& pair = t.pair[doublets.pair[inner]];
    if (depth + 2 >= t.min_hits && (t.min_hits > 3 ? pair.starts_quadruplet : pair.starts_triplet))
      found(path, depth + 1);
  }
}

// What n-tuplet k is: the path of `length` doublets that walk_inwards found, from place `at` of both lists
// on.
SITECAP_FN void fill_tuple(const Doublets& d, const i32* path, i32 length, i32 k, i32 at,
                           const Tuples& tuples) {
  tuples.start[k] = at;
  for (i32 i = length - 1; i >= 0; --i, ++at) {
    tuples.doublet[at] = path[i];
    tuples.hit[at] = d.inner[path[i]];
  }
  tuples.doublet[at] = -1;
  tuples.hit[at] = d.outer[path[0]];
}

}  // namespace sitecap::pixeltrack
