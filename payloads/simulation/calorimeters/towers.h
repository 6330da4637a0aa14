// The cells of a CMS-like hadron calorimeter: barrel (HB) and endcaps (HE) as after the phase-1 upgrade.
//
// Borders of the towers in eta: CMS HCAL Technical Design Report (CERN/LHCC 97-31). 72 towers in phi up to
// ring 20, 36 beyond. Depths after CERN-LHCC-2012-015: in HB four of 1, 4, 5 and 7 of the 17 layers of tiles,
// in HE up to seven. That makes 9216 + 6768 channels, as CMS has. Borders of HE's depths along z are our
// choice.
#pragma once
#include <array>
#include <vector>

#include "simulation/helix.h"

namespace sitecap::simulation::calorimeters {

inline constexpr int rings = 29;  // of one side, by absolute eta
inline constexpr std::array<double, rings + 1> ring_eta = {
    0.000, 0.087, 0.174, 0.261, 0.348, 0.435, 0.522, 0.609, 0.696, 0.783, 0.870, 0.957, 1.044, 1.131, 1.218,
    1.305, 1.392, 1.479, 1.566, 1.653, 1.740, 1.830, 1.930, 2.043, 2.172, 2.322, 2.500, 2.650, 2.868, 3.000};
inline constexpr int barrel_rings = 16, fine_rings = 20;
inline constexpr int barrel_depths = 4, endcap_depths = 7;
inline constexpr std::array<double, barrel_depths + 1> barrel_r_cm = {179.0, 185.4, 210.8, 242.5, 287.0};
inline constexpr std::array<double, endcap_depths + 1> endcap_z_cm = {389.0, 397.0, 413.0, 434.0,
                                                                      458.0, 484.0, 514.0, 553.0};
// Where the barrel ends along z at its front: eta 1.392.
inline constexpr double barrel_end_cm = 340.0;

inline constexpr int sectors_of(int ring) {
  return ring < fine_rings ? 72 : 36;
}
// First and last depth (from 1) that HE has in a ring (from 0); last 0 where it has none.
struct Depths {
  int first, last;
};
inline constexpr Depths endcap_depths_of(int ring) {
  if (ring < 15) return {1, 0};
  if (ring == 15) return {4, 4};
  if (ring == 16) return {2, 3};
  if (ring == 17) return {2, 6};
  if (ring < 25) return {1, 6};
  return ring < 28 ? Depths{1, 7} : Depths{1, 3};
}

// One cell by where it is.
struct Cell {
  bool in_barrel;
  int depth;   // from 1
  int ring;    // from 0, by absolute eta
  int side;    // 0: eta < 0, 1: eta > 0
  int sector;  // from 0 at phi = -pi
};

// All cells by number: barrel first, by depth, side, ring and sector.
class Towers {
 public:
  Towers() {
    for (auto& number : first_) number = -1;
    for (int barrel = 1; barrel >= 0; --barrel)
      for (int depth = 1; depth <= (barrel != 0 ? barrel_depths : endcap_depths); ++depth)
        for (int side = 0; side < 2; ++side)
          for (int ring = 0; ring < rings; ++ring) add(barrel != 0, depth, side, ring);
  }
  int count() const { return static_cast<int>(cells_.size()); }
  const Cell& operator[](int number) const { return cells_[static_cast<std::size_t>(number)]; }
  // Number of a cell; -1 if there is none.
  int find(const Cell& c) const {
    if (c.ring < 0 || c.ring >= rings || c.depth < 1 || c.depth > endcap_depths) return -1;
    const int first = first_[static_cast<std::size_t>(key(c.in_barrel, c.depth, c.side, c.ring))];
    return first < 0 ? -1 : first + c.sector;
  }
  // Cell that a point lies in; -1 if it lies in none.
  int at(const Vector& p) const {
    const double r = precise::square_root(p.x * p.x + p.y * p.y);
    const double z = precise::absolute(p.z), eta = precise::inverse_hyperbolic_sine(z / r);
    Cell cell{};
    cell.in_barrel = eta < ring_eta[barrel_rings] && r < barrel_r_cm[barrel_depths] && z < endcap_z_cm[0];
    cell.depth = cell.in_barrel ? place(barrel_r_cm, r) : place(endcap_z_cm, z);
    cell.ring = place(ring_eta, eta) - 1;
    if (cell.ring < 0 || cell.depth < 1) return -1;
    cell.side = p.z < 0 ? 0 : 1;
    const int sectors = sectors_of(cell.ring);
    const double turn = (precise::arc_tangent(p.y, p.x) + precise::pi) / (2.0 * precise::pi);
    cell.sector = static_cast<int>(turn * sectors) % sectors;
    return find(cell);
  }
  // Middle of a cell.
  Vector centre(int number) const {
    const Cell& c = (*this)[number];
    const auto ring = static_cast<std::size_t>(c.ring), depth = static_cast<std::size_t>(c.depth);
    const double eta = 0.5 * (ring_eta[ring] + ring_eta[ring + 1]);
    const double phi = (c.sector + 0.5) * 2.0 * precise::pi / sectors_of(c.ring) - precise::pi;
    double z = 0.5 * (endcap_z_cm[depth - 1] + endcap_z_cm[depth]);
    double r = z / precise::hyperbolic_sine(eta);
    if (c.in_barrel) {
      r = 0.5 * (barrel_r_cm[depth - 1] + barrel_r_cm[depth]);
      z = r * precise::hyperbolic_sine(eta);
    }
    double sine, cosine;
    precise::sine_cosine(phi, sine, cosine);
    return {r * cosine, r * sine, c.side == 0 ? -z : z};
  }

 private:
  static int key(bool in_barrel, int depth, int side, int ring) {
    return (((in_barrel ? 1 : 0) * (endcap_depths + 1) + depth) * 2 + side) * rings + ring;
  }
  // Which interval holds the value, from 1; 0 if none does.
  template <std::size_t N>
  static int place(const std::array<double, N>& borders, double value) {
    if (!(value >= borders[0])) return 0;
    for (std::size_t i = 1; i < N; ++i)
      if (value < borders[i]) return static_cast<int>(i);
    return 0;
  }
  void add(bool in_barrel, int depth, int side, int ring) {
    const Depths endcap = endcap_depths_of(ring);
    const bool there = in_barrel ? ring < barrel_rings : depth >= endcap.first && depth <= endcap.last;
    if (!there) return;
    first_[static_cast<std::size_t>(key(in_barrel, depth, side, ring))] = count();
    for (int sector = 0; sector < sectors_of(ring); ++sector)
      cells_.push_back({in_barrel, depth, ring, side, sector});
  }

  std::array<int, 2 * (endcap_depths + 1) * 2 * rings> first_{};
  std::vector<Cell> cells_;
};

}  // namespace sitecap::simulation::calorimeters
