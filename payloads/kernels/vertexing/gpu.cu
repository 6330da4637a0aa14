// Vertexing on a GPU: one entry point a stage over the same functions as the CPU. Launching is the backend's.
//
// Annealing takes a block of threads a block of tracks; the shared state lies in global memory, since a
// block's sums are 64 KiB. All else takes a thread an item.
#include "kernels/vertexing/stages.h"

namespace sitecap::vertexing {

struct ThreadBlock {
  static constexpr bool alone = false;
  SITECAP_FN i32 rank() const { return static_cast<i32>(threadIdx.x); }
  SITECAP_FN i32 size() const { return static_cast<i32>(blockDim.x); }
  SITECAP_FN void sync() const { __syncthreads(); }
  SITECAP_FN void lap(const char*) const {}
};

using GpuAnnealer = Annealer<float, ThreadBlock>;

SITECAP_FN i32 item_index() {
  return static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x);
}

}  // namespace sitecap::vertexing

using namespace sitecap;
using namespace sitecap::vertexing;

extern "C" {

// ---- select and sort
__global__ void vertexing_weigh(EventTracks tracks, BeamSpot beam, Options o, float* weight, float* prior,
                                i32* bin) {
  const i32 i = item_index();
  if (i >= tracks.count) return;
  weigh_track(tracks, beam, o, i, weight, prior);
  bin[i] = weight[i] > 0.f ? z_bin(tracks.z0[i]) : z_bins;
}
__global__ void vertexing_sort(const i32* bin, i32 items, i32 bins, i32* offset, i32* cursor, i32* order) {
  if (item_index() == 0) counting_sort(bin, items, bins, offset, cursor, order);
}
__global__ void vertexing_order_bins(EventTracks tracks, const i32* offset, i32* order) {
  const i32 b = item_index();
  if (b < z_bins) order_bin(tracks.z0, offset[b], offset[b + 1], order);
}
__global__ void vertexing_place(EventTracks tracks, const float* weight, const float* prior, const i32* order,
                                i32 count, Selected s) {
  const i32 at = item_index();
  if (at < count) place_track(tracks, weight, prior, order, at, s);
}

// ---- annealing: block b of threads has annealers[b]
__global__ void vertexing_anneal(GpuAnnealer* annealers, Selected s, i32 tracks, BlockResults results,
                                 float* beta) {
  const i32 b = static_cast<i32>(blockIdx.x);
  GpuAnnealer annealer = annealers[b];
  annealer.take(s, block_begin(b, annealer.o), block_end(b, tracks, annealer.o));
  const float last = anneal(annealer);
  for (i32 k = annealer.team.rank(); k < *annealer.p.count; k += annealer.team.size()) {
    results.z[b * results.capacity + k] = annealer.p.z[k];
    results.rho[b * results.capacity + k] = annealer.p.rho[k];
  }
  if (annealer.leads()) {
    results.count[b] = *annealer.p.count;
    results.prior[b] = annealer.inverse_prior > 0.f ? 1.f / annealer.inverse_prior : 0.f;
    beta[b] = last;
  }
}
__global__ void vertexing_settle(GpuAnnealer* whole, Selected s, i32 tracks, BlockResults results,
                                 float beta) {
  GpuAnnealer annealer = *whole;
  annealer.take(s, 0, tracks);
  if (annealer.leads())
    join_blocks(results, s, blocks_of(tracks, annealer.o), tracks, annealer.inverse_prior, annealer.o,
                annealer.p);
  annealer.team.sync();
  if (*annealer.p.count > 0) settle(annealer, beta);
}
__global__ void vertexing_assign(BlockTracks t, Prototypes p, float beta, float log_outlier, i32* owner,
                                 float* log_z) {
  const i32 i = item_index();
  if (i < t.padded) assign_track(t, p, beta, log_outlier, i, owner, log_z);
}
__global__ void vertexing_chain(Prototypes p, Options o, i32* cluster_of, i32* clusters) {
  if (item_index() == 0) *clusters = chain_prototypes(p, o, cluster_of);
}

// ---- by density
__global__ void vertexing_neighbours(DensityTracks t, Options o) {
  const i32 i = item_index();
  if (i >= t.count) return;
  find_window(t, o, i);
  count_neighbours<float>(t, o, i);
}
__global__ void vertexing_parents(DensityTracks t, Options o) {
  const i32 i = item_index();
  if (i < t.count) find_parent<float>(t, o, i);
}
__global__ void vertexing_seeds(DensityTracks t, Options o) {
  const i32 i = item_index();
  if (i < t.count) find_seed(t, o, i);
}
__global__ void vertexing_split(DensityTracks t, Options o, const i32* members, const i32* offset,
                                i32 clusters, float* start_z, u8* side, i32* pieces) {
  const i32 c = item_index();
  if (c < clusters)
    pieces[c] = fit_and_split(t, o, members + offset[c], offset[c + 1] - offset[c], start_z[c], side);
}

// ---- fit and order
__global__ void vertexing_gather(EventTracks tracks, Selected s, BeamSpot beam, FitTracks f, i32 used) {
  const i32 at = item_index();
  if (at < used) gather_track(tracks, s, beam, f, at);
}
__global__ void vertexing_fit(FitTracks f, Selected s, BeamSpot beam, Options o, const i32* offset,
                              i32 clusters, Vertex* vertices) {
  const i32 c = item_index();
  if (c >= clusters) return;
  vertices[c] = fit_cluster<float>(f, s, beam, o, offset[c], offset[c + 1]);
}
__global__ void vertexing_rank(const Vertex* unordered, i32 clusters, Vertex* vertices,
                               i32* vertex_of_cluster) {
  const i32 c = item_index();
  if (c >= clusters) return;
  vertex_of_cluster[c] = -1;
  if (!(unordered[c].ndof > 0.f)) return;
  vertex_of_cluster[c] = rank_of(unordered, clusters, c);
  vertices[vertex_of_cluster[c]] = unordered[c];
}

}  // extern "C"
