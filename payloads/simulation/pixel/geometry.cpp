#include "simulation/pixel/geometry.h"

namespace sitecap::simulation::pixel {

namespace {

struct Row {
  int layer;
  double x, y, z, xx, xy, xz, yx, yy, yz, nx, ny, nz, lorentz_x, lorentz_y;
};
constexpr Row table[] = {
#include "simulation/pixel/modules.inc"
};

// Sensors of 285 um (barrel) and 290 um (discs): the same dump.
constexpr double barrel_thickness_cm = 0.0285, disc_thickness_cm = 0.0290;

// Five digits are not orthonormal: the normal is kept, x made perpendicular to it, y to both.
Module module_of(const Row& row) {
  Module module{};
  module.layer = row.layer;
  module.centre = {row.x, row.y, row.z};
  module.normal = unit({row.nx, row.ny, row.nz});
  const Vector x{row.xx, row.xy, row.xz};
  module.x = unit(x - dot(x, module.normal) * module.normal);
  const Vector &n = module.normal, &u = module.x;
  const Vector y{n.y * u.z - n.z * u.y, n.z * u.x - n.x * u.z, n.x * u.y - n.y * u.x};
  module.y = dot(y, {row.yx, row.yy, row.yz}) > 0 ? y : -1.0 * y;
  module.lorentz_x_cm = row.lorentz_x;
  module.lorentz_y_cm = row.lorentz_y;
  module.thickness_cm = row.layer < 4 ? barrel_thickness_cm : disc_thickness_cm;
  return module;
}

// Matter of a mixture of silicon, carbon and cables: 25 g/cm^2 a radiation length.
Matter of_mixture(double radiation_lengths) {
  return {radiation_lengths, 25.0 * radiation_lengths};
}

}  // namespace

Axis::Axis(int chips, int pixels_of_chip, bool big_at_edges, double pitch_cm) : per_cm_(1.0 / pitch_cm) {
  double at = 0.0;
  for (int chip = 0; chip < chips; ++chip)
    for (int i = 0; i < pixels_of_chip; ++i) {
      const int pixel = chip * pixels_of_chip + i;
      const bool first = i == 0 && (big_at_edges || chip > 0);
      const bool last = i == pixels_of_chip - 1 && (big_at_edges || chip < chips - 1);
      const int units = first || last ? 2 : 1;
      low_.push_back(at);
      pixel_.insert(pixel_.end(), static_cast<std::size_t>(units), pixel);
      at += units;
    }
  low_.push_back(at);
  half_ = 0.5 * at;
}

const Axis& row_axis() {
  static const Axis axis(2, 80, false, pitch_x_cm);
  return axis;
}
const Axis& column_axis() {
  static const Axis axis(8, chip_columns, true, pitch_y_cm);
  return axis;
}

const std::vector<Module>& modules() {
  static const std::vector<Module> all = [] {
    std::vector<Module> made;
    for (const Row& row : table) made.push_back(module_of(row));
    return made;
  }();
  return all;
}

const std::vector<int>& layer_begin() {
  static const std::vector<int> begin = [] {
    std::vector<int> first(layers + 1, 0);
    for (const Module& module : modules()) ++first[static_cast<std::size_t>(module.layer + 1)];
    for (std::size_t l = 0; l < layers; ++l) first[l + 1] += first[l];
    return first;
  }();
  return begin;
}

// Radiation lengths. The beam pipe is 0.8 mm of beryllium. The others are ours: of the size of a silicon
// layer with its support, and then raised, for the discs and for what ends the barrel (cables, cooling),
// until secondaries fill the gap to the multiplicities of CMS's reference events (README.md of the
// simulation).
static const std::vector<Surface>& cylinders() {
  static const std::vector<Surface> all = {
      {2.20, 0.0, 60.0, {0.0023, 0.148}, -1},  // beam pipe
      {2.93, 0.0, 26.9, of_mixture(0.018), 0},
      {6.78, 0.0, 26.9, of_mixture(0.018), 1},
      {10.88, 0.0, 26.9, of_mixture(0.018), 2},
      {15.99, 0.0, 26.9, of_mixture(0.018), 3},
      {17.50, 0.0, 60.0, of_mixture(0.02), -1},  // supply tube
      // strips: what curls back from there, or is scattered back, is seen again
      {28.0, 0.0, 65.0, of_mixture(0.07), -1},
      {45.0, 0.0, 65.0, of_mixture(0.07), -1},
      {65.0, 0.0, 110.0, of_mixture(0.06), -1},
      {85.0, 0.0, 110.0, of_mixture(0.06), -1},
      {108.0, 0.0, 110.0, of_mixture(0.06), -1},
  };
  return all;
}

static const std::vector<Surface>& discs() {
  static const std::vector<Surface> all = {
      {-49.0, 4.5, 16.2, of_mixture(0.045), 9}, {-39.5, 4.5, 16.2, of_mixture(0.045), 8},
      {-32.0, 4.5, 16.2, of_mixture(0.045), 7}, {-27.5, 2.6, 16.5, of_mixture(0.16), -1},
      {27.5, 2.6, 16.5, of_mixture(0.16), -1},  {32.0, 4.5, 16.2, of_mixture(0.045), 4},
      {39.5, 4.5, 16.2, of_mixture(0.045), 5},  {49.0, 4.5, 16.2, of_mixture(0.045), 6},
  };
  return all;
}

const Surfaces& surfaces() {
  static const Surfaces all{cylinders(), discs()};
  return all;
}

}  // namespace sitecap::simulation::pixel
