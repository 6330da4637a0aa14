// Vertexing on a GPU: one entry point a stage over the same functions as the CPU. Launched by device.cpp.
//
// Annealing takes a block of threads a block of tracks; the shared state lies in global memory, since a
// block's sums are 96 KiB. A vertex is fitted by 16 threads. All else takes a thread an item. How many tracks
// are selected, clusters found and so on is known on the device only: entries are launched for as many as
// there can be.
#include "kernels/vertexing/stages.h"
#include "sitecap/primitives.h"

namespace sitecap::vertexing {

struct ThreadBlock {
  static constexpr bool alone = false;
  SITECAP_FN i32 rank() const { return static_cast<i32>(threadIdx.x); }
  SITECAP_FN i32 size() const { return static_cast<i32>(blockDim.x); }
  SITECAP_FN void sync() const { __syncthreads(); }
  SITECAP_FN i32 count_before(bool flag, i32& all) const { return block_exclusive_scan(flag ? 1 : 0, all); }
  SITECAP_FN void lower(i32* at, i32 value) const { atomicMin(at, value); }
  SITECAP_FN void raise(i32* at, i32 value) const { atomicMax(at, value); }
  SITECAP_FN void lap(const char*) const {}
};

// 16 threads, one a slot of the sums.
struct FitsInSlots {
  SITECAP_FN bool leads() const { return threadIdx.x == 0; }
  template <class F, class Part>
  SITECAP_FN void sum(i32 begin, i32 end, const Part& part, float* totals) const {
    __shared__ float sums[step_sums][slots];
    const i32 slot = static_cast<i32>(threadIdx.x);
    float own[step_sums] = {};
    for (i32 at = begin + slot; at < end; at += slots) part(at, [&](i32 n, float value) { own[n] += value; });
    SITECAP_UNROLL
    for (i32 n = 0; n < step_sums; ++n) sums[n][slot] = own[n];
    __syncthreads();
    SITECAP_UNROLL
    for (i32 n = 0; n < step_sums; ++n) totals[n] = sum_of_slots(sums[n]);
    __syncthreads();  // the next call writes here
  }
};

using GpuAnnealer = Annealer<float, ThreadBlock>;

}  // namespace sitecap::vertexing

using namespace sitecap;
using namespace sitecap::vertexing;

