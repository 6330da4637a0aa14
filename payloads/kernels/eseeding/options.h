// Parameters of the kernel. Their values and sources: events.h and README.md.
#pragma once
#include "sitecap/maths.h"

namespace sitecap::eseeding {

struct Options {
  // crystals to clusters
  float seed_barrel_gev, seed_endcap_gev, seed_endcap_et_gev, gather_barrel_gev, gather_endcap_gev;
  float log_weight;
  // clusters to super-clusters
  float least_cluster_gev, least_seed_et_gev, least_et_gev, widening;
  // what is matched
  float tower_cone, largest_h_over_e, largest_eta;
  // windows of the first hit and of the next ones: at high transverse energy, and what a GeV less adds
  float first_dphi, first_dphi_slope, first_dphi_et_gev;
  float next_dphi, next_drz_cm, next_drz_slope_cm, next_drz_et_gev;
  float largest_z_cm;
  i32 layers_for_triplets, charges;
};

// Where the beam crosses z = beam z, cm.
struct Beam {
  float x_cm, y_cm, z_cm;
};

// Entries that arrays have beyond the last one, so that lanes may read on.
inline constexpr i32 spare = 16;

// All lanes of an index: base, base + 1, ...
template <class F>
SITECAP_FN IntOf<F> lane_indices(i32 base) {
  IntOf<F> index{};
  for (i32 l = 0; l < width_of<F>; ++l) set_lane(index, l, base + l);
  return index;
}

// Inverse of the sine for |x| <= 0.5, S. L. Moshier, Cephes Mathematical Library (1989).
template <class F>
SITECAP_FN F arc_sine(F x) {
  const F z = x * x;
  F p = all_lanes<F>(4.2163199048e-2f);
  p = p * z + 2.4181311049e-2f;
  p = p * z + 4.5470025998e-2f;
  p = p * z + 7.4953002686e-2f;
  p = p * z + 1.6666752422e-1f;
  return p * z * x + x;
}

// Pseudorapidity of a point z along the beam line and r > 0 away from it.
template <class F>
SITECAP_FN F pseudorapidity(F z, F r) {
  const F ratio = absolute(z) / r;
  const F eta = logarithm(ratio + square_root(ratio * ratio + 1.f));
  return select(z < 0.f, -eta, eta);
}

}  // namespace sitecap::eseeding
