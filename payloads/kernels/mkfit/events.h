// The event set as mkfit reads it, checked once. Host only.
#pragma once
#include <string>
#include <vector>

#include "host/payload.h"
#include "kernels/mkfit/stages.h"

namespace sitecap::mkfit {

[[noreturn]] inline void refuse(const std::string& what) {
  throw std::invalid_argument("mkfit: " + what + ": make the event set again");
}

inline void finite(Span<const float> column, const char* name, float low, float high) {
  for (i64 i = 0; i < column.size; ++i)
    if (!(column[i] >= low && column[i] <= high))
      refuse(std::string("column '") + name + "' has " + std::to_string(column[i]) + " at " +
             std::to_string(i));
}

struct Events {
  Columns columns;  // keeps the arrays alive
  std::vector<Layer> layers;
  Plan plan{};
  Span<const i32> hit_offset, seed_offset;
  Span<const u8> hit_layer;
  Span<const float> hit_x, hit_y, hit_z, hit_tt, hit_tl, hit_ll;
  Span<const float> seed_x, seed_y, seed_z, seed_inverse_pt, seed_phi, seed_theta, covariance;
  Span<const i8> seed_charge;
  Span<const i32> seed_hit[seed_hits];
  i32 most_event_hits = 0, most_seeds = 0;

  explicit Events(const Columns& given) : columns(given) {
    read_layers();
    read_hits();
    read_seeds();
  }
  int count() const { return static_cast<int>(hit_offset.size) - 1; }

