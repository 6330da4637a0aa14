// What a detector is to the kernel: its pixel matrix, its layers, the layer pairs between which doublets are
// sought, and the cuts. Phase 1 and phase 2 differ in this and in nothing else.
#pragma once
#include "sitecap/platform.h"

namespace sitecap::pixeltrack {

SITECAP_CONST int max_layers = 32;
SITECAP_CONST int max_pairs = 64;
SITECAP_CONST int max_hits_on_track = 16;
SITECAP_CONST int phi_bins = 512;   // a layer; CMSSW has 128
SITECAP_CONST int frame_size = 16;  // floats a module in a table of frames

struct LayerPair {
  i32 inner, outer;
  i32 max_dphi;                      // in 2 pi / 65536
  float min_inner_cm, max_inner_cm;  // z of the inner hit in the barrel, r in a disc
  float min_outer_cm, max_outer_cm;
  float min_dz_cm, max_dz_cm, max_dr_cm;
  i32 starts_quadruplet, starts_triplet;
};

struct Layer {
  i32 barrel;
  float max_dca_cm;         // of a triplet whose innermost hit is here, to the beam line
  float max_misalignment;   // in r-z of a triplet whose middle hit is here ("theta cut")
  float radiation_lengths;  // of its matter, at normal incidence
};

// Cuts on cluster lengths along local y, in eighths of a pixel (CMSSW: doClusterCut).
struct LengthCuts {
  i32 min_first_to_disc, min_second_to_disc;  // inner hit in barrel layer 1 or 2, outer in a disc
  i32 max_difference_first, max_difference;   // both hits in the barrel, inner in layer 1 or further out
  i32 max_from_predicted;
  float per_cotangent;  // eighths of a pixel for a unit of dz/dr
};

struct Topology {
  i32 layers, pairs;
  LayerPair pair[max_pairs];  // ordered by outer layer
  i32 pairs_of_outer[max_layers + 1];
  Layer layer[max_layers];
  LengthCuts length;
  i32 min_hits;                    // 3: triplets and longer; 4: quadruplets and longer
  float max_z0_cm;                 // of a doublet, on the beam line
  float min_pt_doublet_gev;        // lowest pT that a doublet's bend in phi may mean
  float min_pt_gev;                // of the r-z alignment
  float max_curvature_per_cm;      // of a triplet
  float radius_per_pt_cm_per_gev;  // of the bend in the field
  float max_sine2;                 // of the angle below which two doublets are one ("fishbone")
  float beam_pipe_radius_cm, beam_pipe_radiation_lengths;
  float barrel_end_cm, barrel_end_radiation_lengths;        // |z| of what ends the barrel: supports, cables
  float triplet_max_chi2_scale, quadruplet_max_chi2_scale;  // of the pT-dependent cut on chi2
  float triplet_max_tip_cm, triplet_min_pt_gev;
  float quadruplet_max_tip_cm, quadruplet_min_pt_gev;
  float max_zip_cm;
  i32 triplet_max_lost_hits, quadruplet_max_lost_hits;  // to better tracks
  i32 min_cluster_electrons_first, min_cluster_electrons;
  i32 gain, pedestal, gain_first, pedestal_first,
      min_digi_electrons;  // of the adc scale; first: barrel layer 1
};

// Pixels of a module; the pixels between two read-out chips are larger.
struct Matrix {
  i32 rows, columns;
  float pitch_x_cm, pitch_y_cm;
  const float* row_edge_cm;     // [rows + 1] lower edge along local x
  const float* column_edge_cm;  // [columns + 1] along local y
};

}  // namespace sitecap::pixeltrack
