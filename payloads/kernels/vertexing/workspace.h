// Memory of one event: made once, for the largest; by an Arena or whatever else makes arrays. Host only.
#pragma once
#include "host/arena.h"
#include "host/payload.h"
#include "kernels/vertexing/results.h"

namespace sitecap::vertexing {

inline constexpr i32 prototypes_a_block = 256;
inline constexpr i32 prototypes_an_event = 2048;

// Blocks into which so many tracks fall at most.
inline i32 most_blocks(i32 tracks, const Options& o) {
  return max_of(1, tracks / o.block_step);
}

template <class Memory>
Selected make_selected(Memory& memory, i32 tracks) {
  Selected s{};
  s.capacity = tracks;
  for (float** column : {&s.z, &s.weight, &s.prior, &s.error2, &s.pt})
    *column = memory.template make<float>(tracks + slots);
  s.source = memory.template make<i32>(tracks);
  return s;
}

template <class Memory>
BlockTracks make_block_tracks(Memory& memory, i64 padded) {
  BlockTracks t{};
  for (float** column : {&t.z, &t.weight, &t.prior, &t.sigma, &t.share, &t.shift})
    *column = memory.template make<float>(padded);
  for (i32** column : {&t.place, &t.first, &t.last, &t.nearest, &t.chunk_first, &t.chunk_last})
    *column = memory.template make<i32>(padded);
  return t;
}

template <class Memory>
Prototypes make_prototypes(Memory& memory, i32 capacity, i32 lists) {
  Prototypes p{};
  p.capacity = capacity;
  for (i32** value : {&p.count, &p.flag, &p.overflow}) *value = memory.template make<i32>(lists);
  const i64 places = static_cast<i64>(capacity) * lists;
  p.pieces = memory.template make<i32>(places);
  for (i32** column : {&p.seen_from, &p.seen_to}) *column = memory.template make<i32>(places * classes);
  for (float** column : {&p.z, &p.rho, &p.delta, &p.start, &p.weight, &p.energy, &p.new_z, &p.new_rho,
                         &p.left_z, &p.right_z, &p.left_rho, &p.right_rho})
    *column = memory.template make<float>(places);
  for (float** column : {&p.sum_share, &p.sum_weight, &p.sum_moment, &p.sum_energy, &p.sum_more, &p.sum_most})
    *column = memory.template make<float>(places * slots);
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
Annealer<F, Timed> make_annealer(Arena& arena, i32 tracks, i32 prototypes, const Options& options) {
  Annealer<F, Timed> annealer{};
  annealer.t = make_block_tracks(arena, tracks + slots);
  annealer.p = make_prototypes(arena, prototypes, 1);
  annealer.o = options;
  annealer.factors = arena.make<float>(static_cast<i64>(prototypes) * width_of<F>);
  return annealer;
}

template <class Memory>
BlockResults make_block_results(Memory& memory, i32 blocks) {
  BlockResults r{};
  r.capacity = prototypes_a_block;
  for (i32** column : {&r.count, &r.updates}) *column = memory.template make<i32>(blocks);
  for (float** column : {&r.prior, &r.beta}) *column = memory.template make<float>(blocks);
  r.z = memory.template make<float>(static_cast<i64>(blocks) * r.capacity);
  r.rho = memory.template make<float>(static_cast<i64>(blocks) * r.capacity);
  return r;
}

template <class Memory>
DensityTracks make_density(Memory& memory, i32 tracks) {
  DensityTracks t{};
  const i32 padded = tracks + slots;
  for (float** column : {&t.z, &t.error2}) *column = memory.template make<float>(padded);
  for (i32** column : {&t.place, &t.low, &t.high, &t.neighbours, &t.parent, &t.cluster})
    *column = memory.template make<i32>(padded);
  return t;
}

template <class Memory>
FitTracks make_fit_tracks(Memory& memory, i32 tracks) {
  FitTracks f{};
  f.capacity = (tracks + 2 * slots - 1) / slots * slots;
  f.data = memory.template make<float>(f.capacity * fit_columns);
  f.weight = memory.template make<float>(f.capacity);
  f.place = memory.template make<i32>(f.capacity);
  return f;
}

// The vertices of one clustering and what led to them.
struct Clustering {
  i32 capacity;     // clusters
  i32* cluster_of;  // of a selected track; -1 none
  i32* offset;      // clusters + 2: where a cluster's tracks begin among those of the fit
  i32* pieces;      // clusters + 2, of a cluster by density
  float* start_z;   // of a cluster
  Vertex *unordered, *vertices;
  i32* vertex_of_cluster;
  i32* track_vertex;  // of a track of the event; -1 none
  float* track_weight;
};

template <class Memory>
Clustering make_clustering(Memory& memory, i32 tracks) {
  Clustering found{};
  found.capacity = max_of(tracks, prototypes_an_event) + 1;
  found.cluster_of = memory.template make<i32>(tracks + slots);
  found.offset = memory.template make<i32>(found.capacity + 2);
  found.pieces = memory.template make<i32>(found.capacity + 2);
  found.start_z = memory.template make<float>(found.capacity + 2);
  found.unordered = memory.template make<Vertex>(found.capacity);
  found.vertices = memory.template make<Vertex>(found.capacity);
  found.vertex_of_cluster = memory.template make<i32>(found.capacity);
  found.track_vertex = memory.template make<i32>(tracks);
  found.track_weight = memory.template make<float>(tracks);
  return found;
}

// What is told of an event, in the memory where it was found.
inline Found found_in(i32 tracks, const Totals& totals, const Totals* at, const Clustering* found,
                      const Prototypes& p) {
  const auto fields = [](const Vertex* vertices) { return reinterpret_cast<const float*>(vertices); };
  return {tracks,
          totals.prototypes,
          {totals.vertices[0], totals.vertices[1]},
          {fields(found[0].vertices), fields(found[1].vertices)},
          {found[0].track_vertex, found[1].track_vertex},
          {found[0].track_weight, found[1].track_weight},
          p.z,
          p.rho,
          &at->free_energy,
          &at->updates,
          &at->overflow};
}

}  // namespace sitecap::vertexing
