// Vertexing of one event, stage by stage: select and sort the tracks, cluster them in z by annealing and by
// density, fit the vertices of both, order them.
#pragma once
#include "kernels/vertexing/blocks.h"
#include "kernels/vertexing/density.h"
#include "kernels/vertexing/fit.h"

namespace sitecap::vertexing {

// Numbers of an event.
struct Totals {
  i32 vertices[2];  // by annealing, by density
  i32 prototypes, updates;
  i32 overflow;  // prototypes refused for want of room
  float free_energy;
};

}  // namespace sitecap::vertexing
