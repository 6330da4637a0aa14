// One measurement into the state: residual, chi2 and the gain of the Kalman filter (R. Fruehwirth, NIM A 262
// (1987) 444), with the two-dimensional measurement of a sensor's plane.
#pragma once
#include "kernels/mkfit/helix.h"

namespace sitecap::mkfit {

// To the surface of a point, the cylinder through it or the disc; `reached` is false where it is not met. The
// covariance that `transport` takes there stays that of a fixed length of path: what it says along the track,
// a measurement on a surface does not see (`axes_of`), so that nothing is projected from step to step.
template <int kind, class F>
SITECAP_FN Arc<F> arc_to_point(const State<F>& s, const Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc,
                               MaskOf<F>& reached) {
  Arc<F> arc;
  if constexpr (kind == disc) {
    arc = arc_to_disc(s, h, p.z, reached);
  } else {
    const F radius = p.x * p.ux + p.y * p.uy;
    arc = arc_to_cylinder(s, h, radius * radius, reached);
    if constexpr (kind == either) {
      MaskOf<F> reached_disc;
      const Arc<F> other = arc_to_disc(s, h, p.z, reached_disc);
      arc = Arc<F>{select(is_disc, other.t, arc.t), select(is_disc, other.u, arc.u),
                   select(is_disc, other.path, arc.path)};
      reached = (is_disc & reached_disc) | ((is_disc == 0) & reached);
    }
  }
  (void)is_disc;
  return arc;
}

// What a position error moves the measured coordinates by when the track is followed to the surface again:
// the unit vectors of measurement less their share of the surface's normal, so that both are at right angles
// to the track. `kind` cylinder: t has no z and l has z 1; disc: both have the sensor's x and y.
template <class F>
struct Axes {
  F tx, ty, tz, lx, ly, lz;
};

template <int kind, class F>
SITECAP_FN Axes<F> axes_of(const Heading<F>& h, F ux, F uy, MaskOf<F> is_disc) {
  Axes<F> a{};
  const F outwards = ux * h.cos_phi + uy * h.sin_phi;
  const F one = all_lanes<F>(1.f);
  if constexpr (kind == cylinder) {
    const F inverse = 1.f / outwards, slope = -h.cot_theta * inverse;
    a = Axes<F>{-h.sin_phi * inverse, h.cos_phi * inverse, F{}, ux * slope, uy * slope, one};
  } else {
    const F sideways = ux * h.sin_phi - uy * h.cos_phi;
    if constexpr (kind == disc) {
      const F inverse = 1.f / h.cot_theta;
      a = Axes<F>{-uy, ux, -sideways * inverse, ux, uy, -outwards * inverse};
    } else {
      const F inverse = 1.f / select(is_disc, h.cot_theta, outwards), slope = -h.cot_theta * inverse;
      a = Axes<F>{select(is_disc, -uy, -h.sin_phi * inverse),
                  select(is_disc, ux, h.cos_phi * inverse),
                  select(is_disc, -sideways * inverse, F{}),
                  select(is_disc, ux, ux * slope),
                  select(is_disc, uy, uy * slope),
                  select(is_disc, -outwards * inverse, one)};
    }
  }
  (void)is_disc;
  return a;
}

// x, y and z of a covariance's row along one axis; zeros and ones are not multiplied.
template <int kind, class F>
SITECAP_FN F along_t(const Axes<F>& a, F x, F y, F z) {
  if constexpr (kind == cylinder) return a.tx * x + a.ty * y;
  return a.tx * x + a.ty * y + a.tz * z;
}
template <int kind, class F>
SITECAP_FN F along_l(const Axes<F>& a, F x, F y, F z) {
  if constexpr (kind == cylinder) return a.lx * x + a.ly * y + z;
  return a.lx * x + a.ly * y + a.lz * z;
}

// Residuals in the plane of measurement, made independent of each other: the covariance of (t, l - mix t) is
// diagonal.
template <class F>
struct Residual {
  F t, l;  // cm, l less mix t
  F mix;
  F weight_t, weight_l;  // 1/cm2
  F chi2;
};

// The rows of C Ht: covariance of each parameter with the two measured coordinates.
template <class F>
struct Coupling {
  F t[6], l[6];
};

template <int kind, class F>
SITECAP_FN Coupling<F> coupling(const State<F>& s, const Axes<F>& a) {
  Coupling<F> k;
  SITECAP_UNROLL
  for (int i = 0; i < 6; ++i) {
    const F cx = s.c[packed(i, 0)], cy = s.c[packed(i, 1)], cz = s.c[packed(i, 2)];
    k.t[i] = along_t<kind>(a, cx, cy, cz);
    k.l[i] = along_l<kind>(a, cx, cy, cz);
  }
  return k;
}

template <int kind, class F>
SITECAP_FN Residual<F> residual(const State<F>& s, const Point<F>& p, const Axes<F>& a, const Coupling<F>& k,
                                MaskOf<F> is_disc) {
  Residual<F> r;
  const F dx = p.x - s.x, dy = p.y - s.y, dz = p.z - s.z;
  r.t = p.ux * dy - p.uy * dx;
  if constexpr (kind == cylinder)
    r.l = dz;
  else if constexpr (kind == disc)
    r.l = p.ux * dx + p.uy * dy;
  else
    r.l = select(is_disc, p.ux * dx + p.uy * dy, dz);
  (void)is_disc;
  const F tt = along_t<kind>(a, k.t[0], k.t[1], k.t[2]) + p.tt;
  const F tl = along_t<kind>(a, k.l[0], k.l[1], k.l[2]) + p.tl;
  const F ll = along_l<kind>(a, k.l[0], k.l[1], k.l[2]) + p.ll;
  const F determinant = tt * ll - tl * tl;
  const F inverse = 1.f / (tt * determinant);  // one division for both weights
  r.weight_t = determinant * inverse;
  r.weight_l = tt * (tt * inverse);
  r.mix = tl * r.weight_t;
  r.l = r.l - r.mix * r.t;
  r.chi2 = r.weight_t * (r.t * r.t) + r.weight_l * (r.l * r.l);
  return r;
}

// How far a measurement turns the momentum, rad.
template <class F>
struct Turn {
  F phi, theta;
};

// Parameters and covariance after the measurement; the heading is still that of before.
template <class F>
SITECAP_FN Turn<F> gain(State<F>& s, const Coupling<F>& k, const Residual<F>& r) {
  F l[6], step[6];
  SITECAP_UNROLL
  for (int i = 0; i < 6; ++i) {  // row by row: what is held between them fits into the registers
    l[i] = k.l[i] - r.mix * k.t[i];
    const F gt = k.t[i] * r.weight_t, gl = l[i] * r.weight_l;
    step[i] = gt * r.t + gl * r.l;
    SITECAP_UNROLL
    for (int j = 0; j <= i; ++j) s.c[packed(i, j)] = s.c[packed(i, j)] - (gt * k.t[j] + gl * l[j]);
  }
  s.x = s.x + step[0];
  s.y = s.y + step[1];
  s.z = s.z + step[2];
  s.inverse_pt = larger(s.inverse_pt + step[3], all_lanes<F>(1e-4f));
  s.phi = s.phi + step[4];
  s.theta = s.theta + step[5];
  return {step[4], step[5]};
}

// The state and its heading after the measurement.
template <class F>
SITECAP_FN void apply_gain(State<F>& s, Heading<F>& h, const Coupling<F>& k, const Residual<F>& r) {
  const Turn<F> turn = gain(s, k, r);
  turn_heading(s, h, turn.phi, turn.theta);
}

// Keeps `old` in the lanes that are not `taken`.
template <class F>
SITECAP_FN void keep_where(State<F>& s, const State<F>& old, MaskOf<F> taken) {
  s.x = select(taken, s.x, old.x);
  s.y = select(taken, s.y, old.y);
  s.z = select(taken, s.z, old.z);
  s.inverse_pt = select(taken, s.inverse_pt, old.inverse_pt);
  s.phi = select(taken, s.phi, old.phi);
  s.theta = select(taken, s.theta, old.theta);
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) s.c[k] = select(taken, s.c[k], old.c[k]);
}

