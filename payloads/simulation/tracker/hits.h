// What the tracker sees of one event: measured points, and where particles truly were at the pixels.
#pragma once
#include <vector>

#include "simulation/generator.h"
#include "simulation/tracker/flight.h"

namespace sitecap::simulation::tracker {

struct Hit {
  int layer;
  int module;  // ladder of a cylinder, sector of a disc
  double x_cm, y_cm, z_cm;
  // of the measurement in its plane: tangential, and along the beam line (cylinder) or the radius (disc)
  double covariance_tt_cm2, covariance_tl_cm2, covariance_ll_cm2;
  int particle;  // index in the event, -1: noise
};

// A particle's passage through a pixel layer with a measured hit.
struct PixelPassage {
  int hit;  // index in Event::hits
  int layer;
  Flight truth;  // before the layer's material
};

struct Event {
  std::vector<Hit> hits;                            // sorted by layer and module
  std::vector<std::vector<PixelPassage>> passages;  // by particle, from inside to outside
};

// Hits of all charged particles (first half-turn of curling ones) and noise.
Event measure(const Run& run, int event, const Truth& truth);

}  // namespace sitecap::simulation::tracker
