// Segments to triplets: two that share a mini-doublet, point alike and lie on a line along the beam.
#pragma once
#include "kernels/catracks/circle.h"
#include "kernels/catracks/segments.h"

namespace sitecap::catracks {

// W mini-doublets picked out of many.
template <class F>
struct Picked {
  F x, y, z, along_x, along_y, along_z;

  SITECAP_FN Picked() {}
  SITECAP_FN Picked(const Doublets& d, IntOf<F> i)
      : x(gather(d.x, i)),
        y(gather(d.y, i)),
        z(gather(d.z, i)),
        along_x(gather(d.along_x, i)),
        along_y(gather(d.along_y, i)),
        along_z(gather(d.along_z, i)) {}
  SITECAP_FN F along_r() const { return square_root(along_x * along_x + along_y * along_y); }
};

template <class F>
SITECAP_FN F square(F x) {
  return x * x;
}

// Whether z is a line against the path across the beam.
template <class F>
SITECAP_FN MaskOf<F> are_straight(const Cuts& cuts, const Picked<F>& a, const Picked<F>& b,
                                  const Picked<F>& c, F chord_ab) {
  const Chord<F> chord = chord_of(a.x, a.y, c.x, c.y);
  F along, across;
  chord.local(b.x, b.y, along, across);
  const F w = bend_of(chord, along, across);
  const F curvature = 2.f * w / norm_of(chord, w);
  const F ab = arc_length(curvature, chord_ab), ac = arc_length(curvature, chord.length), bc = ac - ab;
  const F z_ab = b.z - a.z, z_ac = c.z - a.z, z_bc = c.z - b.z;
  const F miss = z_ab * ac - z_ac * ab;
  // a point may lie elsewhere along its cell, in z and in r alike
  const F variance = (square(absolute(bc) * a.along_z + absolute(z_bc) * a.along_r()) +
                      square(absolute(ac) * b.along_z + absolute(z_ac) * b.along_r()) +
                      square(absolute(ab) * c.along_z + absolute(z_ab) * c.along_r())) *
                     (1.f / 3.f);
  const F slope = z_ac / ac;
  const F scattered =
      cuts.radians_per_curvature * absolute(curvature) * square_root(1.f + slope * slope) * ab * bc;
  return miss * miss < cuts.rz_sigmas * cuts.rz_sigmas * (variance + scattered * scattered);
}

// Item: as many pairs of segments as lanes, by their three mini-doublets.
template <class F>
SITECAP_FN MaskOf<F> are_triplets(const Cuts& cuts, const Doublets& d, IntOf<F> i, IntOf<F> j, IntOf<F> k) {
  const Picked<F> a(d, i), b(d, j), c(d, k);
  const F r = gather(d.r, i);
  const auto a_pixels = gather(d.has_pixels, i) != 0;
  const auto b_by_z = (gather(d.layer, j) >= barrel_layers) & !(a_pixels & (gather(d.has_pixels, j) != 0));
  const auto c_by_z = (gather(d.layer, k) >= barrel_layers) & !(a_pixels & (gather(d.has_pixels, k) != 0));
  const F inner = direction_of<F>(a.x, a.y, a.z, r, b.x, b.y, b.z, gather(d.r, j), b_by_z);
  const F whole = direction_of<F>(a.x, a.y, a.z, r, c.x, c.y, c.z, gather(d.r, k), c_by_z);
  const F ab = square_root(square(b.x - a.x) + square(b.y - a.y)),
          ac = square_root(square(c.x - a.x) + square(c.y - a.y));
  const F bend = slope_of(cuts, larger(ac - ab, F{})) + cuts.segment_resolution_cm / ab;
  return (absolute(inner - whole) < bend) & are_straight(cuts, a, b, c, ab);
}

}  // namespace sitecap::catracks
