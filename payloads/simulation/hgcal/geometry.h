// The two high-granularity endcap calorimeters: 47 layers each, their absorbers, sensors and cells.
//
// After the technical design report (CMS-TDR-019, CERN-LHCC-2017-023) in its 47-layer form: 26 layers of
// silicon in an electromagnetic part of 27.7 radiation lengths, 21 in a hadronic part of 8.3 interaction
// lengths, with scintillator tiles at large radius from the eighth hadronic layer on. Energies behind a
// layer's absorber for one minimum-ionising particle: CMSSW HGCalRecHit_cfi, dEdX.weights, rounded.
// Simplified: the envelope is projective (1.5 < |eta| < 3.0), absorbers within a part are alike, and the
// silicon lattices know no borders of wafers.
#pragma once
#include "sitecap/maths_double.h"

namespace sitecap::simulation::hgcal {

inline constexpr int layers = 47;              // of one endcap
inline constexpr int planes = 2 * layers;      // 0 .. 46 at z < 0, 47 .. 93 at z > 0
inline constexpr int first_hadronic = 26;      // layer
inline constexpr int first_coarse = 37;        // layer behind thicker absorbers
inline constexpr int first_scintillator = 34;  // layer with tiles at large radius
inline constexpr double front_cm = 320.5;      // z where particles are taken over from the tracker's field
inline constexpr double cot_inner = 10.01787492740990;  // sinh(3.0): r > |z| / this
inline constexpr double cot_outer = 2.129279455094817;  // sinh(1.5): r < |z| / this

// Sensor regions: three thicknesses of silicon, and scintillator.
enum Region { um120 = 0, um200 = 1, um300 = 2, tile = 3, regions = 4 };
inline constexpr double thin_to_cm = 70.0;     // radius
inline constexpr double middle_to_cm = 100.0;  // radius

// Noise of a channel in units of a minimum-ionising particle: between that of new sensors (2000 electrons
// against 67 a micrometre) and the signal-to-noise of 3 that the report asks for at the end of life, since
// 200 collisions a crossing come late.
inline constexpr double noise_mip[regions] = {0.30, 0.20, 0.14, 0.18};

// Hexagonal cells: distance of neighbouring centres, for areas of 0.52 and 1.18 cm2.
inline constexpr double pitch_cm[3] = {0.775, 1.167, 1.167};
// Tiles are square in (eta, phi): 288 around, 4 cm2 at r = 93 cm, 27 cm2 at r = 235 cm.
inline constexpr int tiles_around = 288;
inline constexpr double tile_pitch = 2.0 * precise::pi / tiles_around;
inline constexpr double tile_eta_from = 1.4;

inline double z_cm(int layer) {
  if (layer < first_hadronic) return 322.1 + 1.66 * layer;
  if (layer < first_coarse) return 368.0 + 5.1 * (layer - first_hadronic);
  return 422.3 + 8.3 * (layer - first_coarse);
}
// Radiation and interaction lengths of a layer at normal incidence.
inline double radiation_lengths(int layer) {
  return layer < first_hadronic ? 1.065 : (layer < first_coarse ? 2.8 : 4.2);
}
inline double interaction_lengths(int layer) {
  return layer < first_hadronic ? 0.058 : (layer < first_coarse ? 0.29 : 0.51);
}
// Energy that a minimum-ionising particle leaves in a layer with its absorber.
inline double mev_per_mip(int layer) {
  if (layer == 0) return 8.9;
  if (layer < first_hadronic) return 10.9;
  if (layer == first_hadronic) return 32.3;
  if (layer < first_coarse) return 51.5;
  return layer == first_coarse ? 69.5 : 87.2;
}
// Radius at which tiles take over from silicon; none in the layers before.
inline double tiles_from_cm(int layer) {
  return layer < first_scintillator ? 1e9 : 150.0 - 4.6 * (layer - first_scintillator);
}

// A cell: plane, region, row and column in 27 bits; sorted by this number a readout's order comes out.
using Cell = u32;
inline constexpr Cell no_cell = 0xffffffffu;

inline Cell cell_number(int plane, int region, int row, int column) {
  return (static_cast<u32>(plane * regions + region) << 18) | (static_cast<u32>(row) << 9) |
         static_cast<u32>(column);
}
inline int plane_of(Cell cell) {
  return static_cast<int>(cell >> 18) / regions;
}
inline int region_of(Cell cell) {
  return static_cast<int>(cell >> 18) % regions;
}
inline int layer_of_plane(int plane) {
  return plane < layers ? plane : plane - layers;
}

// The cell at a point of a layer, or no_cell outside of the envelope.
Cell cell_at(int plane, double x_cm, double y_cm);

struct Centre {
  double x_cm, y_cm, z_cm, eta, phi;
};
Centre centre_of(Cell cell);

// Area of a region within a layer.
double area_cm2(int layer, int region);

}  // namespace sitecap::simulation::hgcal
