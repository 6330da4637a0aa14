// The tracker of CMS since 2017 as layers of sensors: 18 barrel cylinders, 27 discs on either side; a stereo
// layer is a layer of its own, as in mkFit's CMS-2017 geometry.
//
// Radii, positions and pitches: CMS pixel phase-1 upgrade TDR (CERN-LHCC-2012-016) for BPIX and FPIX; CMS
// tracker TDR and addendum (CERN-LHCC-98-6, -2000-16) and "The CMS experiment at the CERN LHC" (JINST 3
// (2008) S08004, section 3) for TIB, TID, TOB and TEC, rounded to what an ideal cylinder or disc keeps of
// them. Resolutions: pitch / sqrt(12) for strips (S08004: 23-53 um), the phase-1 pixel's 10 and 20-25 um.
// Radiation lengths: some 0.4 X0 in sum at eta = 0 (S08004, figure 3.3), services outside sensors left out.
#pragma once
#include <vector>

#include "sitecap/maths_double.h"

namespace sitecap::simulation::tracker {

struct Layer {
  bool is_disc;
  bool is_pixel;
  double position_cm;                // radius of a cylinder; z of a disc, with its sign
  double low_cm, high_cm;            // sensors lie between: z of a cylinder, radius of a disc
  double hole_low_cm, hole_high_cm;  // no sensors between (stereo TEC rings 1, 2 and 5 only); equal if none
  double stagger_cm;        // neighbours in azimuth lie this much before and behind `position_cm`, by turns
  int ladders;              // modules in azimuth
  double overlap;           // of the width of a module
  double stereo_rad;        // of the strips against the beam line (cylinder) or the radius (disc)
  double sigma_precise_cm;  // across strips, or along r-phi of a pixel
  double sigma_along_cm;    // pixels only; strips: their length / sqrt(12)
  std::vector<double> strips_cm;  // ends of strips, rising; pixels: none
  double radiation_lengths;       // of normal incidence
};

// [0, 18): barrel; [18, 45): discs of positive z; [45, 72): of negative z. Within each from inside to
// outside.
inline constexpr int layer_count = 72, barrel_count = 18, disc_count = 27;
const std::vector<Layer>& layers();

// The order in which a particle of that side meets layers: BPIX, FPIX, TIB, TID, TOB, TEC.
const std::vector<int>& crossing_order(bool positive_side);

}  // namespace sitecap::simulation::tracker
