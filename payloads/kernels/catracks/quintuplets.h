// Triplets to quintuplets: two that share a mini-doublet, whose five points lie on a helix.
#pragma once
#include "kernels/catracks/triplets.h"

namespace sitecap::catracks {

SITECAP_CONST int points = 5;
// Of the angle of scattering in a module, times the distance between its neighbours: how far it moves the
// point.
SITECAP_CONST float scattered_part = 0.25f;

template <class F>
struct Helix {
  F curvature, direction, cotangent, chi2_bend, chi2_rz;
};

// Sums of a weighted fit of value = p0 + p1 t + p2 t^2.
template <class F>
struct Sums {
  F w{}, t{}, t2{}, t3{}, t4{}, v{}, vt{}, vt2{}, vv{};

  SITECAP_FN void add(F weight, F at, F value) {
    const F wt = weight * at, wt2 = wt * at, wv = weight * value;
    w = w + weight;
    t = t + wt;
    t2 = t2 + wt2;
    t3 = t3 + wt2 * at;
    t4 = t4 + wt2 * at * at;
    v = v + wv;
    vt = vt + wv * at;
    vt2 = vt2 + wv * at * at;
    vv = vv + wv * value;
  }
  // Slope of the line, and its chi2.
  SITECAP_FN void line(F& slope, F& chi2) const {
    const F mean_t = t / w;
    const F tt = t2 - t * mean_t, tv = vt - v * mean_t;
    slope = tv / tt;
    chi2 = vv - v * v / w - slope * tv;
  }
  // Of the parabola p1, p2 and chi2: Cholesky's method, the constant first.
  SITECAP_FN void parabola(F& p1, F& p2, F& chi2) const {
    const F mean_t = t / w, mean_t2 = t2 / w;
    const F a11 = t2 - t * mean_t, a12 = t3 - t2 * mean_t, a22 = t4 - t2 * mean_t2;
    const F b1 = vt - v * mean_t, b2 = vt2 - v * mean_t2;
    const F ratio = a12 / a11, left = a22 - ratio * a12, right = b2 - ratio * b1;
    p2 = right / left;
    p1 = (b1 - a12 * p2) / a11;
    chi2 = vv - v * v / w - b1 * b1 / a11 - right * p2;
  }
};

// The circle through the first, third and last point is bettered by a parabola in the path, fitted to how far
// the points lie from it; then the line of z against the path through the first and last by another one.
template <class F>
SITECAP_FN Helix<F> fit_helix(const Cuts& cuts, const Picked<F>* p) {
  const Chord<F> chord = chord_of(p[0].x, p[0].y, p[4].x, p[4].y);
  F along[points], across[points], path[points];
  for (int k = 0; k < points; ++k) chord.local(p[k].x, p[k].y, along[k], across[k]);
  const F w = bend_of(chord, along[2], across[2]), norm = norm_of(chord, w);
  const F curvature = 2.f * w / norm;
  for (int k = 0; k < points; ++k)
    path[k] = arc_length(curvature, square_root(along[k] * along[k] + across[k] * across[k]));
  const F length = path[4];
  const F cotangent = (p[4].z - p[0].z) / length, steepness = absolute(cotangent);
  const F angle = cuts.radians_per_curvature * absolute(curvature);
  const F half_turn = 0.5f * curvature * chord.length;
  const F bounded = larger(smaller(half_turn, all_lanes<F>(1.f)), all_lanes<F>(-1.f));
  const F beta = arc_tangent(chord.uy, chord.ux) - arc_sine(bounded);
  Sums<F> bent, straight;
  for (int k = 0; k < points; ++k) {
    const F reach = path[k < 4 ? k + 1 : 4] - path[k > 0 ? k - 1 : 0];
    const F scattered = scattered_part * angle * reach;
    const F scattered2 = scattered * scattered;
    // along its cell a point may be off the circle as far as the cell is not parallel to the track
    F sine, cosine;
    sine_cosine(beta + curvature * path[k], sine, cosine);
    const F slant = p[k].along_x * sine - p[k].along_y * cosine;
    const F pitch2 = all_lanes<F>(pitch_sigma_cm * pitch_sigma_cm);
    const F away =
        (across[k] - w * (along[k] * along[k] + across[k] * across[k] - chord.length * along[k])) / norm;
    const F t = path[k] / length;
    bent.add(1.f / (pitch2 + scattered2 + slant * slant * (1.f / 3.f)), t, away);
    const F room = p[k].along_z + steepness * p[k].along_r();
    straight.add(1.f / (room * room * (1.f / 3.f) + (1.f + cotangent * cotangent) * scattered2 + pitch2), t,
                 p[k].z - p[0].z - cotangent * path[k]);
  }
  Helix<F> helix;
  F p1, p2, slope;
  bent.parabola(p1, p2, helix.chi2_bend);
  straight.line(slope, helix.chi2_rz);
  helix.curvature = curvature + 2.f * p2 / (length * length);
  helix.direction = reduced_angle(beta + p1 / length);
  helix.cotangent = cotangent + slope / length;
  return helix;
}

// Item: as many pairs of triplets as lanes, by their five mini-doublets. Written so that what is no number is
// bad.
template <class F>
SITECAP_FN MaskOf<F> are_quintuplets(const Cuts& cuts, const Doublets& d, const IntOf<F>* point,
                                     Helix<F>& helix) {
  Picked<F> p[points];
  for (int k = 0; k < points; ++k) p[k] = Picked<F>(d, point[k]);
  helix = fit_helix(cuts, p);
  return (helix.chi2_bend < cuts.max_chi2_bend) & (helix.chi2_rz < cuts.max_chi2_rz) &
         (absolute(helix.curvature) * cuts.min_pt_gev < cuts.bend_gev_per_cm);
}

// The five mini-doublets of two triplets that share one.
SITECAP_FN void points_of(const Segments& s, const Triplets& t, i32 inner, i32 outer, i32* point) {
  point[0] = s.inner[t.inner[inner]];
  point[1] = s.outer[t.inner[inner]];
  point[2] = s.outer[t.outer[inner]];
  point[3] = s.outer[t.inner[outer]];
  point[4] = s.outer[t.outer[outer]];
}

}  // namespace sitecap::catracks
