// The modules of CMS's Phase-2 outer tracker: two sensors, 1.6 to 4 mm apart, in each.
//
// Radii, positions, tilts and spacings: layout OT800 of the tracker's design tool (tkLayout,
// geometries/CMS_Phase2/OuterTracker/Tilted/{TBPS_V800,TB2S_V616,TEDD1_V800,TEDD2_V800}.cfg, and the table of
// modules made of it, SegmentLinking/LSTGeometry data/module_info_OT800_IT615.csv); the layout is described
// in "The Phase-2 Upgrade of the CMS Tracker" (CERN-LHCC-2017-009).
#pragma once
#include <vector>

#include "simulation/geometry/surfaces.h"

namespace sitecap::simulation::outertracker {

inline constexpr int barrel_layers = 6, discs = 5, layers = barrel_layers + discs;

struct Module {
  int layer;            // 0-5 barrel from inside, 6-10 discs of either side from inside
  Vector centre;        // between the sensors, cm
  Vector x, y, normal;  // across strips (towards rising azimuth), along strips, away from the beam spot
  double gap_cm;        // between the sensors' middles
  bool has_pixels;      // PS: macro-pixels in the lower sensor; 2S: strips in both
  double half_width_cm, half_length_cm;

  double pitch_cm() const { return has_pixels ? 0.0100 : 0.0090; }
  // Of a pixel or strip. Upper sensor: 1.
  double cell_length_cm(int sensor) const { return has_pixels ? (sensor == 0 ? 0.1467 : 2.3472) : 5.0250; }
};

// Modules that differ by their azimuth only, but for a step to the far and near side by turns.
struct Ring {
  int layer;
  double r_cm, z_cm;  // mean
  double first_phi, step_phi;
  int first_module, modules;
  double half_length_cm;
};

const std::vector<Module>& modules();
// Of each layer; discs: both sides.
const std::vector<Ring>& rings_of(int layer);

// All that particles are stopped at; surfaces without a layer are matter only.
const Surfaces& surfaces();

}  // namespace sitecap::simulation::outertracker
