// Host: reads and checks settings and events once.
#pragma once
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "host/payload.h"
#include "kernels/pflow/stages.h"

namespace sitecap::pflow {

[[noreturn]] inline void refuse(const std::string& what) {
  throw std::invalid_argument("pflow: " + what);
}

inline double bounded(const Settings& settings, const char* name, double otherwise, double low, double high) {
  const double value = setting(settings, name, otherwise);
  if (!(value >= low && value <= high))
    refuse("setting '" + std::string(name) + "' is not within " + std::to_string(low) + " and " +
           std::to_string(high) + ": correct the manifest");
  return value;
}

inline Options options_of(const Settings& s) {
  static const std::set<std::string> known = {
      "max_iterations", "tolerance",   "ecal_sigma_cm", "hcal_sigma_cm", "depth_sigmas",   "field_tesla",
      "ecal_window",    "hcal_window", "excess_sigmas", "lack_sigmas",   "track_error_gev"};
  for (const auto& [name, value] : s)
    if (known.count(name) == 0) refuse("there is no setting '" + name + "': correct the manifest");
  const auto square = [](double x) { return static_cast<float>(x * x); };
  Options o{};
  o.max_iterations = static_cast<i32>(bounded(s, "max_iterations", 50, 1, 1000));
  o.tolerance = static_cast<float>(bounded(s, "tolerance", 1e-8, 0, 1));
  o.ecal_inverse_sigma2 = 1.f / square(bounded(s, "ecal_sigma_cm", 1.5, 0.1, 100));
  o.hcal_inverse_sigma2 = 1.f / square(bounded(s, "hcal_sigma_cm", 10, 0.1, 1000));
  o.depth_sigmas2 = square(bounded(s, "depth_sigmas", 2, 0, 100));
  o.bend_gev_per_cm = static_cast<float>(-2.99792458e-3 * bounded(s, "field_tesla", 3.8, -10, 10));
  if (std::abs(o.bend_gev_per_cm) < 1e-6f)
    refuse("setting 'field_tesla' is 0, without a field there are no momenta: correct the manifest");
  o.ecal_window = static_cast<float>(bounded(s, "ecal_window", 0.05, 0, 10));
  o.hcal_window = static_cast<float>(bounded(s, "hcal_window", 0.2, 0, 10));
  o.excess_sigmas = static_cast<float>(bounded(s, "excess_sigmas", 1, 0, 1000));
  o.lack_sigmas = static_cast<float>(bounded(s, "lack_sigmas", 1, 0, 1000));
  o.track_error_gev = static_cast<float>(bounded(s, "track_error_gev", 1, 0, 1e6));
  return o;
}

// A set of events, checked: every index and number is one that the stages can bear.
class Events {
 public:
  explicit Events(const Columns& columns)
      : cell_offset_(columns.offsets("rechit")), track_offset_(columns.offsets("track")) {
    if (cell_offset_.size != track_offset_.size)
      refuse("there are tracks of " + std::to_string(track_offset_.size - 1) + " events and rechits of " +
             std::to_string(cell_offset_.size - 1) + ": make the event set again");
    read_channels(columns);
    read_cells(columns);
    static const char* const names[] = {"track_q_over_pt", "track_phi", "track_cot_theta",
                                        "track_d0",        "track_z0",  "track_covariance_00"};
    static constexpr double least[] = {-1e3, -3.1416, -1e3, -1e3, -1e3, 0},
                            most[] = {1e3, 3.1416, 1e3, 1e3, 1e3, 1e6};
    for (std::size_t k = 0; k < 6; ++k) {
      const Span<const float> from = columns.get<float>(names[k], track_offset_);
      for (i64 i = 0; i < from.size; ++i)
        if (!(from[i] >= least[k] && from[i] <= most[k]) || (k == 0 && std::abs(from[i]) < 1e-7f))
          refuse("track " + std::to_string(i) + " has a " + names[k] +
                 " out of range: make the event set again");
      track_[k].assign(from.begin(), from.end());
      track_[k].resize(track_[k].size() + 16, 1.f);  // lanes read past the last
    }
  }

