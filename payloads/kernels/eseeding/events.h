// The event set as the kernel reads it, checked once; the settings. Host only.
#pragma once
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "host/payload.h"
#include "kernels/eseeding/stages.h"

namespace sitecap::eseeding {

// What is no coordinate or energy of this detector: a sentence with the column, the entry and the value.
[[noreturn]] inline void refuse(const char* what, i64 entry, double value, const char* why) {
  char text[200];
  std::snprintf(text, sizeof text, "%s[%lld] is %g, %s: make the event set again", what,
                static_cast<long long>(entry), value, why);
  throw std::invalid_argument(text);
}

class Events {
 public:
  explicit Events(const Columns& columns)
      : columns_(columns),
        hit_offset_(columns.offsets("hit")),
        ecal_offset_(columns.offsets("ecal")),
        tower_offset_(columns.offsets("tower")) {
    if (hit_offset_.size != ecal_offset_.size || hit_offset_.size != tower_offset_.size)
      throw std::invalid_argument(
          "hits, crystals and towers are not of as many events: make the event set again");
    const char* const axes[] = {"x", "y", "z"};
    for (int a = 0; a < 3; ++a) {
      hit_[a] = columns.get<float>("hit_" + std::string(axes[a]), hit_offset_).data;
      place_[a] = columns.get<float>("ecal_" + std::string(axes[a]), ecal_offset_).data;
    }
    layer_ = columns.get<u8>("hit_layer", hit_offset_).data;
    index_ = columns.get<i32>("ecal_index", ecal_offset_).data;
    energy_ = columns.get<float>("ecal_energy", ecal_offset_).data;
    tower_energy_ = columns.get<float>("tower_energy", tower_offset_).data;
    tower_eta_ = columns.get<float>("tower_eta", tower_offset_).data;
    tower_phi_ = columns.get<float>("tower_phi", tower_offset_).data;
    beam_ = {one("beam_x"), one("beam_y"), one("beam_z")};
    check_hits();
    check_crystals();
    check_towers();
  }

  int events() const { return static_cast<int>(hit_offset_.size - 1); }
  const Beam& beam() const { return beam_; }
  i32 most_hits() const { return most(hit_offset_); }
  i32 most_crystals() const { return most(ecal_offset_); }
  i32 most_towers() const { return most(tower_offset_); }

  EventHits hits(int i) const {
    const i64 at = hit_offset_[i];
    return {hit_offset_[i + 1] - hit_offset_[i], hit_[0] + at, hit_[1] + at, hit_[2] + at, layer_ + at};
  }
  Rechits crystals(int i) const {
    const i64 at = ecal_offset_[i];
    return {ecal_offset_[i + 1] - ecal_offset_[i],
            index_ + at,
            energy_ + at,
            place_[0] + at,
            place_[1] + at,
            place_[2] + at};
  }
  Towers towers(int i) const {
    const i64 at = tower_offset_[i];
    return {tower_offset_[i + 1] - tower_offset_[i], tower_energy_ + at, tower_eta_ + at, tower_phi_ + at};
  }

 private:
  static i32 most(const Span<const i32>& offset) {
    i32 largest = 0;
    for (i64 i = 0; i + 1 < offset.size; ++i) largest = max_of(largest, offset[i + 1] - offset[i]);
    return largest;
  }
  float one(const char* name) const {
    const Span<const float> column = columns_.get<float>(name);
    if (column.size != 1)
      throw std::invalid_argument("column '" + std::string(name) + "' has " + std::to_string(column.size) +
                                  " entries, not 1: make the event set again");
    if (!(std::abs(column[0]) < 1.f)) refuse(name, 0, column[0], "not within 1 cm of the middle");
    return column[0];
  }
  void check_hits() const {
    for (i64 i = 0; i < hit_offset_[hit_offset_.size - 1]; ++i) {
      if (layer_[i] >= layers) refuse("hit_layer", i, layer_[i], "and there are 10 layers");
      const double x = hit_[0][i] - beam_.x_cm, y = hit_[1][i] - beam_.y_cm, z = hit_[2][i];
      const double r = std::sqrt(x * x + y * y);
      const Layer place = layer_of(layer_[i]);
      const bool barrel = layer_[i] < barrel_layers;
      const double at = barrel ? r : (layer_[i] < 7 ? z : -z);
      if (!(at > place.low_cm && at < place.high_cm))
        refuse(barrel ? "the radius of hit_layer" : "|z| of hit_layer", i, at,
               "which is not where its layer is");
      if (!(std::abs(z) < 60.0)) refuse("hit_z", i, z, "not within 60 cm");
      if (!(r > 2.0 && r < 20.0)) refuse("the radius of hit", i, r, "not between 2 and 20 cm");
    }
  }
  void check_crystals() const {
    for (int event = 0; event < events(); ++event)
      for (i64 i = ecal_offset_[event]; i < ecal_offset_[event + 1]; ++i) {
        if (index_[i] < 0 || index_[i] >= barrel_crystals + 2 * endcap_crystals)
          refuse("ecal_index", i, index_[i], "and there is no such crystal");
        if (i > ecal_offset_[event] && index_[i] <= index_[i - 1])
          refuse("ecal_index", i, index_[i], "which does not rise within its event");
        if (!(energy_[i] > 0.f && energy_[i] < 1e5f))
          refuse("ecal_energy", i, energy_[i], "not between 0 and 100 TeV");
        const double x = place_[0][i], y = place_[1][i], r = std::sqrt(x * x + y * y);
        if (!(r > 25.0 && r < 200.0)) refuse("the radius of ecal", i, r, "not between 25 and 200 cm");
        if (!(std::abs(place_[2][i]) < 400.f)) refuse("ecal_z", i, place_[2][i], "not within 400 cm");
      }
  }
  void check_towers() const {
    for (i64 i = 0; i < tower_offset_[tower_offset_.size - 1]; ++i) {
      if (!(tower_energy_[i] >= 0.f && tower_energy_[i] < 1e5f))
        refuse("tower_energy", i, tower_energy_[i], "not between 0 and 100 TeV");
      if (!(std::abs(tower_eta_[i]) < 10.f)) refuse("tower_eta", i, tower_eta_[i], "not within 10");
      if (!(std::abs(tower_phi_[i]) < 3.2f)) refuse("tower_phi", i, tower_phi_[i], "not within pi");
    }
  }

