// Events as they come in, checked once. Host only.
#pragma once
#include <algorithm>
#include <string>

#include "host/payload.h"
#include "kernels/catracks/stages.h"

namespace sitecap::catracks {

struct Events {
  Cuts cuts;
  Layout layout{};
  Columns columns;  // keeps the arrays alive
  Span<const i32> offset;
  Span<const u16> module;
  Span<const u8> sensor;
  std::vector<float> x, y, z;  // copies: vectors may be read beyond the last hit
  std::vector<float> frame;
  std::vector<i32> layer, has_pixels;
  i32 modules = 0, most_hits = 0;
  int count() const { return static_cast<int>(offset.size) - 1; }
};

inline Cuts read_cuts(const Settings& settings) {
  Cuts cuts;
  struct Named {
    const char* name;
    float* value;
    float low, high;
  };
  const Named all[] = {{"min_pt_gev", &cuts.min_pt_gev, 0.1f, 100.f},
                       {"luminous_cm", &cuts.luminous_cm, 0.f, 100.f},
                       {"beam_offset_cm", &cuts.beam_offset_cm, 0.f, 100.f},
                       {"pair_resolution_cm", &cuts.pair_resolution_cm, 0.f, 10.f},
                       {"segment_resolution_cm", &cuts.segment_resolution_cm, 0.f, 10.f},
                       {"scattering_gev", &cuts.scattering_gev, 0.f, 1.f},
                       {"module_scattering_gev", &cuts.module_scattering_gev, 0.f, 1.f},
                       {"extra_length_cm", &cuts.extra_length_cm, 0.f, 100.f},
                       {"rz_sigmas", &cuts.rz_sigmas, 0.f, 1e3f},
                       {"max_chi2_bend", &cuts.max_chi2_bend, 0.f, 1e9f},
                       {"max_chi2_rz", &cuts.max_chi2_rz, 0.f, 1e9f},
                       {"least_shared_hits", &cuts.least_shared_hits, 1.f, 20.f},
                       {"least_common_hits", &cuts.least_common_hits, 1.f, 20.f},
                       {"field_t", &cuts.field_t, 0.1f, 20.f}};
  for (const Named& one : all) {
    const double value = setting(settings, one.name, *one.value);
    if (!(value >= one.low && value <= one.high))
      throw std::invalid_argument(std::string("setting '") + one.name + "' is " + std::to_string(value) +
                                  ": set it within " + std::to_string(one.low) + " and " +
                                  std::to_string(one.high));
    *one.value = static_cast<float>(value);
  }
  cuts.bend_gev_per_cm = 0.00299792458f * cuts.field_t;
  cuts.sine_per_cm = 0.5f * cuts.bend_gev_per_cm / cuts.min_pt_gev;
  cuts.scattering = cuts.scattering_gev / cuts.min_pt_gev;
  cuts.radians_per_curvature = cuts.module_scattering_gev / cuts.bend_gev_per_cm;
  return cuts;
}

inline void read_modules(const Columns& columns, Events& events) {
  const auto layer = columns.get<u8>("module_layer");
  const auto pixels = columns.get<u8>("module_has_pixels");
  if (layer.size < 1 || layer.size > 32767 || pixels.size != layer.size)
    throw std::invalid_argument("columns 'module_layer' and 'module_has_pixels' have " +
                                std::to_string(layer.size) + " and " + std::to_string(pixels.size) +
                                " modules, not 1 to 32767 alike: make the event set again");
  events.modules = static_cast<i32>(layer.size);
  events.frame.assign(layer.size * frame_size, 0.f);
  const char* const names[] = {"module_rotation", "module_gap", "module_x", "module_y", "module_z"};
  const int widths[] = {9, 1, 1, 1, 1}, places[] = {0, 9, 13, 14, 15};
  for (int c = 0; c < 5; ++c) {
    const auto values = columns.get<float>(names[c]);
    if (values.size != layer.size * widths[c])
      throw std::invalid_argument(std::string("column '") + names[c] + "' has " +
                                  std::to_string(values.size) + " entries for " + std::to_string(layer.size) +
                                  " modules: make the event set again");
    for (i64 i = 0; i < values.size; ++i) {
      if (!(values[i] > -1e4f && values[i] < 1e4f))
        throw std::invalid_argument(std::string("column '") + names[c] +
                                    "' holds a number that is no place in a " + "detector (entry " +
                                    std::to_string(i) + "): make the event set again");
      events.frame[i / widths[c] * frame_size + places[c] + i % widths[c]] = values[i];
    }
  }
  for (i64 m = 0; m < layer.size; ++m) {
    if (layer[m] >= layers)
      throw std::invalid_argument("module " + std::to_string(m) + " is in layer " + std::to_string(layer[m]) +
                                  ", there are " + std::to_string(layers) + ": make the event set again");
    events.layer.push_back(layer[m]);
    events.has_pixels.push_back(pixels[m] != 0 ? 1 : 0);
    float* f = &events.frame[m * frame_size];
    for (int k = 0; k < 3; ++k) f[10 + k] = f[3 + k] * (pixels[m] != 0 ? half_pixel_cm : half_strip_cm);
  }
}

// How far the sensors of each layer reach, and windows of phi of each cell.
inline void lay_out(Events& events) {
  Layout& t = events.layout;
  for (int l = 0; l < layers; ++l) {
    t.r_min[l] = t.z_min[l] = 1e9f;
    t.r_max[l] = t.z_max[l] = t.along_z_max[l] = t.along_r_max[l] = 0.f;
  }
  constexpr float corner_cm = 6.8f;  // half the diagonal of the larger module
  for (i32 m = 0; m < events.modules; ++m) {
    const float* f = &events.frame[m * frame_size];
    const i32 l = events.layer[m];
    const float r = square_root(f[13] * f[13] + f[14] * f[14]), z = absolute(f[15]);
    const bool disc = l >= barrel_layers;
    const float far_r = r + (disc ? corner_cm : 3.5f), far_z = z + (disc ? 0.5f : corner_cm);
    t.r_min[l] = std::min(t.r_min[l], std::max(0.1f, r - (disc ? corner_cm : 2.8f)));
    t.r_max[l] = std::max(t.r_max[l], far_r);
    t.z_min[l] = std::min(t.z_min[l], std::max(0.f, z - (disc ? 0.5f : corner_cm)));
    t.z_max[l] = std::max(t.z_max[l], far_z);
    t.along_z_max[l] = std::max(t.along_z_max[l], absolute(f[12]));
    t.along_r_max[l] = std::max(t.along_r_max[l], square_root(f[10] * f[10] + f[11] * f[11]));
  }
  const Cuts& cuts = events.cuts;
  const auto window = [&](float r_min, float r_max) {
    const float offset = cuts.beam_offset_cm / r_min;
    return slope_of(cuts, r_max) + square_root(cuts.scattering * cuts.scattering + offset * offset) + 1e-3f;
  };
  for (int l = 0; l < layers; ++l) {
    if (t.r_max[l] == 0.f) t.r_min[l] = t.r_max[l] = 1.f;
    const float sine = std::min(t.r_max[l] * cuts.sine_per_cm, largest_sine);
    t.curl_max[l] = sine / (square_root(1.f - sine * sine) * arc_sine(sine));
    const bool disc = l >= barrel_layers;
    for (int row = 0; row < (disc ? 2 * disc_rows : barrel_rows); ++row) {
      const float begin = disc_begin_cm + disc_row_cm * static_cast<float>(row % disc_rows);
      // the first and last row also hold what lies beyond them
      const float low = disc && row % disc_rows > 0 ? begin : t.r_min[l];
      const float high = disc && row % disc_rows < disc_rows - 1 ? begin + disc_row_cm : t.r_max[l];
      t.cell_window[first_cell(l, false) + row] = window(low, std::max(low, high));
    }
  }
}

// Throws std::invalid_argument where an index would lead out of an array.
inline Events read_events(const Columns& columns, const Settings& settings) {
  Events events;
  events.cuts = read_cuts(settings);
  events.columns = columns;
  read_modules(columns, events);
  lay_out(events);
  events.offset = columns.offsets("hit");
  events.module = columns.get<u16>("hit_module", events.offset);
  events.sensor = columns.get<u8>("hit_sensor", events.offset);
  const char* const names[] = {"hit_x", "hit_y", "hit_z"};
  std::vector<float>* const copies[] = {&events.x, &events.y, &events.z};
  for (int c = 0; c < 3; ++c) {
    const auto values = columns.get<float>(names[c], events.offset);
    for (i64 i = 0; i < values.size; ++i)
      if (!(values[i] > -1e4f && values[i] < 1e4f))
        throw std::invalid_argument(std::string("column '") + names[c] +
                                    "' holds a number that is no place in a " + "detector (entry " +
                                    std::to_string(i) + "): make the event set again");
    copies[c]->assign(values.begin(), values.end());
    copies[c]->resize(copies[c]->size() + 16, 0.f);
  }
  for (int e = 0; e < events.count(); ++e) {
    const i32 begin = events.offset[e], end = events.offset[e + 1];
    events.most_hits = std::max(events.most_hits, end - begin);
    for (i32 i = begin; i < end; ++i) {
      const auto place = [&](i32 k) { return 2 * events.module[k] + events.sensor[k]; };
      const char* wrong = events.module[i] >= events.modules     ? "module"
                          : events.sensor[i] > 1                 ? "sensor"
                          : i > begin && place(i) < place(i - 1) ? "order"
                          : events.x[i] * events.x[i] + events.y[i] * events.y[i] < 1.f
                              ? "distance from the beam line"
                              : nullptr;
      if (wrong != nullptr)
        throw std::invalid_argument("hit " + std::to_string(i) + " (module " +
                                    std::to_string(events.module[i]) + ", sensor " +
                                    std::to_string(events.sensor[i]) + ") is out of range or order in its " +
                                    wrong + ": make the event set again");
    }
  }
  return events;
}

}  // namespace sitecap::catracks
