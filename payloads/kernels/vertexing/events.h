// The event set as the kernel reads it, checked once; the settings. Host only.
#pragma once
#include <cstdio>
#include <stdexcept>
#include <string>

#include "host/payload.h"
#include "kernels/vertexing/tracks.h"

namespace sitecap::vertexing {

class Events {
 public:
  explicit Events(const Columns& columns) : columns_(columns), offset_(columns.offsets("track")) {
    const char* const names[] = {"q_over_pt", "phi", "cot_theta", "d0", "z0", "pt", "eta", "chi2"};
    for (int c = 0; c < 8; ++c)
      value_[c] = columns.get<float>("track_" + std::string(names[c]), offset_).data;
    for (int row = 0, packed = 0; row < 5; ++row)
      for (int column = 0; column <= row; ++column, ++packed)
        covariance_[packed] =
            columns.get<float>("track_covariance_" + std::to_string(row) + std::to_string(column), offset_)
                .data;
    ndof_ = columns.get<u8>("track_ndof", offset_).data;
    layers_ = columns.get<u8>("track_layers", offset_).data;
    pixel_layers_ = columns.get<u8>("track_pixel_layers", offset_).data;
    beam_ = {one("beam_x"),       one("beam_y"),       one("beam_z"),
             one("beam_width_x"), one("beam_width_y"), one("beam_length_z")};
    if (!(beam_.width_x_cm > 0.f && beam_.width_y_cm > 0.f && beam_.length_z_cm > 0.f))
      throw std::invalid_argument("the beam spot of the tracks has no width: make the event set again");
    for (int i = 0; i < events(); ++i) largest_ = max_of(largest_, offset_[i + 1] - offset_[i]);
    if (largest_ > 1000000)
      throw std::invalid_argument("an event has " + std::to_string(largest_) +
                                  " tracks, more than 1000000: make the event set again");
  }

  int events() const { return static_cast<int>(offset_.size - 1); }
  i32 largest() const { return largest_; }
  const BeamSpot& beam() const { return beam_; }
  EventTracks event(int i) const {
    const i64 at = offset_[i];
    EventTracks e{};
    e.count = offset_[i + 1] - offset_[i];
    const float** const to[] = {&e.q_over_pt, &e.phi, &e.cot_theta, &e.d0, &e.z0, &e.pt, &e.eta, &e.chi2};
    for (int c = 0; c < 8; ++c) *to[c] = value_[c] + at;
    for (int c = 0; c < 15; ++c) e.covariance[c] = covariance_[c] + at;
    e.ndof = ndof_ + at;
    e.layers = layers_ + at;
    e.pixel_layers = pixel_layers_ + at;
    return e;
  }

 private:
  float one(const char* name) const {
    const Span<const float> column = columns_.get<float>(name);
    if (column.size != 1)
      throw std::invalid_argument("column '" + std::string(name) + "' has " + std::to_string(column.size) +
                                  " entries, not 1: make the event set again");
    return column[0];
  }

  Columns columns_;  // keeps the arrays alive
  Span<const i32> offset_;
  const float* value_[8] = {};
  const float* covariance_[15] = {};
  const u8 *ndof_ = nullptr, *layers_ = nullptr, *pixel_layers_ = nullptr;
  BeamSpot beam_{};
  i32 largest_ = 0;
};

// One parameter within its bounds, or the reason why not.
inline float bounded(const Settings& settings, const char* name, double otherwise, double low, double high) {
  const double value = setting(settings, name, otherwise);
  if (value >= low && value <= high) return static_cast<float>(value);
  char text[200];
  std::snprintf(text, sizeof text,
                "setting '%s' of vertexing is %g, not within %g and %g: change the manifest", name, value,
                low, high);
  throw std::invalid_argument(text);
}

inline Options options_of(const Settings& s) {
  Options o{};
  o.largest_chi2_per_ndof = bounded(s, "largest_chi2_per_ndof", 10.0, 0.0, 1e6);
  o.largest_d0_significance = bounded(s, "largest_d0_significance", 4.0, 0.0, 1e3);
  o.largest_eta = bounded(s, "largest_eta", 2.4, 0.0, 10.0);
  o.largest_error_cm = bounded(s, "largest_error_cm", 1.0, 1e-4, 10.0);
  o.least_layers = static_cast<i32>(bounded(s, "least_layers", 5, 0, 100));
  o.least_pixel_layers = static_cast<i32>(bounded(s, "least_pixel_layers", 2, 0, 100));
  o.t_min = bounded(s, "t_min", 2.0, 0.1, 100.0);
  o.t_purge = bounded(s, "t_purge", 2.0, 0.1, o.t_min);
  o.t_stop = bounded(s, "t_stop", 0.5, 0.1, o.t_purge);
  o.cooling = bounded(s, "cooling", 0.6, 0.1, 0.95);
  o.vertex_size_cm = bounded(s, "vertex_size_cm", 0.006, 1e-4, 1.0);
  o.d0_cut = bounded(s, "d0_cut", 3.0, 0.0, 9.0);
  o.dz_cut = bounded(s, "dz_cut", 3.0, 0.0, 6.0);
  o.merge_cm = bounded(s, "merge_cm", 0.01, 0.0, 1.0);
  o.unique_weight = bounded(s, "unique_weight", 0.8, 0.0, 1.0);
  o.range_sigmas = bounded(s, "range_sigmas", 4.0, 1.0, 20.0);
  o.least_range_cm = bounded(s, "least_range_cm", 0.1, 1e-3, 10.0);
  o.delta_high_cm = bounded(s, "delta_high_cm", 1e-2, 1e-6, 1.0);
  o.delta_low_cm = bounded(s, "delta_low_cm", 1e-3, 1e-6, 1.0);
  o.block_tracks = static_cast<i32>(bounded(s, "block_tracks", 512, 32, 8192));
  o.block_step = o.block_tracks / 2;
  o.least_neighbours = static_cast<i32>(bounded(s, "least_neighbours", 2, 1, 1000));
  o.eps_cm = bounded(s, "eps_cm", 0.07, 1e-4, 1.0);
  o.seed_error_cm = bounded(s, "seed_error_cm", 0.01, 1e-4, 10.0);
  o.largest_pair_chi2 = bounded(s, "largest_pair_chi2", 9.0, 0.0, 1e3);
  o.least_pt_gev = bounded(s, "least_pt_gev", 0.5, 0.0, 100.0);
  o.first_outlier_chi2 = bounded(s, "first_outlier_chi2", 50.0, 1.0, 1e6);
  o.split_chi2 = bounded(s, "split_chi2", 9.0, 0.0, 1e6);
  o.fit_cut = bounded(s, "fit_cut", 3.0, 0.5, 20.0);
  o.fit_t_start = bounded(s, "fit_t_start", 256.0, 1.0, 1e4);
  o.fit_cooling = bounded(s, "fit_cooling", 0.25, 0.01, 0.95);
  o.fit_shift_cm = bounded(s, "fit_shift_cm", 1e-4, 1e-7, 1.0);
  o.fit_steps = static_cast<i32>(bounded(s, "fit_steps", 30, 1, 1000));
  o.least_ndof = bounded(s, "least_ndof", 2.0, 0.0, 100.0);
  return o;
}

}  // namespace sitecap::vertexing
