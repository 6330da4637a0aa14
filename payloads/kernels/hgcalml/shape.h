// The network's layers and where their weights stand: the same as network.py, which the tests compare.
//
// Pictures are rows of layers of places of channels, with one place of zeros around them that a convolution
// of 3 x 3 reads beyond the border. 50 layers x 10 clusters x 3 features are CMSSW's
// (TracksterInferenceByDNN: eid_n_layers, eid_n_clusters); the layers behind them are our own.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap::hgcalml {

SITECAP_CONST i32 classes = 5;  // photon, electron, charged hadron, neutral hadron, ambiguous
SITECAP_CONST i32 head_slots =
    16;  // scores of the classes, logarithm of the energy's correction; rest unused
SITECAP_CONST i32 heads = classes + 1;
SITECAP_CONST i32 rows_of_picture = 50, columns_of_picture = 10, features = 3;

// A picture of Rows x Columns x Channels, with its border or, behind the last convolution, without.
template <i32 Rows, i32 Columns, i32 Channels, i32 Border>
struct Picture {
  static constexpr i32 rows = Rows, columns = Columns, channels = Channels, places = Rows * Columns;
  static constexpr i32 row_floats = (Columns + 2 * Border) * Channels;
  static constexpr i32 floats = (Rows + 2 * Border) * row_floats;
  // Of a place, row by row.
  static SITECAP_FN i32 at(i32 place) {
    return (place / Columns + Border) * row_floats + (place % Columns + Border) * Channels;
  }
};

// 3 x 3 with these steps along rows and columns; weights are [row][column][input][output], then the biases.
template <class Input, class Output, i32 DownStep, i32 AlongStep, i32 FirstWeight>
struct Convolution {
  using In = Input;
  using Out = Output;
  static constexpr i32 first_weight = FirstWeight;
  static constexpr i32 terms_a_row = 3 * In::channels;
  static constexpr i32 first_bias = FirstWeight + 3 * terms_a_row * Out::channels;
  static constexpr i32 end = first_bias + Out::channels;
  static_assert(Out::rows == (In::rows - 1) / DownStep + 1 &&
                    Out::columns == (In::columns - 1) / AlongStep + 1,
                "a picture of another size");
  // Where the window of an output's place begins.
  static SITECAP_FN i32 window(i32 place) {
    return place / Out::columns * DownStep * In::row_floats + place % Out::columns * AlongStep * In::channels;
  }
};

using Picture0 = Picture<rows_of_picture, columns_of_picture, features, 1>;
using Picture1 = Picture<50, 5, 16, 1>;
using Picture2 = Picture<25, 5, 32, 1>;
using Picture3 = Picture<13, 3, 32, 1>;
using Picture4 = Picture<7, 2, 32, 0>;
using Convolution1 = Convolution<Picture0, Picture1, 1, 2, 0>;
using Convolution2 = Convolution<Picture1, Picture2, 2, 1, Convolution1::end>;
using Convolution3 = Convolution<Picture2, Picture3, 2, 2, Convolution2::end>;
using Convolution4 = Convolution<Picture3, Picture4, 2, 2, Convolution3::end>;

// Every output from every input; weights are [input][output], then the biases. `Slots` is Outputs with room
// for lanes: how the kernel keeps them.
template <i32 Inputs, i32 Outputs, i32 Slots, i32 FirstWeight>
struct Dense {
  static constexpr i32 inputs = Inputs, outputs = Outputs, slots = Slots;
  static constexpr i32 first_weight = FirstWeight;
  static constexpr i32 first_bias = FirstWeight + Inputs * Slots;
  static constexpr i32 end = first_bias + Slots;
};
using Hidden = Dense<Picture4::floats, 32, 32, Convolution4::end>;
using Heads = Dense<Hidden::outputs, heads, head_slots, Hidden::end>;

SITECAP_CONST i32 weight_floats = Heads::end;                                // as the kernel keeps them
SITECAP_CONST i32 weight_count = Hidden::end + (Heads::inputs + 1) * heads;  // of the file
SITECAP_CONST i32 tensors = 12;  // weights and biases of six layers
// Ends of the tensors in the file's order.
SITECAP_CONST i32 tensor_ends[tensors] = {
    Convolution1::first_bias, Convolution1::end, Convolution2::first_bias, Convolution2::end,
    Convolution3::first_bias, Convolution3::end, Convolution4::first_bias, Convolution4::end,
    Hidden::first_bias,       Hidden::end,       weight_count - heads,     weight_count};

}  // namespace sitecap::hgcalml
