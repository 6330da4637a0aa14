// Tracks as the event gives them, the choice of those that vertexing uses, and their order in z.
#pragma once
#include "kernels/vertexing/slots.h"
#include "sitecap/order.h"

namespace sitecap::vertexing {

// Upper ends of what a track must have, and the parameters of both clusterings; CMSSW's names in comments.
struct Options {
  // selection (RecoVertex/PrimaryVertexProducer, TkFilterParameters)
  float largest_chi2_per_ndof, largest_d0_significance, largest_eta, largest_error_cm;
  i32 least_layers, least_pixel_layers;
  // deterministic annealing (TkClusParameters_cff.py, DA_vect)
  float t_min, t_purge, t_stop, cooling;
  float vertex_size_cm;               // vertexSize: added in quadrature to a track's error in z
  float d0_cut, dz_cut;               // d0CutOff, dzCutOff: standard deviations
  float merge_cm;                     // zmerge
  float unique_weight;                // uniquetrkweight
  float range_sigmas;                 // zrange: a track sees prototypes within this many sigma * sqrt(T)
  float least_range_cm;               // zrange_min_
  float delta_high_cm, delta_low_cm;  // convergence before and after outliers are rejected
  i32 block_tracks, block_step;       // block_size, and block_size * (1 - overlap_frac)
  // by density (RecoPixelVertexing/PixelVertexFinding)
  i32 least_neighbours;                            // minT
  float eps_cm, seed_error_cm, largest_pair_chi2;  // eps, errmax, chi2max
  float least_pt_gev;
  float first_outlier_chi2, split_chi2;
  // adaptive fit (RecoVertex/AdaptiveVertexFit; GeometricAnnealing)
  float fit_cut;  // sigmacut: standard deviations at which a track counts half
  float fit_t_start, fit_cooling;
  float fit_shift_cm;  // converged
  i32 fit_steps;
  float least_ndof;  // minNdof of offlinePrimaryVerticesWithBS
};

struct BeamSpot {
  float x_cm, y_cm, z_cm, width_x_cm, width_y_cm, length_z_cm;
};

// One event's tracks; the covariance is packed by rows of its lower triangle in the order q/pT, phi, cot
// theta, d0, z0 (1/GeV, rad, 1, cm, cm).
struct EventTracks {
  i32 count;
  const float *q_over_pt, *phi, *cot_theta, *d0, *z0, *pt, *eta, *chi2;
  const float* covariance[15];
  const u8 *ndof, *layers, *pixel_layers;
};

// What the fit needs of a track; arrays of `capacity`. No row of the covariance for q/pT: over the 0.1 mm
// between the beam line and a vertex its error bends a track by less than a picometre.
SITECAP_CONST i32 fit_columns = 18;
enum FitColumn {
  column_curvature,
  column_sine,
  column_cosine,
  column_cot,
  column_x,
  column_y,
  column_z0,
  column_phi_phi,
  column_cot_phi,
  column_cot_cot,
  column_d0_phi,
  column_d0_cot,
  column_d0_d0,
  column_z0_phi,
  column_z0_cot,
  column_z0_d0,
  column_z0_z0,
  column_pt
};

// Curvature of a unit charge with 1 GeV in 3.8 T, 1/cm; positive charges turn clockwise.
SITECAP_CONST float curvature_per_inverse_gev = -0.00299792458f * 3.8f;

// Selected tracks in the order of z.
struct Selected {
  i32 capacity;
  float* z;       // cm, at the beam line
  float* weight;  // 1 / (error in z)^2 with vertex size and beam width, 1/cm^2
  float* prior;   // 0 .. 1: reduced for tracks off the beam line
  float* error2;  // (error in z)^2 alone, cm^2
  float* pt;      // GeV
  i32* source;    // index in the event
};

// Stage 1, item = track of the event: its weight in the annealing, 0 if it is not selected.
SITECAP_FN void weigh_track(const EventTracks& t, const BeamSpot& beam, const Options& o, i32 i,
                            float* weight, float* prior) {
  weight[i] = 0.f;
  prior[i] = 0.f;
  const float ndof = to_float(static_cast<i32>(t.ndof[i]));
  const float d0_d0 = t.covariance[9][i], z0_z0 = t.covariance[14][i];
  float sine, cosine;
  sine_cosine(t.phi[i], sine, cosine);
  const float across_x = beam.width_x_cm * sine, across_y = beam.width_y_cm * cosine;
  const float off = t.d0[i] + beam.x_cm * sine - beam.y_cm * cosine;
  const float significance2 = off * off / (d0_d0 + across_x * across_x + across_y * across_y);
  // written so that a NaN fails
  const bool good = t.chi2[i] < o.largest_chi2_per_ndof * ndof && absolute(t.eta[i]) < o.largest_eta &&
                    significance2 < o.largest_d0_significance * o.largest_d0_significance &&
                    static_cast<i32>(t.layers[i]) >= o.least_layers &&
                    static_cast<i32>(t.pixel_layers[i]) >= o.least_pixel_layers && z0_z0 > 1e-12f &&
                    z0_z0 < o.largest_error_cm * o.largest_error_cm && d0_d0 > 1e-12f &&
                    d0_d0 < o.largest_error_cm * o.largest_error_cm && absolute(t.z0[i]) < 25.f &&
                    absolute(t.cot_theta[i]) < 100.f && absolute(t.q_over_pt[i]) < 100.f &&
                    absolute(t.phi[i]) < 8.f && t.pt[i] > 0.f && t.pt[i] < 1e5f;
  if (!good) return;
  const float along_x = beam.width_x_cm * cosine, along_y = beam.width_y_cm * sine;
  const float along = (along_x * along_x + along_y * along_y) * t.cot_theta[i] * t.cot_theta[i];
  weight[i] = 1.f / (z0_z0 + along + o.vertex_size_cm * o.vertex_size_cm);
  prior[i] = 1.f / (1.f + exponential(significance2 - o.d0_cut * o.d0_cut));
}

// Bins of z for the sort: 0.012 cm from -25 to 25 cm.
SITECAP_CONST i32 z_bins = 4096;
SITECAP_FN i32 z_bin(float z_cm) {
  return clamp(static_cast<i32>((z_cm + 25.f) * (4096.f / 50.f)), 0, z_bins - 1);
}

// Stage 2c, item = bin: its tracks, in the order of their index, put into the order of z; equals keep theirs.
SITECAP_FN void order_bin(const float* z, i32 begin, i32 end, i32* order) {
  for (i32 i = begin + 1; i < end; ++i) {
    const i32 track = order[i];
    i32 at = i;
    for (; at > begin && z[order[at - 1]] > z[track]; --at) order[at] = order[at - 1];
    order[at] = track;
  }
}

// The same for a GPU, item = one of these tracks: its place among them.
SITECAP_FN i32 rank_in_bin(const float* z, const i32* order, i32 begin, i32 end, i32 track) {
  i32 rank = 0;
  for (i32 i = begin; i < end; ++i)
    rank += z[order[i]] < z[track] || (z[order[i]] == z[track] && order[i] < track) ? 1 : 0;
  return rank;
}

// Stage 3, item = place in the order.
SITECAP_FN void place_track(const EventTracks& t, const float* weight, const float* prior, const i32* order,
                            i32 at, const Selected& s) {
  const i32 i = order[at];
  s.z[at] = t.z0[i];
  s.weight[at] = weight[i];
  s.prior[at] = prior[i];
  s.error2[at] = t.covariance[14][i];
  s.pt[at] = t.pt[i];
  s.source[at] = i;
}

}  // namespace sitecap::vertexing
