// The tracker as the kernel sees it, and the order in which candidates meet its layers.
#pragma once
#include "sitecap/platform.h"

namespace sitecap::mkfit {

SITECAP_CONST int most_layers = 128;  // of a tracker
SITECAP_CONST int along_bins = 8;     // of a layer's length or radius
SITECAP_CONST int phi_bins = 128;     // of its azimuth
SITECAP_CONST int layer_bins = along_bins * phi_bins;

// One layer; lengths in cm. `along` is z on a cylinder, the radius on a disc.
struct Layer {
  i32 is_disc;
  float position;             // radius, or z with its sign
  float low, high;            // sensors' ends in `along`
  float hole_low, hole_high;  // no sensors between
  float stagger;              // sensors lie up to this much off `position`
  float stereo;               // tangent of the strips' angle to `along`
  float precise2;             // cm2, variance of t - stereo * l of a measurement
  float along2;               // cm2, largest variance of l
  float radiation_lengths;
  float bins_per_cm;  // of `along`
};

// Parameters of the building; CMSSW RecoTracker/MkFitCore, IterationConfig.h and standard functions, initial
// step of CMS-2017.
struct Parameters {
  i32 candidates = 5;  // a seed at most
  i32 holes = 4;       // of a candidate at most
  i32 consecutive_holes = 2;
  i32 least_hits = 6;         // of a track
  float chi2 = 30.f;          // of a hit, two degrees of freedom
  float overlap_chi2 = 3.5f;  // of a second hit in the same layer
  float shared = 0.19f;       // share of common hits from which on the worse of two tracks is dropped
  float fit_chi2 = 10.f;      // of the final fit per degree of freedom, at most
};

// Regions of seeds: each has its own list of layers. 1 and 3 look to positive z, 2 and 4 to negative.
SITECAP_CONST int regions = 5;
SITECAP_CONST int region_barrel = 0, region_transition = 1, region_endcap = 3;

struct Plan {
  i32 layers[regions][most_layers];
  i32 place[regions][most_layers];  // of a layer in that list, -1 if it is not there
  i32 count[regions];
};

// Bin of a place on a layer.
SITECAP_FN i32 along_bin(const Layer& layer, float along) {
  const i32 bin = static_cast<i32>((along - layer.low) * layer.bins_per_cm);
  return clamp(bin, 0, along_bins - 1);
}

}  // namespace sitecap::mkfit
