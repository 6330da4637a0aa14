// The stages as device entry points: one thread an item, one entry a stage, in the order that stages.h gives.
//
// All pictures of an event lie in global memory: picture i of a layer begins at i * Picture::floats, and its
// border starts as zeros. How many tracksters are chosen is known on the device only: entries are launched
// for all of them.
#include "kernels/hgcalml/stages.h"
#include "sitecap/primitives.h"

namespace sitecap::hgcalml {

// Items of a convolution of one trackster: one output of a tile of places. Neighbouring threads take
// neighbouring outputs, whose weights they load together, once for all places of the tile.
template <class Layer>
SITECAP_CONST i32 convolution_items = convolution_tiles<Layer> * Layer::Out::channels;

template <class Layer>
SITECAP_FN void convolve_item(Count chosen, const float* weights, const float* in, float* out) {
  const i64 item = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  const i64 picture = item / convolution_items<Layer>;
  if (picture >= chosen.value()) return;
  const i32 within = static_cast<i32>(item % convolution_items<Layer>);
  const i32 tile = within / Layer::Out::channels, output = within % Layer::Out::channels;
  convolve<float, Layer, 1>(weights, in + picture * Layer::In::floats, first_place<Layer>(tile), output,
                            out + picture * Layer::Out::floats);
}

}  // namespace sitecap::hgcalml

using namespace sitecap;
using namespace sitecap::hgcalml;

extern "C" {

__global__ void hgcalml_direct(Tracksters tracksters, float* eta, float* phi) {
  const i32 i = thread_item();
  if (i < tracksters.count) direct<float>(tracksters, i, eta, phi);
}
__global__ void hgcalml_describe(Clusters clusters, const float* eta, const float* phi, Features features) {
  const i32 i = thread_item();
  if (i < clusters.count) describe<float>(clusters, i, eta, phi, features);
}
__global__ void hgcalml_choose(Tracksters tracksters, float least_gev, i32* number) {
  const i32 i = thread_item();
  if (i < tracksters.count) number[i] = is_chosen(tracksters, least_gev, i);
}
// Clusters by row of the pictures; those of no chosen trackster behind the rows of all tracksters.
__global__ void hgcalml_row_bins(Clusters clusters, const i32* number, i32 tracksters, i32* bin) {
  const i32 i = thread_item();
  if (i >= clusters.count) return;
  const i32 picture = bin_of(clusters, number, tracksters, i);
  const bool drawn = picture < number[tracksters];
  bin[i] = (drawn ? picture : tracksters) * rows_of_picture + (drawn ? row_of(clusters.layer[i]) : 0);
}
// Item = row of a picture. `pictures` and `filled` start as zeros.
__global__ void hgcalml_draw(Count chosen, const i32* offset, const i32* member, Clusters clusters,
                             Features features, i32* best, i32* filled, float* pictures) {
  const i32 item = thread_item(), picture = item / rows_of_picture, row = item % rows_of_picture;
  if (picture >= chosen.value()) return;
  i32* const own = best + static_cast<i64>(item) * columns_of_picture;
  float* const place =
      pictures + static_cast<i64>(picture) * Picture0::floats + Picture0::at(row * columns_of_picture);
  i32 count = filled[item];
  clear_row(count, place);
  for (i32 m = offset[item]; m < offset[item + 1]; ++m) insert(member[m], clusters.energy_gev, own, count);
  fill_row(own, count, features, place);
  filled[item] = count;
}

__global__ void hgcalml_convolve_1(Count chosen, const float* weights, const float* in, float* out) {
  convolve_item<Convolution1>(chosen, weights, in, out);
}
__global__ void hgcalml_convolve_2(Count chosen, const float* weights, const float* in, float* out) {
  convolve_item<Convolution2>(chosen, weights, in, out);
}
__global__ void hgcalml_convolve_3(Count chosen, const float* weights, const float* in, float* out) {
  convolve_item<Convolution3>(chosen, weights, in, out);
}
__global__ void hgcalml_convolve_4(Count chosen, const float* weights, const float* in, float* out) {
  convolve_item<Convolution4>(chosen, weights, in, out);
}
// Item = output of a trackster.
__global__ void hgcalml_hide(Count chosen, const float* weights, const float* pictures, float* hidden) {
  const i32 item = thread_item(), i = item / Hidden::outputs;
  if (i < chosen.value()) hide<float, 1, 1>(weights, pictures, i, item % Hidden::outputs, hidden);
}
__global__ void hgcalml_head(Count chosen, const float* weights, const float* hidden, float* scores) {
  const i32 item = thread_item(), i = item / heads;
  if (i < chosen.value()) head<float>(weights, hidden, i, item % heads, scores);
}
__global__ void hgcalml_answer(Count chosen, const float* scores, const i32* trackster, const float* raw_gev,
                               Answers answers) {
  const i32 i = thread_item();
  if (i < chosen.value()) answer<float>(scores, trackster, raw_gev, i, answers);
}

}  // extern "C"
