// The 1856 modules of CMS's phase-1 pixel detector and the matter around them.
#pragma once
#include <vector>

#include "simulation/geometry/surfaces.h"

namespace sitecap::simulation::pixel {

// Pixels of a module: 2 x 8 readout chips (ROCs) of 80 rows x 52 columns; rows along local x, columns along
// local y. The gap between chips is covered by pixels of twice the size: rows 79 and 80, and the first and
// last column of each chip.
inline constexpr int rows = 160, columns = 416, chip_columns = 52;
inline constexpr double pitch_x_cm = 0.0100, pitch_y_cm = 0.0150;
inline constexpr double half_width_cm = 0.81, half_length_cm = 3.24;

// Rows or columns of a module along their axis, in units of the pitch from the module's edge.
class Axis {
 public:
  // `chips` times `pixels_of_chip` pixels, of which the first and the last of a chip are two units long where
  // they meet another chip, and at the module's edges if `big_at_edges`.
  Axis(int chips, int pixels_of_chip, bool big_at_edges, double pitch_cm);

  // Units from the edge; a module has 0 <= units < length().
  double units(double local_cm) const { return local_cm * per_cm_ + half_; }
  double length() const { return low_.back(); }
  int pixel(double units) const { return pixel_[static_cast<std::size_t>(units)]; }
  double low(int pixel) const { return low_[static_cast<std::size_t>(pixel)]; }
  double high(int pixel) const { return low_[static_cast<std::size_t>(pixel + 1)]; }
  int pixels() const { return static_cast<int>(low_.size()) - 1; }

 private:
  double per_cm_, half_;
  std::vector<double> low_;  // of each pixel, and the end
  std::vector<int> pixel_;   // of each unit
};
const Axis& row_axis();
const Axis& column_axis();

struct Module {
  int layer;  // 0-3 barrel from inside, 4-6 discs at z > 0 from inside, 7-9 at z < 0
  Vector centre;
  Vector x, y, normal;  // orthonormal
  // Add to where charge is collected to get where the particle was at mid-plane.
  double lorentz_x_cm, lorentz_y_cm;
  double thickness_cm;
};

inline constexpr int layers = 10;

// In the order of CMS's module numbers: layer by layer.
const std::vector<Module>& modules();
// First module of each layer, and their number at the end.
const std::vector<int>& layer_begin();

// Modules of a barrel ladder share a plane and lie side by side in z.
inline constexpr int modules_of_ladder = 8;
inline constexpr double module_spacing_cm = 6.7;

// All that particles are stopped at; surfaces without a layer are matter only.
const Surfaces& surfaces();

}  // namespace sitecap::simulation::pixel
