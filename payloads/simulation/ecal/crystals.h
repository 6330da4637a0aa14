// The crystals of a CMS-like electromagnetic calorimeter: barrel and endcaps of lead tungstate.
//
// CMS, JINST 3 (2008) S08004, chapter 4: barrel of 170 x 360 crystals of 0.0174 x 0.0174 in eta and phi,
// |eta| < 1.479, front at 129 cm, 23 cm long; endcaps to |eta| = 3.0 of crystals with 2.862 x 2.862 cm^2
// front, at 315.4 cm, behind the preshower. Gaps between modules and the supports are left out.
#pragma once
#include "simulation/helix.h"

namespace sitecap::simulation::ecal {

inline constexpr double barrel_eta = 1.479, endcap_eta = 3.0;
inline constexpr double barrel_radius_cm = 129.0, endcap_z_cm = 320.0;
inline constexpr int rings = 170, sectors = 360;         // eta, phi
inline constexpr int barrel_crystals = rings * sectors;  // 61200
inline constexpr int side_cells = 120;  // an endcap is a square grid of 120 x 120, cut to its disc
inline constexpr double front_cm = 2.862;
inline constexpr int crystals = barrel_crystals + 2 * side_cells * side_cells;
inline constexpr double moliere_cm = 2.19;  // radius in lead tungstate (PDG 2022: 1.96; effective, JINST 3)

enum Region : u8 { barrel = 0, endcap_minus = 1, endcap_plus = 2 };

inline Region region_of(int crystal) {
  if (crystal < barrel_crystals) return barrel;
  return crystal < barrel_crystals + side_cells * side_cells ? endcap_minus : endcap_plus;
}

inline double eta_of(const Vector& p) {
  return precise::inverse_hyperbolic_sine(p.z / precise::square_root(p.x * p.x + p.y * p.y));
}

// Middle of a crystal's front.
inline Vector centre_of(int crystal) {
  if (region_of(crystal) == barrel) {
    const double eta = (crystal / sectors + 0.5) * (2.0 * barrel_eta / rings) - barrel_eta;
    const double phi = (crystal % sectors + 0.5) * (2.0 * precise::pi / sectors) - precise::pi;
    double sine, cosine;
    precise::sine_cosine(phi, sine, cosine);
    return {barrel_radius_cm * cosine, barrel_radius_cm * sine,
            barrel_radius_cm * precise::hyperbolic_sine(eta)};
  }
  const int cell = (crystal - barrel_crystals) % (side_cells * side_cells);
  const double half = 0.5 * side_cells * front_cm;
  return {(cell % side_cells + 0.5) * front_cm - half, (cell / side_cells + 0.5) * front_cm - half,
          region_of(crystal) == endcap_minus ? -endcap_z_cm : endcap_z_cm};
}

// Crystal at a point of the front of the barrel, -1 beyond its ends.
inline int barrel_crystal(const Vector& p) {
  const double eta = eta_of(p);
  const double ring = (eta + barrel_eta) * (rings / (2.0 * barrel_eta));
  if (!(ring >= 0.0 && ring < rings)) return -1;
  const double phi = precise::arc_tangent(p.y, p.x);
  const int sector = static_cast<int>((phi + precise::pi) * (sectors / (2.0 * precise::pi)));
  return static_cast<int>(ring) * sectors + (sector >= sectors ? sectors - 1 : sector);
}

// Crystal at a point of the front of an endcap, -1 outside its ring.
inline int endcap_crystal(const Vector& p) {
  const double half = 0.5 * side_cells * front_cm;
  const double column = (p.x + half) / front_cm, row = (p.y + half) / front_cm;
  if (!(column >= 0.0 && column < side_cells && row >= 0.0 && row < side_cells)) return -1;
  const int cell = static_cast<int>(row) * side_cells + static_cast<int>(column);
  const int crystal = barrel_crystals + (p.z < 0.0 ? 0 : side_cells * side_cells) + cell;
  const double eta = precise::absolute(eta_of(centre_of(crystal)));
  return eta > barrel_eta && eta < endcap_eta ? crystal : -1;
}

// Two directions along the front around `p`: as long as what is one cm across a shower that comes from the
// middle, because crystals point there. In the barrel that is 1 / sin(theta) along z.
inline void front_axes(bool in_barrel, const Vector& p, Vector& first, Vector& second) {
  const double r = precise::square_root(p.x * p.x + p.y * p.y);
  first = in_barrel ? Vector{-p.y / r, p.x / r, 0.0} : Vector{1.0, 0.0, 0.0};
  second = in_barrel ? Vector{0.0, 0.0, norm(p) / r} : Vector{0.0, 1.0, 0.0};
}

}  // namespace sitecap::simulation::ecal
