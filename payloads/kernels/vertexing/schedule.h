// The annealing schedule of CMSSW's DAClusterizerInZ_vect.
#pragma once
#include "kernels/vertexing/annealer.h"

namespace sitecap::vertexing {

// From the first temperature to the last (DAClusterizerInZ_vect::vertices). Returns the last beta.
template <class F, class Team>
SITECAP_FN float anneal(Annealer<F, Team>& a) {
  const float beta_max = 1.f / a.o.t_min, beta_purge = 1.f / a.o.t_purge, beta_stop = 1.f / a.o.t_stop;
  float beta = a.begin();
  a.thermalise(beta, a.o.delta_high_cm, 0.f);
  const float freeze = beta_max * square_root(a.o.cooling);
  while (beta < freeze) {
    a.merge_all(beta, 0.f);
    a.split(beta, 1.f);
    beta /= a.o.cooling;
    a.thermalise(beta, a.o.delta_high_cm, 0.f);
  }
  // no critical prototype is left behind; the threshold rises so that splits and merges do not chase each
  // other
  a.set_ranges(beta);
  a.update(beta, 0.f, false);
  a.merge_all(beta, 0.f);
  float threshold = 1.f;
  for (i32 round = 0; round < 11 && a.split(beta, threshold); ++round) {
    a.thermalise(beta, a.o.delta_high_cm, 0.f);
    a.merge_all(beta, 0.f);
    threshold *= 1.1f;
  }
  // outliers are rejected from here on
  const float rho0 = a.outlier_density();
  for (i32 part = 0; part < 5; ++part) a.update(beta, 0.2f * to_float(part) * rho0, false);
  a.thermalise(beta, a.o.delta_low_cm, rho0);
  a.merge_all(beta, rho0);
  while (beta < beta_purge) {
    beta = min_of(beta / a.o.cooling, beta_purge);
    a.thermalise(beta, a.o.delta_low_cm, rho0);
  }
  while (a.purge_one(beta, rho0)) a.thermalise(beta, a.o.delta_low_cm, rho0);
  while (beta < beta_stop) {
    beta = min_of(beta / a.o.cooling, beta_stop);
    a.thermalise(beta, a.o.delta_low_cm, rho0);
  }
  return beta;
}

// Prototypes that others found come to rest at the last temperature; those that ended as one are joined.
template <class F, class Team>
SITECAP_FN void settle(Annealer<F, Team>& a, float beta) {
  const float rho0 = a.outlier_density();
  a.thermalise(beta, a.o.delta_low_cm, rho0);
  while (a.merge_one(beta)) a.thermalise(beta, a.o.delta_low_cm, rho0);
  a.refresh(beta, rho0);
}

}  // namespace sitecap::vertexing
