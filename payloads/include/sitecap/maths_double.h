// The same elementary functions in double precision, one value at a time: what the simulation is made with.
//
// Rational approximations: S. L. Moshier, Cephes Mathematical Library (1989), double precision; errors at
// most 2 units in the last place (tests/unit/payloads/test_maths.py). No libm: its last bit differs between
// machines.
#pragma once
#include "sitecap/platform.h"

namespace sitecap::precise {

SITECAP_CONST double pi = 3.14159265358979323846;

SITECAP_FN double absolute(double x) {
  return x < 0 ? -x : x;
}
SITECAP_FN double square_root(double x) {
  return __builtin_sqrt(x);
}
SITECAP_FN double nearest(double x) {
  const double shift = 6755399441055744.0;  // 1.5 * 2^52
  return (x + shift) - shift;
}
SITECAP_FN i64 bits_of(double x) {
  i64 bits;
  __builtin_memcpy(&bits, &x, 8);
  return bits;
}
SITECAP_FN double from_bits(i64 bits) {
  double x;
  __builtin_memcpy(&x, &bits, 8);
  return x;
}

// |x| < 1e8 radians
SITECAP_FN void sine_cosine(double x, double& sine, double& cosine) {
  const double turns = nearest(x * 0.636619772367581343076);
  const double r = ((x - turns * 1.57079625129699707031) - turns * 7.54978941586159635336e-8) -
                   turns * 5.39030285815811905290e-15;
  const double z = r * r;
  double p = 1.58962301576546568060e-10;
  p = p * z - 2.50507477628578072866e-8;
  p = p * z + 2.75573136213857245213e-6;
  p = p * z - 1.98412698295895385996e-4;
  p = p * z + 8.33333333332211858878e-3;
  p = p * z - 1.66666666666666307295e-1;
  const double s = r + r * z * p;
  double q = -1.13585365213876817300e-11;
  q = q * z + 2.08757008419747316778e-9;
  q = q * z - 2.75573141792967388112e-7;
  q = q * z + 2.48015872888517045348e-5;
  q = q * z - 1.38888888888730564116e-3;
  q = q * z + 4.16666666666665929218e-2;
  const double c = 1.0 - 0.5 * z + z * z * q;
  const i64 quadrant = static_cast<i64>(turns) & 3;
  const double first = (quadrant & 1) ? c : s;
  const double second = (quadrant & 1) ? s : c;
  sine = (quadrant & 2) ? -first : first;
  cosine = ((quadrant + 1) & 2) ? -second : second;
}

// -700 < x < 700; outside the value at the border is given
SITECAP_FN double exponential(double x) {
  const double bounded = clamp(x, -700.0, 700.0);
  const double n = nearest(bounded * 1.4426950408889634074);
  const double r = (bounded - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
  const double z = r * r;
  const double p =
      r * ((1.26177193074810590878e-4 * z + 3.02994407707441961300e-2) * z + 9.99999999999999999910e-1);
  const double q =
      ((3.00198505138664455042e-6 * z + 2.52448340349684104192e-3) * z + 2.27265548208155028766e-1) * z + 2.0;
  const double y = 1.0 + 2.0 * (p / (q - p));
  return from_bits(bits_of(y) + static_cast<i64>(n) * (1LL << 52));
}

// normal x > 0
SITECAP_FN double logarithm(double x) {
  const i64 bits = bits_of(x);
  double m = from_bits((bits & 0x000fffffffffffffLL) | 0x3fe0000000000000LL);
  double e = static_cast<double>(((bits >> 52) & 0x7ff) - 1022);
  if (m < 0.70710678118654752440) {
    e -= 1.0;
    m += m;
  }
  m -= 1.0;
  const double z = m * m;
  double p = 1.01875663804580931796e-4;
  p = p * m + 4.97494994976747001425e-1;
  p = p * m + 4.70579119878881725854e0;
  p = p * m + 1.44989225341610930846e1;
  p = p * m + 1.79368678507819816313e1;
  p = p * m + 7.70838733755885391666e0;
  double q = m + 1.12873587189167450590e1;
  q = q * m + 4.52279145837532221105e1;
  q = q * m + 8.29875266912776603211e1;
  q = q * m + 7.11544750618563894466e1;
  q = q * m + 2.31251620126765340583e1;
  double y = m * (z * p / q);
  y -= e * 2.121944400546905827679e-4;
  y -= 0.5 * z;
  return (m + y) + e * 0.693359375;
}

// angle of (x, y) in (-pi, pi]
SITECAP_FN double arc_tangent(double y, double x) {
  const double ax = absolute(x), ay = absolute(y);
  const bool steep = ay > ax;
  const double large = steep ? ay : ax;
  const double ratio = (steep ? ax : ay) / (large > 0 ? large : 1.0);
  const bool upper = ratio > 0.4142135623730950488;
  const double t = upper ? (ratio - 1.0) / (ratio + 1.0) : ratio;
  const double z = t * t;
  double p = -8.750608600031904122785e-1;
  p = p * z - 1.615753718733365076637e1;
  p = p * z - 7.500855792314704667340e1;
  p = p * z - 1.228866684490136173410e2;
  p = p * z - 6.485021904942025371773e1;
  double q = z + 2.485846490142306297962e1;
  q = q * z + 1.650270098316988542046e2;
  q = q * z + 4.328810604912902668951e2;
  q = q * z + 4.853903996359136964868e2;
  q = q * z + 1.945506571482613964425e2;
  double angle = t * (z * p / q) + t;
  if (upper) angle += 0.78539816339744830962;
  if (steep) angle = 1.57079632679489661923 - angle;
  if (x < 0) angle = pi - angle;
  return y < 0 ? -angle : angle;
}

SITECAP_FN double power(double base, double exponent) {
  return exponential(exponent * logarithm(base));
}
SITECAP_FN double hyperbolic_sine(double x) {
  const double e = exponential(absolute(x));
  const double big = 0.5 * (e - 1.0 / e);
  const double small = x < 0 ? -x : x;
  // below 0.1 the difference above loses digits: Taylor to x^9 is exact to 1e-16 there
  const double z = small * small;
  const double taylor = small * (1.0 + z / 6.0 * (1.0 + z / 20.0 * (1.0 + z / 42.0 * (1.0 + z / 72.0))));
  const double value = small < 0.1 ? taylor : big;
  return x < 0 ? -value : value;
}
// inverse of the above: asinh(cot theta) is the pseudorapidity
SITECAP_FN double inverse_hyperbolic_sine(double x) {
  const double a = absolute(x);
  const double z = a * a;
  // below 0.01: Taylor to x^7
  const double taylor = a * (1.0 - z / 6.0 * (1.0 - 9.0 * z / 20.0 * (1.0 - 25.0 * z / 42.0)));
  const double value = a < 0.01 ? taylor : logarithm(a + square_root(z + 1.0));
  return x < 0 ? -value : value;
}

}  // namespace sitecap::precise