  Columns columns_;  // keeps the arrays alive
  Span<const i32> hit_offset_, ecal_offset_, tower_offset_;
  const float *hit_[3] = {}, *place_[3] = {};
  const float *energy_ = nullptr, *tower_energy_ = nullptr, *tower_eta_ = nullptr, *tower_phi_ = nullptr;
  const u8* layer_ = nullptr;
  const i32* index_ = nullptr;
  Beam beam_{};
};

// One parameter within its bounds, or the reason why not.
inline float bounded(const Settings& settings, const char* name, double otherwise, double low, double high) {
  const double value = setting(settings, name, otherwise);
  if (value >= low && value <= high) return static_cast<float>(value);
  char text[200];
  std::snprintf(text, sizeof text,
                "setting '%s' of eseeding is %g, not within %g and %g: change the manifest", name, value, low,
                high);
  throw std::invalid_argument(text);
}

// Sources of the values: README.md.
inline Options options_of(const Settings& s) {
  Options o{};
  o.seed_barrel_gev = bounded(s, "seed_barrel_gev", 0.23, 0.0, 100.0);
  o.seed_endcap_gev = bounded(s, "seed_endcap_gev", 0.60, 0.0, 100.0);
  o.seed_endcap_et_gev = bounded(s, "seed_endcap_et_gev", 0.15, 0.0, 100.0);
  o.gather_barrel_gev = bounded(s, "gather_barrel_gev", 0.08, 0.0, 100.0);
  o.gather_endcap_gev = bounded(s, "gather_endcap_gev", 0.30, 0.0, 100.0);
  o.log_weight = bounded(s, "log_weight", 4.2, 0.1, 20.0);
  o.least_cluster_gev = bounded(s, "least_cluster_gev", 0.5, 0.1, 1e3);
  o.least_seed_et_gev = bounded(s, "least_seed_et_gev", 1.0, 0.1, 1e3);
  o.least_et_gev = bounded(s, "least_et_gev", 4.0, 2.0, 1e3);
  o.widening = bounded(s, "widening", 1.0, 0.01, 100.0);
  o.tower_cone = bounded(s, "tower_cone", 0.15, 0.0, 3.0);
  o.largest_h_over_e = bounded(s, "largest_h_over_e", 0.2, 0.0, 1e3);
  o.largest_eta = bounded(s, "largest_eta", 2.5, 0.0, 4.0);
  o.first_dphi = bounded(s, "first_dphi", 0.05, 0.0, 0.5);
  o.first_dphi_slope = bounded(s, "first_dphi_slope", -0.002, -0.01, 0.0);
  o.first_dphi_et_gev = bounded(s, "first_dphi_et_gev", 20.0, 0.0, 100.0);
  o.next_dphi = bounded(s, "next_dphi", 0.003, 0.0, 0.5);
  o.next_drz_cm = bounded(s, "next_drz_cm", 0.05, 0.0, 10.0);
  o.next_drz_slope_cm = bounded(s, "next_drz_slope_cm", -0.002, -0.1, 0.0);
  o.next_drz_et_gev = bounded(s, "next_drz_et_gev", 30.0, 0.0, 100.0);
  o.largest_z_cm = bounded(s, "largest_z_cm", 12.5, 0.0, 50.0);
  o.layers_for_triplets = static_cast<i32>(bounded(s, "layers_for_triplets", 4, 0, 8));
  o.charges = static_cast<i32>(bounded(s, "charges", 3, 1, 3));
  return o;
}

}  // namespace sitecap::eseeding
