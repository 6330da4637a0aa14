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

// Pixel and edges within one readout chip of `count` pixels, of which the first and the last may be twice as
// large.
Strip within(double u, int count, bool first_big, bool last_big) {
  const double shift = first_big ? 1.0 : 0.0;
  int number = static_cast<int>(u - shift);
  number = clamp(number, 0, count - 1);
  const double low = number == 0 ? 0.0 : number + shift;
  const double high = number + 1 + shift + (last_big && number == count - 1 ? 1.0 : 0.0);
  return {number, low, high};
}

// Matter of a mixture of silicon, carbon and cables: 25 g/cm^2 a radiation length.
Matter of_mixture(double radiation_lengths) {
  return {radiation_lengths, 25.0 * radiation_lengths};
}

}  // namespace

Strip row_at(double x_cm) {
  const double u = (x_cm + half_width_cm) / pitch_x_cm;  // 81 units a chip
  const int chip = u < 81.0 ? 0 : 1;
  Strip strip = within(u - 81.0 * chip, 80, chip == 1, chip == 0);
  const double origin = 81.0 * chip;
  return {strip.number + 80 * chip, (strip.low_cm + origin) * pitch_x_cm - half_width_cm,
          (strip.high_cm + origin) * pitch_x_cm - half_width_cm};
}

Strip column_at(double y_cm) {
  const double u = (y_cm + half_length_cm) / pitch_y_cm;  // 54 units a chip
  const int chip = clamp(static_cast<int>(u / 54.0), 0, 7);
  Strip strip = within(u - 54.0 * chip, chip_columns, true, true);
  const double origin = 54.0 * chip;
  return {strip.number + chip_columns * chip, (strip.low_cm + origin) * pitch_y_cm - half_length_cm,
          (strip.high_cm + origin) * pitch_y_cm - half_length_cm};
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

// Radiation lengths: CMS, "The phase-1 upgrade of the CMS pixel detector", J. Instrum. 16 (2021) P02027: the
// barrel makes about 6 % at normal incidence with its beam pipe of 0.8 mm of beryllium, a disc about 2.5 %.
// What holds the barrel's ends and the cables that leave it are here a disc of 3 % and the outer tube.
const std::vector<Surface>& cylinders() {
  static const std::vector<Surface> all = {
      {2.20, 0.0, 60.0, {0.0023, 0.148}, -1},  // beam pipe
      {2.93, 0.0, 26.9, of_mixture(0.018), 0},
      {6.78, 0.0, 26.9, of_mixture(0.018), 1},
      {10.88, 0.0, 26.9, of_mixture(0.018), 2},
      {15.99, 0.0, 26.9, of_mixture(0.018), 3},
      {17.50, 0.0, 60.0, of_mixture(0.02), -1},  // supply tube
      // strips: what curls back from there, or is scattered back, is seen again
      {25.5, 0.0, 65.0, of_mixture(0.04), -1},
      {34.0, 0.0, 65.0, of_mixture(0.04), -1},
      {42.0, 0.0, 65.0, of_mixture(0.03), -1},
      {50.0, 0.0, 65.0, of_mixture(0.03), -1},
      {61.0, 0.0, 110.0, of_mixture(0.03), -1},
      {70.0, 0.0, 110.0, of_mixture(0.03), -1},
      {78.0, 0.0, 110.0, of_mixture(0.03), -1},
      {87.0, 0.0, 110.0, of_mixture(0.03), -1},
      {97.0, 0.0, 110.0, of_mixture(0.03), -1},
      {108.0, 0.0, 110.0, of_mixture(0.03), -1},
  };
  return all;
}

const std::vector<Surface>& discs() {
  static const std::vector<Surface> all = {
      {-49.0, 4.5, 16.2, of_mixture(0.045), 9}, {-39.5, 4.5, 16.2, of_mixture(0.045), 8},
      {-32.0, 4.5, 16.2, of_mixture(0.045), 7}, {-27.5, 2.6, 16.5, of_mixture(0.16), -1},
      {27.5, 2.6, 16.5, of_mixture(0.16), -1},  {32.0, 4.5, 16.2, of_mixture(0.045), 4},
      {39.5, 4.5, 16.2, of_mixture(0.045), 5},  {49.0, 4.5, 16.2, of_mixture(0.045), 6},
  };
  return all;
}

}  // namespace sitecap::simulation::pixel