 private:
  void read_layers() {
    const auto is_disc = columns.get<u8>("layer_is_disc");
    const i64 count = is_disc.size;
    if (count < 1 || count > most_layers)
      refuse("the tracker has " + std::to_string(count) + " layers, not 1 to 128");
    const auto column = [&](const char* name) {
      const auto values = columns.get<float>(name);
      if (values.size != count)
        refuse(std::string("column '") + name + "' is not as long as the list of layers");
      finite(values, name, -1000.f, 1000.f);
      return values;
    };
    const auto position = column("layer_position"), low = column("layer_low"), high = column("layer_high");
    const auto hole_low = column("layer_hole_low"), hole_high = column("layer_hole_high");
    const auto stagger = column("layer_stagger"), stereo = column("layer_stereo");
    const auto precise = column("layer_sigma_precise"), along = column("layer_sigma_along");
    const auto material = column("layer_radiation_lengths");
    for (i64 i = 0; i < count; ++i) {
      if (!(high[i] > low[i]) || !(material[i] > 0.f)) refuse("layer " + std::to_string(i) + " is empty");
      layers.push_back(Layer{is_disc[i], position[i], low[i], high[i], hole_low[i], hole_high[i], stagger[i],
                             stereo[i], precise[i] * precise[i] * (1.f + stereo[i] * stereo[i]),
                             along[i] * along[i], material[i]});
    }
    make_plan();
  }
  // Inside to outside: cylinders by radius, discs by |z|. A disc lies before the cylinders that enclose it,
  // as FPIX before TIB and TID before TOB.
  void make_plan() {
    const i32 count = static_cast<i32>(layers.size());
    for (i32 region = 0; region < regions; ++region) {
      for (i32 i = 0; i < most_layers; ++i) plan.place[region][i] = -1;
      std::vector<i32> used;
      for (i32 i = 0; i < count; ++i) {
        const Layer& layer = layers[static_cast<std::size_t>(i)];
        const bool wanted_side = (layer.position > 0.f) == (region == 1 || region == 3);
        if (layer.is_disc != 0 ? region != region_barrel && wanted_side
                               : region < region_endcap || layer.position < 20.f)
          used.push_back(i);
      }
      const auto before = [this](i32 a, i32 b) {
        const Layer& p = layers[static_cast<std::size_t>(a)];
        const Layer& q = layers[static_cast<std::size_t>(b)];
        if (p.is_disc == q.is_disc) return absolute(p.position) < absolute(q.position);
        const Layer &wheel = p.is_disc != 0 ? p : q, &tube = p.is_disc != 0 ? q : p;
        const bool wheel_first = wheel.high < tube.position && absolute(wheel.position) < tube.high;
        return (p.is_disc != 0) == wheel_first;
      };
      // by insertion: the order of a disc and a cylinder need not be transitive for every tracker, but is
      // fixed so
      for (std::size_t i = 1; i < used.size(); ++i)
        for (std::size_t k = i; k > 0 && before(used[k], used[k - 1]); --k) std::swap(used[k], used[k - 1]);
      plan.count[region] = static_cast<i32>(used.size());
      for (std::size_t i = 0; i < used.size(); ++i) {
        plan.layers[region][i] = used[i];
        plan.place[region][used[i]] = static_cast<i32>(i);
      }
    }
  }
  void read_hits() {
    hit_offset = columns.offsets("hit");
    hit_layer = columns.get<u8>("hit_layer", hit_offset);
    const auto column = [&](const char* name, float low, float high) {
      const auto values = columns.get<float>(name, hit_offset);
      finite(values, name, low, high);
      return values;
    };
    hit_x = column("hit_x", -1000.f, 1000.f);
    hit_y = column("hit_y", -1000.f, 1000.f);
    hit_z = column("hit_z", -1000.f, 1000.f);
    hit_tt = column("hit_covariance_tt", 1e-10f, 1e4f);
    hit_tl = column("hit_covariance_tl", -1e4f, 1e4f);
    hit_ll = column("hit_covariance_ll", 1e-10f, 1e4f);
    for (i64 i = 0; i < hit_layer.size; ++i)
      if (hit_layer[i] >= layers.size())
        refuse("hit " + std::to_string(i) + " lies in a layer that is not there");
    for (i64 e = 0; e + 1 < hit_offset.size; ++e)
      most_event_hits = max_of(most_event_hits, hit_offset[e + 1] - hit_offset[e]);
  }
  void read_seeds() {
    seed_offset = columns.offsets("seed");
    if (seed_offset.size != hit_offset.size) refuse("seeds and hits are of different numbers of events");
    const auto column = [&](const char* name, float low, float high) {
      const auto values = columns.get<float>(name, seed_offset);
      finite(values, name, low, high);
      return values;
    };
    seed_x = column("seed_x", -1000.f, 1000.f);
    seed_y = column("seed_y", -1000.f, 1000.f);
    seed_z = column("seed_z", -1000.f, 1000.f);
    seed_inverse_pt = column("seed_inverse_pt", 1e-5f, 100.f);
    seed_phi = column("seed_phi", -100.f, 100.f);
    seed_theta = column("seed_theta", 1e-3f, 3.1406f);
    seed_charge = columns.get<i8>("seed_charge", seed_offset);
    const auto covariance_offset = columns.offsets("seed_covariance");
    covariance = columns.get<float>("seed_covariance_value", covariance_offset);
    if (covariance.size != 21 * seed_x.size) refuse("not every seed has 21 elements of covariance");
    finite(covariance, "seed_covariance_value", -1e4f, 1e4f);
    for (int k = 0; k < seed_hits; ++k)
      seed_hit[k] = columns.get<i32>("seed_hit" + std::to_string(k), seed_offset);
    for (i64 e = 0; e + 1 < seed_offset.size; ++e) {
      const i32 hits = hit_offset[e + 1] - hit_offset[e];
      most_seeds = max_of(most_seeds, seed_offset[e + 1] - seed_offset[e]);
      for (i64 s = seed_offset[e]; s < seed_offset[e + 1]; ++s) {
        if (seed_charge[s] != 1 && seed_charge[s] != -1)
          refuse("seed " + std::to_string(s) + " has no charge of 1 or -1");
        for (int k = 0; k < seed_hits; ++k)
          if (seed_hit[k][s] >= hits || seed_hit[k][s] < (k == 0 ? 0 : -1))
            refuse("seed " + std::to_string(s) + " has a hit that is not in its event");
      }
    }
  }
};

inline RawHits raw_hits(const Events& e, i64 first) {
  return {e.hit_layer.data + first, e.hit_x.data + first,  e.hit_y.data + first, e.hit_z.data + first,
          e.hit_tt.data + first,    e.hit_tl.data + first, e.hit_ll.data + first};
}

inline RawSeeds raw_seeds(const Events& e, i64 first) {
  const auto of = [first](const auto& column) { return column.data + first; };
  return {of(e.seed_x),
          of(e.seed_y),
          of(e.seed_z),
          of(e.seed_inverse_pt),
          of(e.seed_phi),
          of(e.seed_theta),
          e.covariance.data + 21 * first,
          {of(e.seed_hit[0]), of(e.seed_hit[1]), of(e.seed_hit[2]), of(e.seed_hit[3])},
          of(e.seed_charge)};
}

}  // namespace sitecap::mkfit
