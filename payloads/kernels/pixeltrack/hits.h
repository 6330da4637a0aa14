// Clusters to hits: position on the module from the charge at the cluster's ends, then in CMS coordinates.
//
// The estimator is CMSSW's PixelCPEFast ("generic" without templates): the middle of the cluster's inner
// part, moved by the imbalance of the charge in its two end pixels times half the width that charge can come
// from there; the drift in the field (Lorentz angle) is taken off; the track's angle is that of a line from
// the beam spot's centre.
#pragma once
#include "kernels/pixeltrack/views.h"
#include "sitecap/maths.h"

namespace sitecap::pixeltrack {

SITECAP_CONST int error_lengths = 8;
SITECAP_CONST float error_table_um[2 * 3 * error_lengths] = {
#define SITECAP_ERRORS_X(region, ...) __VA_ARGS__,
#define SITECAP_ERRORS_Y(region, ...) __VA_ARGS__,
#include "kernels/pixeltrack/hit_errors.h"
#undef SITECAP_ERRORS_X
#undef SITECAP_ERRORS_Y
};

// Where along one axis the charge was deposited, cm, before the drift is taken off; and the width of the end
// pixels.
template <class F, class I>
SITECAP_FN F position_along(const float* edge_cm, float pitch_cm, I min_pixel, I max_pixel, F first_electrons,
                            F last_electrons, F predicted_cm, F& ends) {
  const F inner_low = gather(edge_cm, min_pixel + 1);
  const F inner_high = gather(edge_cm, max_pixel);
  const F centre = 0.5f * (inner_low + inner_high);
  // for two pixels the charge comes from as far as the track's projection reaches beyond the pixels between
  // them
  const F reach = absolute(predicted_cm) - (inner_high - inner_low);
  ends = 0.5f * ((inner_low - gather(edge_cm, min_pixel)) + (gather(edge_cm, max_pixel + 1) - inner_high));
  const auto two = (max_pixel - min_pixel) == 1;
  const auto usable = (reach >= 0.f) & (reach <= pitch_cm);
  const F width = select(two & usable, reach, ends);
  const F balance = (last_electrons - first_electrons) / (last_electrons + first_electrons);
  return centre + select(max_pixel == min_pixel, all_lanes<F>(0.f), 0.5f * balance * width);
}

// Item: lanes of clusters from `first` on.
template <class F>
SITECAP_FN void measure_hits(const Clusters& clusters, const Frames& frames, const Matrix& matrix, i32 first,
                             const Hits& hits) {
  using I = IntOf<F>;
  const I module = load<I>(clusters.module + first);
  const I base = module * frame_size;
  const auto frame = [&](int k) { return gather(frames.frame, base + k); };
  const I min_row = load<I>(clusters.min_row + first), max_row = load<I>(clusters.max_row + first);
  const I min_column = load<I>(clusters.min_column + first),
          max_column = load<I>(clusters.max_column + first);
  const F cx = frame(0), cy = frame(1), cz = frame(2);
  const F xx = frame(3), xy = frame(4), xz = frame(5);
  const F yx = frame(6), yy = frame(7), yz = frame(8);
  const F nx = frame(9), ny = frame(10), nz = frame(11);
  const F thickness = frame(14);

  // direction of a line from the origin to the cluster, in the module's frame
  const F middle_x = 0.5f * (gather(matrix.row_edge_cm, min_row) + gather(matrix.row_edge_cm, max_row + 1));
  const F middle_y =
      0.5f * (gather(matrix.column_edge_cm, min_column) + gather(matrix.column_edge_cm, max_column + 1));
  const F along_n = cx * nx + cy * ny + cz * nz;
  const F cot_x = (middle_x + (cx * xx + cy * xy + cz * xz)) / along_n;
  const F cot_y = (middle_y + (cx * yx + cy * yy + cz * yz)) / along_n;

  const F first_row = to_float(load<I>(clusters.first_row_electrons + first));
  const F last_row = to_float(load<I>(clusters.last_row_electrons + first));
  const F first_column = to_float(load<I>(clusters.first_column_electrons + first));
  const F last_column = to_float(load<I>(clusters.last_column_electrons + first));
  F ends_x, ends_y;
  const F x = position_along(matrix.row_edge_cm, matrix.pitch_x_cm, min_row, max_row, first_row, last_row,
                             thickness * cot_x - 2.f * frame(12), ends_x) +
              frame(12);
  const F y = position_along(matrix.column_edge_cm, matrix.pitch_y_cm, min_column, max_column, first_column,
                             last_column, thickness * cot_y - 2.f * frame(13), ends_y) +
              frame(13);

  const F global_x = cx + xx * x + yx * y;
  const F global_y = cy + xy * x + yy * y;
  const F turns = arc_tangent(global_y, global_x) * (32768.f / pi);
  store(hits.x + first, global_x);
  store(hits.y + first, global_y);
  store(hits.z + first, cz + xz * x + yz * y);
  store(hits.r + first, square_root(global_x * global_x + global_y * global_y));
  // pi itself is -32768
  store(hits.phi + first, ((to_int(nearest(turns)) + 32768) & 0xffff) - 32768);

  const I region = gather(frames.region, module) * error_lengths;
  const I rows = max_row - min_row, columns = max_column - min_column;
  const I most = all_lanes_int<I>(error_lengths - 1);
  // pixels of twice the size know half as much
  const F error_x =
      gather(error_table_um, region + select(rows < most, rows, most)) * (1e-4f / matrix.pitch_x_cm) * ends_x;
  const F error_y =
      gather(error_table_um, region + 3 * error_lengths + select(columns < most, columns, most)) *
      (1e-4f / matrix.pitch_y_cm) * ends_y;
  store(hits.var_x + first, error_x * error_x);
  store(hits.var_y + first, error_y * error_y);

  // length along y in eighths, shorter by the imbalance of its ends: what the track itself covers
  const F full =
      nearest((gather(matrix.column_edge_cm, max_column + 1) - gather(matrix.column_edge_cm, min_column)) *
              (1.f / matrix.pitch_y_cm));
  const I imbalance = to_int(8.f * absolute(last_column - first_column) / (last_column + first_column));
  const I length = to_int(full) * 8 - imbalance;
  const auto at_edge = (min_column == 0) | (max_column == matrix.columns - 1);
  store(hits.length + first, select(at_edge, -length, length));
  store(hits.module + first, module);
}

// Item: a hit. The bin of layer and phi in which it is sorted.
SITECAP_FN i32 bin_of(const Frames& frames, i32 module, i32 phi) {
  return frames.layer[module] * phi_bins + ((phi + 32768) * phi_bins >> 16);
}

// Item: a hit. Takes its sorted place.
SITECAP_FN void place_hit(const Hits& from, i32 index, i32 place, const Hits& to) {
  to.x[place] = from.x[index];
  to.y[place] = from.y[index];
  to.z[place] = from.z[index];
  to.r[place] = from.r[index];
  to.phi[place] = from.phi[index];
  to.var_x[place] = from.var_x[index];
  to.var_y[place] = from.var_y[index];
  to.length[place] = from.length[index];
  to.module[place] = from.module[index];
  to.cluster[place] = index;
}

}  // namespace sitecap::pixeltrack
