// Elementary functions of our own, branch-free and generic in the value type, so that no libm decides a bit.
//
// Polynomials: S. L. Moshier, Cephes Mathematical Library (1989), single precision. Errors against a
// correctly rounded result are held by tests/unit/payloads/test_maths.py: at most 2 units in the last place
// in the ranges stated here.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap {

SITECAP_CONST float pi = 3.14159265358979f;

// Nearest integer of |x| < 2^22, ties to even.
template <class F>
SITECAP_FN F nearest(F x) {
  const float shift = 12582912.f;  // 1.5 * 2^23
  return (x + shift) - shift;
}

// Sine and cosine of |x| < 8192 radians.
template <class F>
SITECAP_FN void sine_cosine(F x, F& sine, F& cosine) {
  const F turns = nearest(x * 0.63661977236758134f);  // quarter turns
  // pi/2 in three parts (Cody and Waite): the first two products are exact
  const F r = ((x - turns * 1.5703125f) - turns * 4.837512969970703125e-4f) - turns * 7.54978995489188216e-8f;
  const F r2 = r * r;
  const F s = r + r * r2 * (-1.6666654611e-1f + r2 * (8.3321608736e-3f - r2 * 1.9515295891e-4f));
  const F c = 1.f - 0.5f * r2 +
              r2 * r2 * (4.166664568298827e-2f + r2 * (-1.388731625493765e-3f + r2 * 2.443315711809948e-5f));
  const IntOf<F> quadrant = to_int(turns);
  const auto swapped = (quadrant & 1) != 0;
  const IntOf<F> sine_sign = shifted_up(quadrant & 2, 30);
  const IntOf<F> cosine_sign = shifted_up((quadrant + 1) & 2, 30);
  sine = from_bits(bits_of(select(swapped, c, s)) ^ sine_sign);
  cosine = from_bits(bits_of(select(swapped, s, c)) ^ cosine_sign);
}

// e^x for -87 < x < 88; outside the value at the border is given.
template <class F>
SITECAP_FN F exponential(F x) {
  const F bounded = larger(smaller(x, all_lanes<F>(88.f)), all_lanes<F>(-87.f));
  const F n = nearest(bounded * 1.44269504088896341f);
  const F r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  F p = all_lanes<F>(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const F y = p * (r * r) + r + 1.f;
  return from_bits(bits_of(y) + shifted_up(to_int(n), 23));
}

// Natural logarithm of a normal x > 0; undefined below.
template <class F>
SITECAP_FN F logarithm(F x) {
  const IntOf<F> bits = bits_of(x);
  const F half_to_one = from_bits((bits & 0x007fffff) | 0x3f000000);  // mantissa in [0.5, 1)
  const F exponent = to_float(((bits >> 23) & 0xff) - 126);
  const auto low = half_to_one < 0.707106781186547524f;
  const F e = select(low, exponent - 1.f, exponent);
  const F m = select(low, half_to_one + half_to_one, half_to_one) - 1.f;
  const F z = m * m;
  F p = all_lanes<F>(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  F y = p * m * z;
  y = y - 2.12194440e-4f * e;
  y = y - 0.5f * z;
  return (m + y) + 0.693359375f * e;
}

// Angle of (x, y) in (-pi, pi]; 0 at the origin.
template <class F>
SITECAP_FN F arc_tangent(F y, F x) {
  const F ax = absolute(x);
  const F ay = absolute(y);
  const auto steep = ay > ax;
  const F small = select(steep, ax, ay);
  const F large = select(steep, ay, ax);
  const F ratio = small / select(large > 0.f, large, all_lanes<F>(1.f));  // 0 .. 1
  const auto upper = ratio > 0.4142135623730950f;                         // tan(pi/8)
  const F t = select(upper, (ratio - 1.f) / (ratio + 1.f), ratio);
  const F z = t * t;
  F p = all_lanes<F>(8.05374449538e-2f);
  p = p * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z - 3.33329491539e-1f;
  F angle = p * z * t + t;
  angle = select(upper, angle + 0.78539816339744831f, angle);
  angle = select(steep, 1.57079632679489662f - angle, angle);
  angle = select(x < 0.f, pi - angle, angle);
  return from_bits(bits_of(angle) ^ (bits_of(y) & static_cast<i32>(0x80000000u)));
}

// Angle in (-pi, pi] of one that is at most one turn outside.
template <class F>
SITECAP_FN F reduced_angle(F angle) {
  const F lowered = select(angle > pi, angle - 2.f * pi, angle);
  return select(lowered <= -pi, lowered + 2.f * pi, lowered);
}

}  // namespace sitecap