extern "C" {

// ---- select and sort
__global__ void vertexing_weigh(EventTracks tracks, BeamSpot beam, Options o, float* weight, float* prior,
                                i32* bin) {
  const i32 i = thread_item();
  if (i >= tracks.count) return;
  weigh_track(tracks, beam, o, i, weight, prior);
  bin[i] = weight[i] > 0.f ? z_bin(tracks.z0[i]) : z_bins;
}
// `by_index` has the tracks of each bin in the order of their index.
__global__ void vertexing_order_bins(Count selected, EventTracks tracks, const i32* bin, const i32* offset,
                                     const i32* by_index, i32* order) {
  const i32 k = thread_item();
  if (k >= selected.value()) return;
  const i32 track = by_index[k], begin = offset[bin[track]], end = offset[bin[track] + 1];
  order[begin + rank_in_bin(tracks.z0, by_index, begin, end, track)] = track;
}
__global__ void vertexing_place(Count selected, EventTracks tracks, const float* weight, const float* prior,
                                const i32* order, Selected s) {
  const i32 at = thread_item();
  if (at < selected.value()) place_track(tracks, weight, prior, order, at, s);
}

// ---- annealing: block b of threads anneals block b of tracks, in the b-th part of the arrays
__global__ void vertexing_anneal(Count selected, Selected s, BlockTracks t, Prototypes p, Options o,
                                 BlockResults results) {
  const i32 b = static_cast<i32>(blockIdx.x), tracks = selected.value();
  if (b >= blocks_of(tracks, o)) return;
  GpuAnnealer annealer{
      t.from(static_cast<i64>(b) * (o.block_tracks + slots)), p.list(b), o, {}, nullptr, 0.f, 0};
  if (annealer.leads()) *annealer.p.overflow = 0;
  annealer.take(s, block_begin(b, o), block_end(b, tracks, o));
  const float beta = anneal(annealer);
  keep_block(annealer, beta, b, results);
}
// One block of threads: every step needs the one before.
__global__ void vertexing_settle(Count selected, Selected s, BlockTracks t, Prototypes p, Options o,
                                 BlockResults results, const i32* overflow_of_block, Totals* totals) {
  const i32 tracks = selected.value(), blocks = blocks_of(tracks, o);
  GpuAnnealer annealer{t, p, o, {}, nullptr, 0.f, 0};
  annealer.take(s, 0, tracks);
  if (annealer.leads()) {
    *p.overflow = 0;
    join_blocks(results, s, blocks, tracks, annealer.inverse_prior, o, p);
  }
  annealer.team.sync();
  if (*p.count > 0) settle(annealer, results.beta[blocks - 1]);
  if (!annealer.leads()) return;
  *totals = {{0, 0}, *p.count, annealer.updates, *p.overflow, 0.f};
  for (i32 b = 0; b < blocks; ++b) {
    totals->updates += results.updates[b];
    totals->overflow += overflow_of_block[b];
  }
}
// `owner` starts as -1.
__global__ void vertexing_assign(Count selected, BlockTracks t, Prototypes p, Options o, BlockResults results,
                                 i32* owner, float* log_z) {
  const i32 i = thread_item(), tracks = selected.value();
  t.hold(tracks);
  if (i >= t.padded || *p.count == 0) return;
  const float beta = results.beta[blocks_of(tracks, o) - 1];
  assign_track(t, p, beta, outlier_term(o, beta, outlier_density(p, o)), i, owner, log_z);
}
// One block of 16 threads, one a slot of the sum.
__global__ void vertexing_free_energy(Count selected, Prototypes p, Options o, BlockResults results,
                                      BlockTracks t, const float* log_z, Totals* totals) {
  __shared__ float sums[slots];
  const i32 slot = thread_item(), tracks = selected.value();
  t.hold(tracks);
  sums[slot] = 0.f;
  if (*p.count > 0)
    for (i32 i = slot; i < t.padded; i += slots) sums[slot] += log_z[i];
  __syncthreads();
  if (slot == 0 && *p.count > 0)
    totals->free_energy = -sum_of_slots(sums) / results.beta[blocks_of(tracks, o) - 1];
}
// 1 where a cluster begins; 0 for places without a prototype.
__global__ void vertexing_begin_clusters(Prototypes p, Options o, i32* begins) {
  const i32 k = thread_item();
  if (k < p.capacity) begins[k] = k < *p.count && begins_cluster(p, o, k) ? 1 : 0;
}
// `before`: how many clusters begin before each prototype.
__global__ void vertexing_number_owners(Count selected, const i32* owner, const i32* before,
                                        i32* cluster_of) {
  const i32 at = thread_item();
  if (at < selected.value()) cluster_of[at] = owner[at] < 0 ? -1 : before[owner[at] + 1] - 1;
}

// ---- by density
__global__ void vertexing_choose(Count selected, Selected s, Options o, i32* chosen) {
  const i32 at = thread_item();
  if (at < selected.at_most) chosen[at] = at < selected.value() && s.pt[at] > o.least_pt_gev ? 1 : 0;
}
__global__ void vertexing_take(Count dense, Selected s, DensityTracks t) {
  const i32 i = thread_item();
  if (i < dense.value()) take_dense(s, i, t);
}
__global__ void vertexing_neighbours(Count dense, DensityTracks t, Options o) {
  const i32 i = thread_item();
  t.count = dense.value();
  if (i >= t.count) return;
  find_window(t, o, i);
  count_neighbours<float>(t, o, i);
}
__global__ void vertexing_parents(Count dense, DensityTracks t, Options o) {
  const i32 i = thread_item();
  if (i < dense.value()) find_parent<float>(t, o, i);
}
// `is_seed` starts as 0.
__global__ void vertexing_seeds(Count dense, DensityTracks t, Options o, i32* is_seed) {
  const i32 i = thread_item();
  if (i >= dense.value()) return;
  find_seed(t, o, i);
  is_seed[i] = t.cluster[i] == i ? 1 : 0;
}
// Tracks of no cluster come last, into bin `last`.
__global__ void vertexing_number_seeds(Count dense, DensityTracks t, const i32* number, i32 last, i32* bin) {
  const i32 i = thread_item();
  if (i >= dense.value()) return;
  number_cluster(t, number, i);
  bin[i] = t.cluster[i] < 0 ? last : t.cluster[i];
}
// `pieces` starts as 0.
__global__ void vertexing_split(Count clusters, DensityTracks t, Options o, const i32* members,
                                const i32* offset, float* start_z, u8* side, i32* pieces) {
  const i32 c = thread_item();
  if (c < clusters.value())
    pieces[c] = fit_and_split(t, o, members + offset[c], offset[c + 1] - offset[c], start_z[c], side);
}
// `cluster_of` starts as -1.
__global__ void vertexing_place_pieces(Count dense, DensityTracks t, const i32* first, const u8* side,
                                       i32* cluster_of) {
  const i32 i = thread_item();
  if (i < dense.value()) place_in_piece(t, first, side, i, cluster_of);
}

// ---- fit and order
__global__ void vertexing_bins_of_clusters(Count selected, const i32* cluster_of, i32 last, i32* bin) {
  const i32 at = thread_item();
  if (at < selected.value()) bin[at] = cluster_of[at] < 0 ? last : cluster_of[at];
}
__global__ void vertexing_gather(Count used, EventTracks tracks, Selected s, BeamSpot beam, FitTracks f) {
  const i32 at = thread_item();
  if (at < used.value()) gather_track(tracks, s, beam, f, at);
}
// A block of 16 threads a cluster.
__global__ void vertexing_fit(Count clusters, FitTracks f, Selected s, BeamSpot beam, Options o,
                              const i32* offset, Vertex* vertices) {
  const i32 c = static_cast<i32>(blockIdx.x);
  if (c >= clusters.value()) return;
  const FitsInSlots team;
  const Vertex vertex = fit_cluster<float>(team, f, s, beam, o, offset[c], offset[c + 1]);
  if (team.leads()) vertices[c] = vertex;
}
// `found` starts as 0.
__global__ void vertexing_rank(Count clusters, const Vertex* unordered, Vertex* vertices,
                               i32* vertex_of_cluster, i32* found) {
  const i32 c = thread_item(), n = clusters.value();
  if (c < n && place_vertex(unordered, n, c, vertices, vertex_of_cluster)) atomicAdd(found, 1);
}
__global__ void vertexing_forget_tracks(EventTracks tracks, i32* track_vertex, float* track_weight) {
  const i32 i = thread_item();
  if (i >= tracks.count) return;
  track_vertex[i] = -1;
  track_weight[i] = 0.f;
}
__global__ void vertexing_tell_tracks(Count used, FitTracks f, Selected s, const i32* cluster_of,
                                      const i32* vertex_of_cluster, i32* track_vertex, float* track_weight) {
  const i32 at = thread_item();
  if (at < used.value()) tell_track(f, s, cluster_of, vertex_of_cluster, at, track_vertex, track_weight);
}

}  // extern "C"
