// What a particle leaves in the layers: spots of energy, by parametrised showers.
//
// Electromagnetic: Gamma profile with fluctuating maximum and shape, two-component radial profile (G.
// Grindhammer, S. Peters, "The parameterized simulation of electromagnetic showers", hep-ex/0001020; shower
// maximum as in the PDG review, "Passage of particles through matter"). Hadronic: a start after an
// exponential path; a fluctuating electromagnetic part (T. Gabriel et al., NIM A338 (1994) 336) that showers
// as an electron, the rest along the hadronic term of R. Bock et al., NIM 186 (1981) 533. Sampling: an
// average spot is 2.2 minimum-ionising particles with an exponential spread, which gives about 22 % /
// sqrt(E/GeV) for electrons.
#pragma once
#include <vector>

#include "simulation/generator.h"
#include "simulation/hgcal/geometry.h"
#include "sitecap/random.h"

namespace sitecap::simulation::hgcal {

// Energy of one particle in one cell, in minimum-ionising particles.
struct Deposit {
  Cell cell;
  i32 particle;  // index within the event
  float mips;
};

// Straight line behind the front face; slopes are dx/d|z| and dy/d|z|.
struct Line {
  bool reaches;  // false: went into the barrel, the beam hole or never came
  int side;      // 0 at z < 0, 1 at z > 0
  double x_cm, y_cm, slope_x, slope_y;
};

// A particle at the front face: helix in the tracker's field of 3.8 T, then straight, where the real field
// bends a little further.
Line at_front(const Particle& particle);

// Adds what one particle leaves.
void shower(const Particle& particle, int index, Random& random, std::vector<Deposit>& deposits);

}  // namespace sitecap::simulation::hgcal
