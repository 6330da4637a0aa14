// Circles through points, in a frame along the chord from the first to the last: well conditioned however
// stiff the track is.
#pragma once
#include "kernels/catracks/views.h"

namespace sitecap::catracks {

template <class F>
struct Chord {
  F x, y;  // of the first point
  F ux, uy, length;

  // Of another point: along the chord and to its left.
  SITECAP_FN void local(F px, F py, F& along, F& across) const {
    along = (px - x) * ux + (py - y) * uy;
    across = (py - y) * ux - (px - x) * uy;
  }
};
template <class F>
SITECAP_FN Chord<F> chord_of(F x0, F y0, F x1, F y1) {
  const F dx = x1 - x0, dy = y1 - y0, length = square_root(dx * dx + dy * dy);
  return {x0, y0, dx / length, dy / length, length};
}

// Points of the circle fulfil across = w (along^2 + across^2 - chord * along).
template <class F>
SITECAP_FN F bend_of(const Chord<F>& chord, F along, F across) {
  return across / (along * along + across * across - chord.length * along);
}
template <class F>
SITECAP_FN F norm_of(const Chord<F>& chord, F w) {
  return square_root(1.f + w * chord.length * (w * chord.length));
}

// Length of the arc over a chord of this length.
template <class F>
SITECAP_FN F arc_length(F curvature, F distance) {
  const F half = smaller(absolute(0.5f * curvature * distance), all_lanes<F>(1.f));
  const F ratio = arc_sine(half) / larger(half, all_lanes<F>(1e-3f));
  return distance * select(half > 1e-3f, ratio, 1.f + half * half * (1.f / 6.f));
}

}  // namespace sitecap::catracks
