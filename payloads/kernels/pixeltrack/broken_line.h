// What hits know of a track near a reference: quadratic forms, gathered from the outermost hit inwards.
//
// This is the broken-line fit (V. Blobel, NIM A 566 (2006) 14), whose kinks at each layer are limited by
// multiple scattering, with the kinks minimised away one by one instead of solving for all at the end: the
// same minimum from forms of fixed size, whatever the number of hits.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap::pixeltrack {

// chi2(x) = x'Ax - 2 b'x + c for x = (offset e, angle a, curvature k), in the bending plane.
template <class F>
struct BendForm {
  F ee{}, ea{}, ek{}, aa{}, ak{}, kk{};
  F be{}, ba{}, bk{};
  F c{};

  // A measured offset of that weight (0: none).
  SITECAP_FN void measure(F offset, F weight) {
    ee = ee + weight;
    be = be + weight * offset;
    c = c + weight * offset * offset;
  }
  // The angle may have changed here by a kink of that variance.
  SITECAP_FN void kink(F variance) {
    const F f = variance / (1.f + variance * aa);
    const F ga = f * aa;
    ee = ee - f * ea * ea;
    ek = ek - f * ea * ak;
    kk = kk - f * ak * ak;
    be = be - f * ea * ba;
    bk = bk - f * ak * ba;
    c = c - f * ba * ba;
    ea = ea - ga * ea;
    ak = ak - ga * ak;
    ba = ba - ga * ba;
    aa = aa - ga * aa;
  }
  // To parameters at a point that lies `length` back along the track.
  SITECAP_FN void move_back(F length) {
    const F half = 0.5f * length * length;
    const F m11 = length * ea + aa;
    const F m12 = half * ea + length * aa + ak;
    const F m22 = half * ek + length * ak + kk;
    const F new_ea = length * ee + ea;
    const F new_ek = half * ee + length * ea + ek;
    bk = half * be + length * ba + bk;
    ba = length * be + ba;
    aa = length * new_ea + m11;
    ak = length * new_ek + m12;
    kk = half * new_ek + length * m12 + m22;
    ea = new_ea;
    ek = new_ek;
  }
};

// The same for x = (z, cot theta) along the length of the bent path.
template <class F>
struct LineForm {
  F zz{}, zt{}, tt{};
  F bz{}, bt{};
  F c{};

  SITECAP_FN void measure(F z, F weight) {
    zz = zz + weight;
    bz = bz + weight * z;
    c = c + weight * z * z;
  }
  SITECAP_FN void kink(F variance) {
    const F f = variance / (1.f + variance * tt);
    const F gt = f * tt;
    zz = zz - f * zt * zt;
    bz = bz - f * zt * bt;
    c = c - f * bt * bt;
    zt = zt - gt * zt;
    bt = bt - gt * bt;
    tt = tt - gt * tt;
  }
  SITECAP_FN void move_back(F length) {
    const F new_zt = length * zz + zt;
    tt = length * new_zt + length * zt + tt;
    zt = new_zt;
    bt = length * bz + bt;
  }
};

// Minimum of a form: parameters, variances, chi2.
template <class F>
struct Bend {
  F e, a, k, var_e, var_a, var_k, chi2;
};
template <class F>
SITECAP_FN Bend<F> minimum(const BendForm<F>& q) {
  // elimination of e, then a, then k: each pivot is what the others leave of its information
  const F ie = 1.f / q.ee;
  const F le = q.ea * ie, me = q.ek * ie;
  const F aa = q.aa - le * q.ea;
  const F ak = q.ak - le * q.ek;
  const F ia = 1.f / aa;
  const F la = ak * ia;
  const F kk = (q.kk - me * q.ek) - la * ak;
  const F ik = 1.f / kk;
  const F ba = q.ba - le * q.be;
  const F bk = (q.bk - me * q.be) - la * ba;
  Bend<F> x;
  x.k = bk * ik;
  x.a = ba * ia - la * x.k;
  x.e = q.be * ie - le * x.a - me * x.k;
  // the inverse, row by row from below
  const F cak = -la * ik;
  x.var_k = ik;
  x.var_a = ia - la * cak;
  const F cek = -le * cak - me * ik;
  const F cea = -le * x.var_a - me * cak;
  x.var_e = ie - le * cea - me * cek;
  x.chi2 = q.c - q.be * q.be * ie - ba * ba * ia - bk * bk * ik;
  return x;
}

template <class F>
struct Line {
  F z, t, var_z, var_t, chi2;
};
template <class F>
SITECAP_FN Line<F> minimum(const LineForm<F>& q) {
  const F iz = 1.f / q.zz;
  const F l = q.zt * iz;
  const F it = 1.f / (q.tt - l * q.zt);
  const F bt = q.bt - l * q.bz;
  Line<F> x;
  x.t = bt * it;
  x.z = q.bz * iz - l * x.t;
  x.var_t = it;
  x.var_z = iz + l * l * it;
  x.chi2 = q.c - q.bz * q.bz * iz - bt * bt * it;
  return x;
}

}  // namespace sitecap::pixeltrack
