// Cuts of the kernel. Names are those of the settings; what they mean and where they come from: README.md.
#pragma once
#include "sitecap/maths.h"

namespace sitecap::catracks {

struct Cuts {
  float min_pt_gev = 0.8f;
  float luminous_cm = 15.f;
  float beam_offset_cm = 0.1f;
  float pair_resolution_cm = 0.012f;
  float segment_resolution_cm = 0.02f;
  float scattering_gev = 0.012f;
  float module_scattering_gev = 0.003f;
  float extra_length_cm = 0.3f;
  float rz_sigmas = 4.f;
  float max_chi2_bend = 10.f, max_chi2_rz = 12.f;
  float least_shared_hits = 6.f, least_common_hits = 8.f;
  float field_t = 3.8f;
  // of the above
  float bend_gev_per_cm = 0.f;        // pT = this * radius of curvature
  float sine_per_cm = 0.f;            // sine of the slope after a chord of 1 cm, at the least pT
  float scattering = 0.f;             // radians, at the least pT
  float radians_per_curvature = 0.f;  // scattering in one module of a track of curvature 1/cm
};

SITECAP_CONST int barrel_layers = 6, layers = 11;
// Half a macro-pixel and half a 2S strip; how far along them the two hits of a mini-doublet may lie apart
// from where a straight line has them: the upper sensor's strips are longer, or neighbours.
SITECAP_CONST float half_pixel_cm = 0.07335f, half_strip_cm = 2.5125f;
SITECAP_CONST float max_along_pixels_cm = 1.6f, max_along_strips_cm = 5.3f;
// Of a hit across its strip: pitch / sqrt(12).
SITECAP_CONST float pitch_sigma_cm = 0.0029f;
SITECAP_CONST float largest_sine = 0.95f;

template <class F>
SITECAP_FN F arc_sine(F x) {
  return arc_tangent(x, square_root(1.f - x * x));
}

// Angle between chord and tangent after a chord of this length, of a track of the least pT.
template <class F>
SITECAP_FN F slope_of(const Cuts& cuts, F length_cm) {
  return arc_sine(smaller(length_cm * cuts.sine_per_cm, all_lanes<F>(largest_sine)));
}

}  // namespace sitecap::catracks
