// What a layer does to a track's state: energy loss moves 1/pT, multiple scattering widens the covariance.
#pragma once
#include "kernels/mkfit/helix.h"

namespace sitecap::mkfit {

SITECAP_CONST float pion_mass2 = 0.0194797849f;  // GeV2; every track is taken for a pion, as in mkFit

// `crossed`: radiation lengths of normal incidence; `cosine`: of the angle to the normal; `outwards`: +1 when
// the momentum falls along the way, -1 against the flight.
//
// Highland's formula and Bethe's mean loss with the asymptotic density effect, 21.82 g/cm2 of silicon a
// radiation length (Particle Data Group, "Passage of particles through matter").
template <class F>
SITECAP_FN void add_material(State<F>& s, const Heading<F>& h, F crossed, F cosine, float outwards) {
  const F x = crossed / larger(absolute(cosine), all_lanes<F>(0.1f));
  const F p = 1.f / (s.inverse_pt * h.sin_theta);
  const F p2 = p * p;
  const F energy2 = p2 + pion_mass2;
  const F inverse_beta2 = energy2 / p2;
  const F log_term = 1.f + 0.038f * logarithm(larger(x, all_lanes<F>(1e-6f)));
  const F angle2 = 1.8496e-4f * x * log_term * log_term * inverse_beta2 / p2;  // (13.6 MeV)^2
  // a kick in theta at fixed momentum moves 1/pT = 1/(p sin theta) by -cot(theta)/pT
  const F shift = -h.cot_theta * s.inverse_pt;
  s.c[9] = s.c[9] + angle2 * shift * shift;
  s.c[14] = s.c[14] + angle2 * (1.f + h.cot_theta * h.cot_theta);
  s.c[18] = s.c[18] + angle2 * shift;
  s.c[20] = s.c[20] + angle2;
  const F log_ratio = 0.5f * logarithm(p2 * (1.f / pion_mass2));  // ln(beta gamma)
  const F density = larger(log_ratio - 2.2177f, F{});             // ln(31.05 eV / 173 eV) - 1/2
  const F bracket = larger(8.6838f + 2.f * log_ratio - 1.f / inverse_beta2 - density, all_lanes<F>(1.f));
  const F loss = 3.336e-3f * x * inverse_beta2 * bracket * outwards;
  const F energy = square_root(energy2) - loss;
  const F left2 = larger(energy * energy - pion_mass2, 0.01f * p2);
  s.inverse_pt = s.inverse_pt * square_root(p2 / left2);
}

}  // namespace sitecap::mkfit
