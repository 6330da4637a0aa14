// mkfit on a GPU: the stages as kernels, one work item a thread. Launching comes with the GPU backends.
#include "kernels/mkfit/stages.h"

using namespace sitecap;
using namespace sitecap::mkfit;

SITECAP_FN i32 own_item() {
  return static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x);
}

extern "C" {

__global__ void mkfit_bin_hits(RawHits raw, const Layer* layers, i32 hits, float* phi, float* along,
                               float* inverse_radius, i32* bin) {
  const i32 i = own_item();
  if (i < hits) bin_hits<float>(raw, layers, i, 1, phi, along, inverse_radius, bin);
}

__global__ void mkfit_place_hits(RawHits raw, const i32* order, i32 hits, const float* phi,
                                 const float* along, const float* inverse_radius, float* rows,
                                 float* sorted_phi, float* sorted_along) {
  const i32 i = own_item();
  if (i < hits) place_hit(raw, order[i], i, phi, along, inverse_radius, rows, sorted_phi, sorted_along);
}

__global__ void mkfit_set_heading(float* rows, const i32* slots, i32 count) {
  const i32 i = own_item();
  if (i < count) set_heading<float>(rows, slots + i, 1);
}

__global__ void mkfit_cross_layer(const float* rows, float* crossed, const i32* slots, i32 active,
                                  Layer layer, float chi2_cut, Windows windows) {
  const i32 i = own_item();
  if (i >= active) return;
  if (layer.is_disc != 0)
    cross_layer<disc, float>(rows, slots + i, crossed, &i, 1, layer, chi2_cut, windows, i);
  else
    cross_layer<cylinder, float>(rows, slots + i, crossed, &i, 1, layer, chi2_cut, windows, i);
}

// Each seed has room for most_pairs pairs; `found` may say more.
__global__ void mkfit_find_pairs(Hits hits, i32 layer_index, Windows windows, const i32* first_active,
                                 const i32* candidates, i32 seeds, i32* parent, i32* hit, i32* found) {
  const i32 s = own_item();
  if (s >= seeds || first_active[s] < 0) return;
  found[s] = find_pairs<float>(hits, layer_index, windows, first_active[s], candidates[s],
                               parent + s * most_pairs, hit + s * most_pairs, most_pairs);
}

__global__ void mkfit_compatibility(const float* crossed, const i32* slots, const float* hit_rows,
                                    const i32* hit, i32 pairs, i32 is_disc, float* chi2, float* depth) {
  const i32 i = own_item();
  if (i >= pairs) return;
  chi2[i] = is_disc != 0 ? compatibility<disc, float>(crossed, slots + i, hit_rows, hit + i, depth[i])
                         : compatibility<cylinder, float>(crossed, slots + i, hit_rows, hit + i, depth[i]);
}

__global__ void mkfit_attach(const float* crossed, const i32* parents, const float* hit_rows, const i32* hit,
                             float* rows, const i32* slots, i32 updates, i32 is_disc) {
  const i32 i = own_item();
  if (i >= updates) return;
  if (is_disc != 0)
    attach<disc, float>(crossed, parents + i, hit_rows, hit + i, rows, slots + i, 1);
  else
    attach<cylinder, float>(crossed, parents + i, hit_rows, hit + i, rows, slots + i, 1);
}

__global__ void mkfit_fit(float* rows, const Track* tracks, const i32* track_hits, const float* hit_rows,
                          const i32* hit_layer, const Layer* layers, i32 count, float* chi2_of) {
  const i32 t = own_item();
  if (t >= count) return;
  State<float> s;
  load_state(rows, &t, s);
  widen(s);
  Heading<float> h = heading(s);
  float chi2 = 0.f;
  for (i32 k = 0; k < tracks[t].hits; ++k) {
    const i32 hit = track_hits[t * most_hits + k];
    const i32 layer = hit_layer[hit];
    const bool last = k + 1 >= tracks[t].hits || hit_layer[track_hits[t * most_hits + k + 1]] != layer;
    Point<float> p;
    load_point(hit_rows, &hit, p);
    fit_step(s, h, p, layers[layer].is_disc != 0, last ? layers[layer].radiation_lengths : 0.f, true, chi2);
  }
  to_beam_line(s);
  store_state(rows, &t, 1, s);
  chi2_of[t] = chi2;
}

__global__ void mkfit_duplicates(Parameters parameters, const Track* tracks, const i32* track_hits,
                                 Users users, i32 count, i32* kept) {
  const i32 t = own_item();
  if (t < count)
    kept[t] =
        good_track(parameters, tracks[t]) && !is_duplicate(parameters, tracks, track_hits, users, t) ? 1 : 0;
}

}  // extern "C"
