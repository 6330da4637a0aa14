// Memory of one copy of the kernel on a CPU: made once, for the largest event. Host only.
#pragma once
#include "host/arena.h"
#include "host/payload.h"
#include "kernels/vertexing/stages.h"

namespace sitecap::vertexing {

inline constexpr i32 prototypes_a_block = 256;
inline constexpr i32 prototypes_an_event = 2048;

inline Selected make_selected(Arena& arena, i32 tracks) {
  Selected s{};
  s.capacity = tracks;
  for (float** column : {&s.z, &s.weight, &s.prior, &s.error2, &s.pt})
    *column = arena.make<float>(tracks + slots);
  s.source = arena.make<i32>(tracks);
  return s;
}

inline BlockTracks make_block_tracks(Arena& arena, i32 tracks) {
  BlockTracks t{};
  const i32 padded = tracks + slots;
  for (float** column : {&t.z, &t.weight, &t.prior, &t.sigma, &t.share, &t.shift})
    *column = arena.make<float>(padded);
  for (i32** column : {&t.place, &t.first, &t.last, &t.nearest, &t.chunk_first, &t.chunk_last})
    *column = arena.make<i32>(padded);
  return t;
}

inline Prototypes make_prototypes(Arena& arena, i32 capacity, i32* overflow) {
  Prototypes p{};
  p.capacity = capacity;
  p.count = arena.make<i32>(1);
  p.flag = arena.make<i32>(1);
  p.overflow = overflow;
  p.pieces = arena.make<i32>(capacity);
  for (float** column : {&p.z, &p.rho, &p.delta, &p.start, &p.weight, &p.energy, &p.new_z, &p.new_rho,
                         &p.left_z, &p.right_z, &p.left_rho, &p.right_rho})
    *column = arena.make<float>(capacity);
  for (float** column : {&p.sum_share, &p.sum_weight, &p.sum_moment, &p.sum_energy})
    *column = arena.make<float>(static_cast<i64>(capacity) * slots);
  return p;
}

// One thread whose parts may be timed.
struct Timed : Alone {
  StageClock* clock = nullptr;
  void lap(const char* part) const {
    if (clock != nullptr) clock->lap(part);
  }
};

template <class F>
Annealer<F, Timed> make_annealer(Arena& arena, i32 tracks, i32 prototypes, i32* overflow,
                                 const Options& options) {
  Annealer<F, Timed> annealer{};
  annealer.t = make_block_tracks(arena, tracks);
  annealer.p = make_prototypes(arena, prototypes, overflow);
  annealer.o = options;
  annealer.factors = arena.make<float>(static_cast<i64>(prototypes) * width_of<F>);
  return annealer;
}

inline BlockResults make_block_results(Arena& arena, i32 blocks) {
  BlockResults r{};
  r.capacity = prototypes_a_block;
  r.count = arena.make<i32>(blocks);
  r.prior = arena.make<float>(blocks);
  r.z = arena.make<float>(static_cast<i64>(blocks) * r.capacity);
  r.rho = arena.make<float>(static_cast<i64>(blocks) * r.capacity);
  return r;
}

inline DensityTracks make_density(Arena& arena, i32 tracks) {
  DensityTracks t{};
  const i32 padded = tracks + slots;
  for (float** column : {&t.z, &t.error2}) *column = arena.make<float>(padded);
  for (i32** column : {&t.place, &t.low, &t.high, &t.neighbours, &t.parent, &t.cluster})
    *column = arena.make<i32>(padded);
  return t;
}

inline FitTracks make_fit_tracks(Arena& arena, i32 tracks) {
  FitTracks f{};
  f.capacity = (tracks + 2 * slots - 1) / slots * slots;
  f.data = arena.make<float>(f.capacity * fit_columns);
  f.weight = arena.make<float>(f.capacity);
  f.place = arena.make<i32>(f.capacity);
  return f;
}

// The vertices of one clustering and what led to them.
struct Found {
  i32 capacity;  // clusters
  i32 clusters;
  i32* cluster_of;       // of a selected track; -1 none
  i32 *offset, *cursor;  // clusters + 2: where a cluster's tracks begin among those of the fit
  float* start_z;        // of a cluster
  Vertex *unordered, *vertices;
  i32 count;
  i32* vertex_of_cluster;
  i32* track_vertex;  // of a track of the event; -1 none
  float* track_weight;
};

inline Found make_found(Arena& arena, i32 tracks) {
  Found found{};
  found.capacity = tracks + 1;
  found.cluster_of = arena.make<i32>(tracks + slots);
  found.offset = arena.make<i32>(found.capacity + 2);
  found.cursor = arena.make<i32>(found.capacity + 2);
  found.start_z = arena.make<float>(found.capacity + 2);
  found.unordered = arena.make<Vertex>(found.capacity);
  found.vertices = arena.make<Vertex>(found.capacity);
  found.vertex_of_cluster = arena.make<i32>(found.capacity);
  found.track_vertex = arena.make<i32>(tracks);
  found.track_weight = arena.make<float>(tracks);
  return found;
}

}  // namespace sitecap::vertexing