template <class F>
SITECAP_FN void keep_where(Heading<F>& h, const Heading<F>& old, MaskOf<F> taken) {
  h.sin_phi = select(taken, h.sin_phi, old.sin_phi);
  h.cos_phi = select(taken, h.cos_phi, old.cos_phi);
  h.sin_theta = select(taken, h.sin_theta, old.sin_theta);
  h.cot_theta = select(taken, h.cot_theta, old.cot_theta);
  h.curvature = select(taken, h.curvature, old.curvature);
}

// What a measurement says of a state that lies on its surface.
template <int kind, class F>
SITECAP_FN Residual<F> measure(const State<F>& s, const Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc,
                               Coupling<F>& k) {
  const Axes<F> axes = axes_of<kind>(h, p.ux, p.uy, is_disc);
  k = coupling<kind>(s, axes);
  return residual<kind>(s, p, axes, k, is_disc);
}

// Propagation and update at once: the Kalman step. Gives chi2, and 1e9 where the surface is not reached.
template <int kind, class F>
SITECAP_FN F kalman_step(State<F>& s, Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc) {
  MaskOf<F> reached;
  const Arc<F> arc = arc_to_point<kind>(s, h, p, is_disc, reached);
  transport(s, h, arc);
  Coupling<F> k;
  const Residual<F> r = measure<kind>(s, h, p, is_disc, k);
  apply_gain(s, h, k, r);
  return select(reached, r.chi2, all_lanes<F>(1e9f));
}

}  // namespace sitecap::mkfit
