// Stages of the network: convolutions and dense layers as sums of products on lanes of outputs.
//
// Every sum starts with the bias and takes its terms in the order in which weights stand in memory, one lane
// an output, so that it is the same bits at every width and in every tile. Tiles of Places x Vectors outputs
// share what they load; multiplication and addition are apart (-ffp-contract=off).
#pragma once
#include "kernels/hgcalml/shape.h"

namespace sitecap::hgcalml {

// Places of a tile: with two vectors ten sums, which hide the latency of addition and fit 16 registers.
SITECAP_CONST i32 tile_places = 5;
template <class F, i32 Outputs>
SITECAP_CONST i32 tile_vectors = Outputs % (2 * width_of<F>) == 0 ? 2 : 1;

// Adds `terms` products to the sums of a tile: x[place][k] * weight[k * stride + output].
template <class F, i32 Places, i32 Vectors>
SITECAP_FN void add_products(const float* const* x, i32 from, const float* SITECAP_RESTRICT weight,
                             i32 stride, i32 terms, F (&sum)[Places][Vectors]) {
  for (i32 k = 0; k < terms; ++k) {
    // g++ would make products in vectors and pick them apart to add them in order: with AVX2 2.8 times slower
    if constexpr (width_of<F> == 1 && !SITECAP_GPU) asm volatile("");
    F w[Vectors];
    SITECAP_UNROLL
    for (i32 v = 0; v < Vectors; ++v) w[v] = load<F>(weight + k * stride + v * width_of<F>);
    SITECAP_UNROLL
    for (i32 p = 0; p < Places; ++p) {
      const float value = x[p][from + k];
      SITECAP_UNROLL
      for (i32 v = 0; v < Vectors; ++v) sum[p][v] += value * w[v];
    }
  }
}

template <class F, i32 Places, i32 Vectors>
SITECAP_FN void start_sums(const float* bias, F (&sum)[Places][Vectors]) {
  SITECAP_UNROLL
  for (i32 p = 0; p < Places; ++p) {
    SITECAP_UNROLL
    for (i32 v = 0; v < Vectors; ++v) sum[p][v] = load<F>(bias + v * width_of<F>);
  }
}

// max(0, x); what is no number becomes 0.
template <class F>
SITECAP_FN F rectified(F x) {
  return select(x > 0.f, x, F{});
}

// Outputs of `tile_places` places from `place` on, of one block of outputs: a work item.
template <class F, class Layer, i32 Vectors = tile_vectors<F, Layer::Out::channels>>
SITECAP_FN void convolve(const float* SITECAP_RESTRICT weights, const float* SITECAP_RESTRICT in, i32 place,
                         i32 block, float* SITECAP_RESTRICT out) {
  const i32 output = block * Vectors * width_of<F>;
  const float* x[tile_places];
  SITECAP_UNROLL
  for (i32 p = 0; p < tile_places; ++p) x[p] = in + Layer::window(place + p);
  F sum[tile_places][Vectors];
  start_sums<F>(weights + Layer::first_bias + output, sum);
  const float* weight = weights + Layer::first_weight + output;
  for (i32 row = 0; row < 3; ++row)
    add_products<F>(x, row * Layer::In::row_floats, weight + row * Layer::terms_a_row * Layer::Out::channels,
                    Layer::Out::channels, Layer::terms_a_row, sum);
  SITECAP_UNROLL
  for (i32 p = 0; p < tile_places; ++p) {
    float* to = out + Layer::Out::at(place + p) + output;
    SITECAP_UNROLL
    for (i32 v = 0; v < Vectors; ++v) store(to + v * width_of<F>, rectified(sum[p][v]));
  }
}

template <class F, class Layer>
SITECAP_CONST i32 convolution_blocks =
    Layer::Out::channels / (tile_vectors<F, Layer::Out::channels> * width_of<F>);
// Items of a layer on one picture; the last overlaps the one before where the places do not divide.
template <class Layer>
SITECAP_CONST i32 convolution_tiles = (Layer::Out::places + tile_places - 1) / tile_places;
template <class Layer>
SITECAP_FN i32 first_place(i32 tile) {
  return min_of(tile * tile_places, Layer::Out::places - tile_places);
}

// One block of hidden values of `Places` tracksters, whose last pictures lie behind each other.
template <class F, i32 Places = tile_places, i32 Vectors = tile_vectors<F, Hidden::outputs>>
SITECAP_FN void hide(const float* SITECAP_RESTRICT weights, const float* SITECAP_RESTRICT pictures, i32 first,
                     i32 block, float* SITECAP_RESTRICT hidden) {
  const i32 output = block * Vectors * width_of<F>;
  const float* x[Places];
  SITECAP_UNROLL
  for (i32 p = 0; p < Places; ++p) x[p] = pictures + (first + p) * Hidden::inputs;
  F sum[Places][Vectors];
  start_sums<F>(weights + Hidden::first_bias + output, sum);
  add_products<F>(x, 0, weights + Hidden::first_weight + output, Hidden::slots, Hidden::inputs, sum);
  SITECAP_UNROLL
  for (i32 p = 0; p < Places; ++p) {
    SITECAP_UNROLL
    for (i32 v = 0; v < Vectors; ++v)
      store(hidden + (first + p) * Hidden::outputs + output + v * width_of<F>, rectified(sum[p][v]));
  }
}
template <class F>
SITECAP_CONST i32 hidden_blocks = Hidden::outputs / (tile_vectors<F, Hidden::outputs> * width_of<F>);

// One block of the heads of one trackster.
template <class F>
SITECAP_FN void head(const float* SITECAP_RESTRICT weights, const float* hidden, i32 trackster, i32 block,
                     float* SITECAP_RESTRICT scores) {
  const i32 output = block * width_of<F>;
  const float* x[1] = {hidden + trackster * Hidden::outputs};
  F sum[1][1];
  start_sums<F>(weights + Heads::first_bias + output, sum);
  add_products<F>(x, 0, weights + Heads::first_weight + output, Heads::slots, Heads::inputs, sum);
  store(scores + trackster * head_slots + output, sum[0][0]);
}
template <class F>
SITECAP_CONST i32 head_blocks = (heads + width_of<F> - 1) / width_of<F>;

}  // namespace sitecap::hgcalml
