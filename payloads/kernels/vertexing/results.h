// What the kernel tells of an event, wherever it ran. Host only.
#pragma once
#include <string>

#include "host/found.h"
#include "kernels/vertexing/stages.h"

namespace sitecap::vertexing {

inline constexpr int vertex_fields = sizeof(Vertex) / sizeof(float);

// Views of one event's result; of pairs, the first is by annealing, the second by density.
struct Found {
  i32 tracks, prototypes, count[2];
  const float* vertices[2];  // all fields of one after another
  const i32* track_vertex[2];
  const float* track_weight[2];
  const float *prototype_z, *prototype_rho;
  const float* free_energy;
  const i32 *updates, *overflow;

  template <class Visit>
  void each_column(const Visit& visit) {
    for (int f = 0; f < 2; ++f) {
      visit("vertices", vertices[f], i64{vertex_fields} * count[f]);
      visit("track_vertex", track_vertex[f], tracks);
      visit("track_weight", track_weight[f], tracks);
    }
    visit("prototype_z", prototype_z, prototypes);
    visit("prototype_rho", prototype_rho, prototypes);
    visit("free_energy", free_energy, 1);
    visit("updates", updates, 1);
    visit("overflow", overflow, 1);
  }
};

// Vertices column by column, and the names that README.md has.
inline Columns columns_of(const Found& r) {
  static const char* const fields[vertex_fields] = {"x",  "y",  "z",  "xx",   "yx",   "yy",
                                                    "zx", "zy", "zz", "chi2", "ndof", "sum_pt2"};
  Columns columns;
  const auto put = [&columns](const std::string& name, const auto* values, i32 count) {
    columns.put(name, std::vector<std::decay_t<decltype(*values)>>(values, values + count));
  };
  for (int f = 0; f < 2; ++f) {
    const std::string prefix = f == 0 ? "annealing_" : "density_";
    for (int c = 0; c < vertex_fields; ++c) {
      std::vector<float> column;
      for (i32 i = 0; i < r.count[f]; ++i) column.push_back(r.vertices[f][i * vertex_fields + c]);
      columns.put(prefix + "vertex_" + fields[c], std::move(column));
    }
    put(prefix + "track_vertex", r.track_vertex[f], r.tracks);
    put(prefix + "track_weight", r.track_weight[f], r.tracks);
  }
  put("annealing_prototype_z", r.prototype_z, r.prototypes);
  put("annealing_prototype_rho", r.prototype_rho, r.prototypes);
  put("annealing_free_energy", r.free_energy, 1);
  put("annealing_updates", r.updates, 1);
  put("overflow", r.overflow, 1);
  return columns;
}

}  // namespace sitecap::vertexing
