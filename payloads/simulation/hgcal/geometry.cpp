#include "simulation/hgcal/geometry.h"

namespace sitecap::simulation::hgcal {

namespace {

constexpr double half_root_3 = 0.86602540378443865;
constexpr int lattice_middle = 256;  // rows and columns are counted from -256 on

int floor_of(double x) {
  const int towards_zero = static_cast<int>(x);
  return x < towards_zero ? towards_zero - 1 : towards_zero;
}

// Rows of hexagons: every other one is shifted by half a pitch.
double hexagon_x(int row, int column, double pitch) {
  return pitch * (column + ((row & 1) ? 0.5 : 0.0));
}
double hexagon_y(int row, double pitch) {
  return pitch * half_root_3 * row;
}

// The nearest centre: the Voronoi cell of a hexagonal lattice is its hexagon.
Cell hexagon_at(int plane, int region, double x, double y) {
  const double pitch = pitch_cm[region];
  const int lower = floor_of(y / (pitch * half_root_3));
  int best_row = 0, best_column = 0;
  double best = 1e30;
  for (int row = lower; row <= lower + 1; ++row) {
    const int column = floor_of(x / pitch - ((row & 1) ? 0.5 : 0.0) + 0.5);
    const double dx = x - hexagon_x(row, column, pitch);
    const double dy = y - hexagon_y(row, pitch);
    const double distance = dx * dx + dy * dy;
    if (distance < best) {
      best = distance;
      best_row = row;
      best_column = column;
    }
  }
  return cell_number(plane, region, best_row + lattice_middle, best_column + lattice_middle);
}

}  // namespace

Cell cell_at(int plane, double x, double y) {
  const int layer = layer_of_plane(plane);
  const double z = z_cm(layer);
  const double r2 = x * x + y * y;
  const double inner = z / cot_inner, outer = z / cot_outer;
  if (r2 < inner * inner || r2 > outer * outer) return no_cell;
  const double border = tiles_from_cm(layer);
  if (r2 < border * border) {
    const int region =
        r2 < thin_to_cm * thin_to_cm ? um120 : (r2 < middle_to_cm * middle_to_cm ? um200 : um300);
    return hexagon_at(plane, region, x, y);
  }
  const double eta = precise::inverse_hyperbolic_sine(z / precise::square_root(r2));
  const double phi = precise::arc_tangent(y, x);
  const int row = floor_of((eta - tile_eta_from) / tile_pitch);
  const int column = clamp(floor_of((phi + precise::pi) / tile_pitch), 0, tiles_around - 1);
  return cell_number(plane, tile, row, column);
}

Centre centre_of(Cell cell) {
  const int plane = plane_of(cell), region = region_of(cell);
  const int row = static_cast<int>((cell >> 9) & 511u), column = static_cast<int>(cell & 511u);
  const double side = plane < layers ? -1.0 : 1.0;
  const double z = z_cm(layer_of_plane(plane));
  if (region == tile) {
    const double eta = tile_eta_from + (row + 0.5) * tile_pitch;
    const double phi = (column + 0.5) * tile_pitch - precise::pi;
    const double r = z / precise::hyperbolic_sine(eta);
    double sine, cosine;
    precise::sine_cosine(phi, sine, cosine);
    return {r * cosine, r * sine, side * z, side * eta, phi};
  }
  const double x = hexagon_x(row - lattice_middle, column - lattice_middle, pitch_cm[region]);
  const double y = hexagon_y(row - lattice_middle, pitch_cm[region]);
  const double r = precise::square_root(x * x + y * y);
  return {x, y, side * z, side * precise::inverse_hyperbolic_sine(z / r), precise::arc_tangent(y, x)};
}

double area_cm2(int layer, int region) {
  const double z = z_cm(layer);
  const double inner = z / cot_inner, outer = z / cot_outer;
  const double silicon_to = min_of(outer, tiles_from_cm(layer));
  const double from[regions] = {inner, thin_to_cm, middle_to_cm, silicon_to};
  const double to[regions] = {thin_to_cm, middle_to_cm, silicon_to, outer};
  const double low = from[region], high = max_of(to[region], low);
  return precise::pi * (high * high - low * low);
}

}  // namespace sitecap::simulation::hgcal