  int count() const { return static_cast<int>(cell_offset_.size - 1); }
  i32 most_cells() const { return most_of(cell_offset_); }
  i32 most_tracks() const { return most_of(track_offset_); }
  const Channels& channels() const { return channels_; }
  Cells cells(int event) const {
    const i32 first = cell_offset_[event];
    return {channel_ + first, energy_ + first, cell_offset_[event + 1] - first};
  }
  Tracks tracks(int event) const {
    const i32 first = track_offset_[event];
    return {track_[0].data() + first,        track_[1].data() + first, track_[2].data() + first,
            track_[3].data() + first,        track_[4].data() + first, track_[5].data() + first,
            track_offset_[event + 1] - first};
  }

 private:
  static i32 most_of(Span<const i32> offset) {
    i32 most = 0;
    for (i64 i = 1; i < offset.size; ++i) most = max_of(most, offset[i] - offset[i - 1]);
    return most;
  }
  static bool within(float value, double low, double high) { return value >= low && value <= high; }

  void read_channels(const Columns& columns) {
    const Span<const u8> layer = columns.get<u8>("channel_layer");
    const Span<const i32> neighbours = columns.get<i32>("channel_neighbours");
    Span<const float> place[5];
    static const char* const names[] = {"channel_x", "channel_y", "channel_z", "channel_eta", "channel_phi"};
    for (int k = 0; k < 5; ++k) {
      place[k] = columns.get<float>(names[k]);
      if (place[k].size != layer.size)
        refuse(std::string("column '") + names[k] +
               "' is not as long as channel_layer: make the event set again");
    }
    if (layer.size < 1 || layer.size > 1 << 24 || neighbours.size != 8 * layer.size)
      refuse("channel_neighbours does not hold eight numbers a channel: make the event set again");
    for (i64 i = 0; i < layer.size; ++i) {
      bool good = layer[i] < layers && (i == 0 || layer[i] >= ecal_layers || layer[i - 1] < ecal_layers);
      for (int k = 0; k < 3; ++k) good = good && within(place[k][i], -1e4, 1e4);
      good = good && within(place[3][i], -10, 10) && within(place[4][i], -3.1416, 3.1416) &&
             place[0][i] * place[0][i] + place[1][i] * place[1][i] > 1.f;
      for (int k = 0; k < 8; ++k) {
        const i32 next = neighbours[8 * i + k];
        good = good && next >= none && next < layer.size && (next == none || layer[next] == layer[i]);
      }
      if (!good)
        refuse("channel " + std::to_string(i) +
               " has a layer, place or neighbour that no calorimeter has: make the event set again");
    }
    channels_ = {place[0].data, place[1].data, place[2].data,   place[3].data,
                 place[4].data, layer.data,    neighbours.data, static_cast<i32>(layer.size)};
  }

  void read_cells(const Columns& columns) {
    channel_ = columns.get<i32>("rechit_channel", cell_offset_).data;
    energy_ = columns.get<float>("rechit_energy", cell_offset_).data;
    for (int event = 0; event < count(); ++event)
      for (i32 i = cell_offset_[event]; i < cell_offset_[event + 1]; ++i) {
        const i32 before = i == cell_offset_[event] ? -1 : channel_[i - 1];
        if (!(channel_[i] > before && channel_[i] < channels_.count && within(energy_[i], 0, 1e5)))
          refuse("rechit " + std::to_string(i - cell_offset_[event]) + " of event " + std::to_string(event) +
                 " has an energy out of range, or a channel that does not rise: make the event set again");
      }
  }

  Span<const i32> cell_offset_, track_offset_;
  const i32* channel_ = nullptr;
  const float* energy_ = nullptr;
  Channels channels_{};
  std::vector<float> track_[6];
};

}  // namespace sitecap::pflow
