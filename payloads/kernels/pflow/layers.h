// What holds for each layer of the calorimeters, and what the settings say.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap::pflow {

// 0, 1: crystals of barrel and endcaps; 2 .. 5: HB's depths; 6 .. 12: HE's.
SITECAP_CONST i32 layers = 13, ecal_layers = 2;
SITECAP_CONST i32 none = -1;

// Least energy of a cell (also the norm of its weights) and of a seed, GeV; least transverse energy of a
// seed; depth. CMSSW: particleFlowClusterECALUncorrected_cfi, particleFlowClusterHBHE_cfi (Run 3).
struct Layer {
  float cell_gev, seed_gev, seed_pt_gev;
  i32 depth;
};
SITECAP_FN Layer layer_of(i32 number) {
  constexpr Layer all[layers] = {{0.08f, 0.23f, 0.f, 0},  {0.3f, 0.6f, 0.15f, 0}, {0.1f, 0.125f, 0.f, 1},
                                 {0.2f, 0.25f, 0.f, 2},   {0.3f, 0.35f, 0.f, 3},  {0.3f, 0.35f, 0.f, 4},
                                 {0.1f, 0.1375f, 0.f, 1}, {0.2f, 0.275f, 0.f, 2}, {0.2f, 0.275f, 0.f, 3},
                                 {0.2f, 0.275f, 0.f, 4},  {0.2f, 0.275f, 0.f, 5}, {0.2f, 0.275f, 0.f, 6},
                                 {0.2f, 0.275f, 0.f, 7}};
  return all[number];
}
// Seeds are higher than eight cells around them in crystals, than four in the hadron calorimeter; as many
// count for a cluster's position.
SITECAP_FN i32 considered(i32 layer) {
  return layer < ecal_layers ? 8 : 4;
}

struct Options {
  i32 max_iterations;
  float tolerance;                                 // radians that a cluster may still move
  float ecal_inverse_sigma2, hcal_inverse_sigma2;  // 1/cm2
  float depth_sigmas2;                             // square
  float bend_gev_per_cm;                           // curvature (1/cm) of q/pT = 1/GeV
  float ecal_window, hcal_window;                  // distance in (eta, phi)
  float excess_sigmas, lack_sigmas, track_error_gev;
};

// Both calorimeters' channels, as the events give them.
struct Channels {
  const float *x_cm, *y_cm, *z_cm, *eta, *phi;
  const u8* layer;
  const i32* neighbours;  // eight a channel: four across edges, four across corners
  i32 count;
};
// Cells of an event, channels rising.
struct Cells {
  const i32* channel;
  const float* energy_gev;
  i32 count;
};

}  // namespace sitecap::pflow
