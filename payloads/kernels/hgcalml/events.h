// Host: the event set as the kernel reads it, checked once; the settings; the weights.
#pragma once
#include <string>
#include <vector>

#include "host/payload.h"
#include "kernels/hgcalml/stages.h"

namespace sitecap::hgcalml {

struct Options {
  float least_energy_gev;  // of tracksters that get an answer
};
// Throws std::invalid_argument where a setting is unknown or out of its range.
Options options_of(const Settings& settings);

// Columns of the section `tracksters`, or of the kernel clue's results with offsets.
class Events {
 public:
  // Throws std::invalid_argument where a column is missing or an entry is not what an endcap gives.
  explicit Events(const Columns& columns);
  int events() const { return static_cast<int>(cluster_offset_.size - 1); }
  i32 most_clusters() const { return most_clusters_; }
  i32 most_tracksters() const { return most_tracksters_; }
  Clusters clusters(int event) const;
  Tracksters tracksters(int event) const;

 private:
  Columns columns_;  // keeps the arrays alive
  Span<const i32> cluster_offset_, trackster_offset_;
  const float* cluster_float_[3] = {};    // energy, eta, phi
  const i32* cluster_int_[2] = {};        // layer, trackster
  const float* trackster_float_[4] = {};  // x, y, z, energy
  i32 most_clusters_ = 0, most_tracksters_ = 0;
};

// The weights as the stages read them: the trained ones, or those of the columns `network_weight` and
// `network_exponent`, as weights.inc has them, where the event set brings its own network of the same shape.
std::vector<float> weights_of(const Columns& columns);

}  // namespace sitecap::hgcalml
