// The parameters of the building as settings give them, checked. Host only.
#pragma once
#include <string>

#include "host/payload.h"
#include "kernels/mkfit/layers.h"

namespace sitecap::mkfit {

inline Parameters parameters_of(const Settings& settings) {
  Parameters p;
  p.candidates = static_cast<i32>(setting(settings, "candidates", p.candidates));
  p.holes = static_cast<i32>(setting(settings, "holes", p.holes));
  p.consecutive_holes = static_cast<i32>(setting(settings, "consecutive_holes", p.consecutive_holes));
  p.least_hits = static_cast<i32>(setting(settings, "least_hits", p.least_hits));
  p.chi2 = static_cast<float>(setting(settings, "chi2", p.chi2));
  p.overlap_chi2 = static_cast<float>(setting(settings, "overlap_chi2", p.overlap_chi2));
  p.shared = static_cast<float>(setting(settings, "shared", p.shared));
  p.fit_chi2 = static_cast<float>(setting(settings, "fit_chi2", p.fit_chi2));
  if (p.candidates < 1 || p.candidates > most_candidates)
    throw std::invalid_argument("mkfit: 'candidates' is " + std::to_string(p.candidates) + ": give 1 to 5");
  if (!(p.chi2 > 0.f && p.chi2 <= 1000.f))
    throw std::invalid_argument("mkfit: 'chi2' is not within 0 and 1000: give the cut on a hit's chi2");
  return p;
}

}  // namespace sitecap::mkfit
