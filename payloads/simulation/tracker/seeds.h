// Seeds as mkFit gets them from the initial step: three or four pixel hits and a state at the last one.
#pragma once
#include <array>
#include <vector>

#include "simulation/tracker/hits.h"

namespace sitecap::simulation::tracker {

struct Seed {
  double x_cm, y_cm, z_cm, inverse_pt, phi, theta;  // 1 / GeV, rad
  std::array<double, 21> covariance;                // of these six, lower triangle by rows
  int charge;
  std::array<int, 4> hits;  // from inside to outside, -1 where there are three
  int particle;             // -1: wrong, of hits of several particles
};

// One for every charged particle of pT > 0.5 GeV with hits in three pixel layers; one in ten of them twice
// (the second without the innermost hit); and to one in five another whose last hit is not its own.
std::vector<Seed> make_seeds(const Run& run, int event, const Event& measured);

}  // namespace sitecap::simulation::tracker
