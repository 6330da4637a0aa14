// Collisions of a bunch crossing: vertices and the particles that leave them.
#pragma once
#include <vector>

#include "simulation/section.h"

namespace sitecap::simulation {

struct Collision {
  double x_cm, y_cm, z_cm;
  int first_particle, particles;  // its range in Truth::particles
};

// Particles as they leave the point where they are made: pi, K, p, n, e, gamma, mu, K0L, of |eta| < 5.2.
// Pions and protons of K0S and Lambda decays are among them, made up to 110 cm from the beam line: whoever
// counts prompt tracks asks for x_cm and y_cm near it. K0S and Lambda (310, +-3122) that do not decay to
// charged particles within the tracker are given whole.
struct Particle {
  int collision;
  int pdg_id;
  int charge;  // units of e
  double px_gev, py_gev, pz_gev, mass_gev;
  double x_cm, y_cm, z_cm;
};

struct Truth {
  std::vector<Collision> collisions;  // [0] is the hard one
  std::vector<Particle> particles;    // ordered by collision
};

// Event `event` of this run: the same whatever other events are made.
Truth generate(const Run& run, int event);

// Adds the truth of several events: groups `collision` (x, y, z in cm, float32; hard collision first) and
// `particle` (collision i32 within its event, pdg_id i32, charge i8, pt in GeV, eta, phi, x, y, z in cm).
void put_truth(Columns& columns, const std::vector<Truth>& events);

}  // namespace sitecap::simulation
