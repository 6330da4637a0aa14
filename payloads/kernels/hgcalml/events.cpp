#include "kernels/hgcalml/events.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace sitecap::hgcalml {

namespace {

#include "kernels/hgcalml/weights.inc"
static_assert(sizeof(weight_integers) / sizeof(i16) == weight_count,
              "weights of another network: train again");
static_assert(sizeof(weight_exponents) / sizeof(i16) == tensors, "weights of another network: train again");

constexpr float largest_energy_gev = 1e6f, largest_eta = 10.f, largest_phi = 3.1416f, largest_cm = 1e4f;

[[noreturn]] void refuse(const std::string& column, i64 entry, double value, const char* allowed) {
  char text[240];
  std::snprintf(text, sizeof text, "%s[%lld] is %g, out of range (%s): make the event set again",
                column.c_str(), static_cast<long long>(entry), value, allowed);
  throw std::invalid_argument(text);
}

const float* checked(const Columns& columns, const std::string& name, Span<const i32> offset, float low,
                     float high, const char* allowed) {
  const Span<const float> column = columns.get<float>(name, offset);
  for (i64 i = 0; i < column.size; ++i)
    if (!(column[i] >= low && column[i] <= high)) refuse(name, i, static_cast<double>(column[i]), allowed);
  return column.data;
}

float power_of_two(int exponent) {
  return from_bits((exponent + 127) << 23);
}

}  // namespace

Options options_of(const Settings& settings) {
  for (const auto& [name, value] : settings)
    if (name != "least_energy_gev")
      throw std::invalid_argument("hgcalml has no setting '" + name + "': change the manifest");
  const double least = setting(settings, "least_energy_gev", 1.0);
  if (!(least >= 0.0 && least <= 1e6))
    throw std::invalid_argument(
        "setting 'least_energy_gev' of hgcalml is not within 0 and 1e6: change the manifest");
  return {static_cast<float>(least)};
}

Events::Events(const Columns& columns)
    : columns_(columns),
      cluster_offset_(columns.offsets("cluster")),
      trackster_offset_(columns.offsets("trackster")) {
  if (cluster_offset_.size != trackster_offset_.size)
    throw std::invalid_argument("clusters are of " + std::to_string(cluster_offset_.size - 1) +
                                " events, tracksters of " + std::to_string(trackster_offset_.size - 1) +
                                ": make the event set again");
  const Span<const i32> of_clusters = cluster_offset_, of_tracksters = trackster_offset_;
  cluster_float_[0] =
      checked(columns, "cluster_energy", of_clusters, 0.f, largest_energy_gev, "0 to 1e6 GeV");
  cluster_float_[1] = checked(columns, "cluster_eta", of_clusters, -largest_eta, largest_eta, "-10 to 10");
  cluster_float_[2] = checked(columns, "cluster_phi", of_clusters, -largest_phi, largest_phi, "-pi to pi");
  const char* const axes[] = {"trackster_x", "trackster_y", "trackster_z"};
  for (int a = 0; a < 3; ++a)
    trackster_float_[a] = checked(columns, axes[a], of_tracksters, -largest_cm, largest_cm, "-1e4 to 1e4 cm");
  trackster_float_[3] =
      checked(columns, "trackster_energy", of_tracksters, 0.f, largest_energy_gev, "0 to 1e6 GeV");
  cluster_int_[0] = columns.get<i32>("cluster_layer", of_clusters).data;
  cluster_int_[1] = columns.get<i32>("cluster_trackster", of_clusters).data;
  for (int event = 0; event < events(); ++event) {
    const i32 tracksters = trackster_offset_[event + 1] - trackster_offset_[event];
    most_clusters_ = max_of(most_clusters_, cluster_offset_[event + 1] - cluster_offset_[event]);
    most_tracksters_ = max_of(most_tracksters_, tracksters);
    for (i32 i = cluster_offset_[event]; i < cluster_offset_[event + 1]; ++i) {
      if (cluster_int_[0][i] < 0 || cluster_int_[0][i] >= 2 * layers_of_an_endcap)
        refuse("cluster_layer", i, cluster_int_[0][i], "0 to 93");
      if (cluster_int_[1][i] < none || cluster_int_[1][i] >= tracksters)
        refuse("cluster_trackster", i, cluster_int_[1][i], "-1, or a trackster of the event");
    }
  }
}

Clusters Events::clusters(int event) const {
  const i64 at = cluster_offset_[event];
  return {cluster_offset_[event + 1] - cluster_offset_[event],
          cluster_float_[0] + at,
          cluster_float_[1] + at,
          cluster_float_[2] + at,
          cluster_int_[0] + at,
          cluster_int_[1] + at};
}

Tracksters Events::tracksters(int event) const {
  const i64 at = trackster_offset_[event];
  return {trackster_offset_[event + 1] - trackster_offset_[event], trackster_float_[0] + at,
          trackster_float_[1] + at, trackster_float_[2] + at, trackster_float_[3] + at};
}

std::vector<float> weights_of(const Columns& columns) {
  Span<const i16> integers{weight_integers, weight_count}, exponents{weight_exponents, tensors};
  if (columns.has("network_weight") || columns.has("network_exponent")) {
    integers = columns.get<i16>("network_weight");
    exponents = columns.get<i16>("network_exponent");
    if (integers.size != weight_count || exponents.size != tensors)
      throw std::invalid_argument("the event set's network has " + std::to_string(integers.size) +
                                  " weights in " + std::to_string(exponents.size) + " tensors, not " +
                                  std::to_string(weight_count) + " in " + std::to_string(tensors) +
                                  ": bring one of the same shape or none");
  }
  std::vector<float> weights(weight_floats, 0.f);
  for (i32 t = 0, i = 0; t < tensors; ++t) {
    if (exponents[t] < -60 || exponents[t] > 20) refuse("network_exponent", t, exponents[t], "-60 to 20");
    const float unit = power_of_two(exponents[t]);
    for (; i < tensor_ends[t]; ++i) {
      i32 to = i;
      if (i >= Heads::first_weight) {  // heads have room for lanes
        const i32 k = i - Heads::first_weight;
        to = Heads::first_weight + k / heads * head_slots + k % heads;
      }
      weights[static_cast<std::size_t>(to)] = static_cast<float>(integers[i]) * unit;
    }
  }
  return weights;
}

}  // namespace sitecap::hgcalml
