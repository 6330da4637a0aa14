// One measurement into the state: residual, chi2 and the gain of the Kalman filter (R. Fruehwirth, NIM A 262
// (1987) 444), with the two-dimensional measurement of a sensor's plane.
#pragma once
#include "kernels/mkfit/helix.h"

namespace sitecap::mkfit {

// State at the surface of a point: the cylinder through it or the disc. False where it is not reached.
template <int kind, class F>
SITECAP_FN MaskOf<F> propagate_to_point(State<F>& s, Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc) {
  MaskOf<F> reached;
  Arc<F> arc;
  F nx = p.ux, ny = p.uy, nz = F{};
  if constexpr (kind == disc) {
    (void)is_disc;
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
      nx = select(is_disc, F{}, nx);
      ny = select(is_disc, F{}, ny);
      nz = select(is_disc, all_lanes<F>(1.f), nz);
    }
  }
  transport(s, h, arc);
  project<kind>(s, h, nx, ny, nz);
  return reached;
}

// Residuals and the inverse of their covariance, in the plane of measurement.
template <class F>
struct Residual {
  F t, l;        // cm
  F tt, tl, ll;  // 1/cm2
  F chi2;
};

// The rows of C Ht: covariance of each parameter with the two measured coordinates.
template <class F>
struct Coupling {
  F t[6], l[6];
};

template <int kind, class F>
SITECAP_FN Coupling<F> coupling(const State<F>& s, const Point<F>& p, MaskOf<F> is_disc) {
  Coupling<F> k;
  SITECAP_UNROLL
  for (int i = 0; i < 6; ++i) {
    const F cx = s.c[packed(i, 0)], cy = s.c[packed(i, 1)], cz = s.c[packed(i, 2)];
    k.t[i] = p.ux * cy - p.uy * cx;
    if constexpr (kind == cylinder)
      k.l[i] = cz;
    else if constexpr (kind == disc)
      k.l[i] = p.ux * cx + p.uy * cy;
    else
      k.l[i] = select(is_disc, p.ux * cx + p.uy * cy, cz);
  }
  (void)is_disc;
  return k;
}

template <int kind, class F>
SITECAP_FN Residual<F> residual(const State<F>& s, const Point<F>& p, const Coupling<F>& k,
                                MaskOf<F> is_disc) {
  Residual<F> r;
  const F dx = p.x - s.x, dy = p.y - s.y, dz = p.z - s.z;
  r.t = p.ux * dy - p.uy * dx;
  F ll;
  if constexpr (kind == cylinder) {
    r.l = dz;
    ll = k.l[2];
  } else {
    r.l = p.ux * dx + p.uy * dy;
    ll = p.ux * k.l[0] + p.uy * k.l[1];
    if constexpr (kind == either) {
      r.l = select(is_disc, r.l, dz);
      ll = select(is_disc, ll, k.l[2]);
    }
  }
  (void)is_disc;
  const F tt = p.ux * k.t[1] - p.uy * k.t[0] + p.tt;
  const F tl = p.ux * k.l[1] - p.uy * k.l[0] + p.tl;
  ll = ll + p.ll;
  const F inverse = 1.f / (tt * ll - tl * tl);
  r.tt = ll * inverse;
  r.tl = -tl * inverse;
  r.ll = tt * inverse;
  r.chi2 = r.t * (r.tt * r.t + r.tl * r.l) + r.l * (r.tl * r.t + r.ll * r.l);
  return r;
}

template <class F>
SITECAP_FN void apply_gain(State<F>& s, const Coupling<F>& k, const Residual<F>& r) {
  F gt[6], gl[6], step[6];
  SITECAP_UNROLL
  for (int i = 0; i < 6; ++i) {
    gt[i] = k.t[i] * r.tt + k.l[i] * r.tl;
    gl[i] = k.t[i] * r.tl + k.l[i] * r.ll;
    step[i] = gt[i] * r.t + gl[i] * r.l;
  }
  s.x = s.x + step[0];
  s.y = s.y + step[1];
  s.z = s.z + step[2];
  s.inverse_pt = larger(s.inverse_pt + step[3], all_lanes<F>(1e-4f));
  s.phi = s.phi + step[4];
  s.theta = s.theta + step[5];
  SITECAP_UNROLL
  for (int i = 0; i < 6; ++i) SITECAP_UNROLL
  for (int j = 0; j <= i; ++j) s.c[packed(i, j)] = s.c[packed(i, j)] - (gt[i] * k.t[j] + gl[i] * k.l[j]);
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

// Propagation and update at once: the Kalman step. Gives chi2, and 1e9 where the surface is not reached.
template <int kind, class F>
SITECAP_FN F kalman_step(State<F>& s, Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc) {
  const MaskOf<F> reached = propagate_to_point<kind>(s, h, p, is_disc);
  const Coupling<F> k = coupling<kind>(s, p, is_disc);
  const Residual<F> r = residual<kind>(s, p, k, is_disc);
  apply_gain(s, k, r);
  return select(reached, r.chi2, all_lanes<F>(1e9f));
}

}  // namespace sitecap::mkfit
