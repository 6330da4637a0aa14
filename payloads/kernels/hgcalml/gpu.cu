// The stages as device entry points: one thread an item, one entry a stage, in the order that stages.h gives.
//
// All pictures of an event lie in global memory: picture i of a layer begins at i * Picture::floats, and its
// border starts as zeros. Bins are filled in any order and put in order afterwards: no result depends on the
// order of threads.
#include "kernels/hgcalml/stages.h"

using namespace sitecap;
using namespace sitecap::hgcalml;

#define SITECAP_ITEM (static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x))

namespace sitecap::hgcalml {

// One output of one place of one trackster: neighbouring threads take neighbouring outputs, whose weights
// they load together.
template <class Layer>
SITECAP_FN void convolve_item(i32 tracksters, const float* weights, const float* in, float* out) {
  const i64 item = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  const i32 output = static_cast<i32>(item % Layer::Out::channels);
  const i32 place = static_cast<i32>(item / Layer::Out::channels % Layer::Out::places);
  const i64 trackster = item / (Layer::Out::channels * Layer::Out::places);
  if (trackster >= tracksters) return;
  convolve<float, Layer>(weights, in + trackster * Layer::In::floats, place, output,
                         out + trackster * Layer::Out::floats);
}

}  // namespace sitecap::hgcalml

extern "C" __global__ void hgcalml_direct(Tracksters tracksters, float* eta, float* phi) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters.count) direct<float>(tracksters, i, eta, phi);
}
extern "C" __global__ void hgcalml_describe(Clusters clusters, const float* eta, const float* phi,
                                            Features features) {
  const i32 i = SITECAP_ITEM;
  if (i < clusters.count) describe<float>(clusters, i, eta, phi, features);
}

extern "C" __global__ void hgcalml_choose(Tracksters tracksters, float least_gev, i32* number) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters.count) number[i] = is_chosen(tracksters, least_gev, i);
}
// One thread: a launcher with a scan by blocks may use that instead. `counts` has room for one more.
extern "C" __global__ void hgcalml_scan(i32 items, i32* counts) {
  if (SITECAP_ITEM == 0) exclusive_scan(counts, items);
}
extern "C" __global__ void hgcalml_number(Tracksters tracksters, const i32* number, i32* trackster) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters.count && number[i] != number[i + 1]) trackster[number[i]] = i;
}
// `count` starts as 0.
extern "C" __global__ void hgcalml_count(Clusters clusters, const i32* number, i32 tracksters, i32* bin,
                                         i32* count) {
  const i32 i = SITECAP_ITEM;
  if (i >= clusters.count) return;
  bin[i] = bin_of(clusters, number, tracksters, i);
  atomicAdd(count + bin[i], 1);
}
// `cursor` starts as a copy of the scanned counts.
extern "C" __global__ void hgcalml_fill(i32 clusters, const i32* bin, i32* cursor, i32* member) {
  const i32 i = SITECAP_ITEM;
  if (i < clusters) member[atomicAdd(cursor + bin[i], 1)] = i;
}
extern "C" __global__ void hgcalml_order(i32 bins, const i32* offset, i32* member) {
  const i32 b = SITECAP_ITEM;
  if (b < bins) order_bin(offset[b], offset[b + 1], member);
}

extern "C" __global__ void hgcalml_draw(i32 tracksters, const i32* offset, const i32* member,
                                        Clusters clusters, Features features, i32* best, i32* filled,
                                        float* pictures) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters)
    draw(member + offset[i], offset[i + 1] - offset[i], clusters, features,
         best + static_cast<i64>(i) * rows_of_picture * columns_of_picture, filled + i * rows_of_picture,
         pictures + static_cast<i64>(i) * Picture0::floats);
}

extern "C" __global__ void hgcalml_convolve_1(i32 tracksters, const float* weights, const float* in,
                                              float* out) {
  convolve_item<Convolution1>(tracksters, weights, in, out);
}
extern "C" __global__ void hgcalml_convolve_2(i32 tracksters, const float* weights, const float* in,
                                              float* out) {
  convolve_item<Convolution2>(tracksters, weights, in, out);
}
extern "C" __global__ void hgcalml_convolve_3(i32 tracksters, const float* weights, const float* in,
                                              float* out) {
  convolve_item<Convolution3>(tracksters, weights, in, out);
}
extern "C" __global__ void hgcalml_convolve_4(i32 tracksters, const float* weights, const float* in,
                                              float* out) {
  convolve_item<Convolution4>(tracksters, weights, in, out);
}
extern "C" __global__ void hgcalml_hide(i32 tracksters, const float* weights, const float* pictures,
                                        float* hidden) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters * Hidden::outputs)
    hide<float>(weights, pictures, i / Hidden::outputs, i % Hidden::outputs, hidden);
}
extern "C" __global__ void hgcalml_head(i32 tracksters, const float* weights, const float* hidden,
                                        float* scores) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters * heads) head<float>(weights, hidden, i / heads, i % heads, scores);
}
extern "C" __global__ void hgcalml_answer(i32 tracksters, const float* scores, const i32* trackster,
                                          const float* raw_gev, Answers answers) {
  const i32 i = SITECAP_ITEM;
  if (i < tracksters) answer<float>(scores, trackster, raw_gev, i, answers);
}
