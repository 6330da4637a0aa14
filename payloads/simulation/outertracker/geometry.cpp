#include "simulation/outertracker/geometry.h"

namespace sitecap::simulation::outertracker {

namespace {

constexpr double mm = 0.1, degree = precise::pi / 180.0;

struct Sensors {
  bool has_pixels;
  double width_cm, length_cm;
};
constexpr Sensors ps{true, 9.6000, 4.6944}, two_strips{false, 9.1440, 10.0500};

struct Flat {
  double radius_cm, big_cm, small_cm;  // neighbours in azimuth, and along z, lie so much to either side
  int rods;
  double gap_cm;
  Sensors sensors;
  std::vector<double> z_cm;  // those with an even index lie `small_cm` further out
};
struct Tilted {
  double inner_cm, outer_cm;  // neighbours in azimuth
  double tilt, theta;         // of the module; of the line between the two kinds, against the beam: radians
  double gap_cm;
  std::vector<double> inner_z_cm;
};
// One wheel; rings with an odd index are `big_cm` further in.
struct Disc {
  double z_cm;
  int first_ring;  // rings 0 to 9 have pixels
  std::vector<double> outer_cm;
  int last_wide_ring;  // up to this ring 4 mm between the sensors, then 1.8 mm
};

std::vector<double> millimetres(std::initializer_list<double> values) {
  std::vector<double> scaled;
  for (const double value : values) scaled.push_back(mm * value);
  return scaled;
}

struct Builder {
  std::vector<Module> modules;
  std::vector<std::vector<Ring>> rings = std::vector<std::vector<Ring>>(layers);

  // A ring of `count` modules: even ones at (r0, z0), odd ones at (r1, z1), z with its sign.
  void add(int layer, const Sensors& sensors, double gap_cm, double tilt, int count, double first_phi,
           double r0, double z0, double r1, double z1) {
    const double step = 2.0 * precise::pi / count, side = z0 + z1 < 0 ? -1.0 : 1.0;
    rings[static_cast<std::size_t>(layer)].push_back({layer, 0.5 * (r0 + r1), 0.5 * (z0 + z1), first_phi,
                                                      step, static_cast<int>(modules.size()), count,
                                                      0.5 * sensors.length_cm});
    double tilt_sine, tilt_cosine;
    precise::sine_cosine(tilt, tilt_sine, tilt_cosine);
    for (int i = 0; i < count; ++i) {
      double s, c;
      precise::sine_cosine(first_phi + step * i, s, c);
      const double r = i % 2 == 0 ? r0 : r1, z = i % 2 == 0 ? z0 : z1;
      Module module{};
      module.layer = layer;
      module.centre = {r * c, r * s, z};
      module.x = {-s, c, 0.0};
      module.normal = {tilt_cosine * c, tilt_cosine * s, side * tilt_sine};
      module.y = {-side * tilt_sine * c, -side * tilt_sine * s, tilt_cosine};
      module.gap_cm = gap_cm;
      module.has_pixels = sensors.has_pixels;
      module.half_width_cm = 0.5 * sensors.width_cm;
      module.half_length_cm = 0.5 * sensors.length_cm;
      modules.push_back(module);
    }
  }

  void add_flat(int layer, const Flat& flat) {
    const double phi = 0.5 * precise::pi;
    for (std::size_t i = 0; i < flat.z_cm.size(); ++i) {
      const double shift = i % 2 == 0 ? flat.small_cm : -flat.small_cm;
      const double outer = flat.radius_cm + flat.big_cm + shift, inner = flat.radius_cm - flat.big_cm + shift;
      add(layer, flat.sensors, flat.gap_cm, 0.0, flat.rods, phi, outer, flat.z_cm[i], inner, flat.z_cm[i]);
    }
  }
  // A rod with a module at z = 0 and others at either side.
  void add_flat_mirrored(int layer, Flat flat) {
    const std::vector<double> half = flat.z_cm;
    add_flat(layer, flat);
    for (std::size_t i = 1; i < half.size(); ++i) {
      flat.z_cm = {-half[i]};
      Flat one = flat;
      if (i % 2 == 1) one.small_cm = -one.small_cm;
      add_flat(layer, one);
    }
  }
  void add_tilted(int layer, int rods, const Tilted& tilted) {
    double s, c;
    precise::sine_cosine(tilted.theta, s, c);
    const double shift = (tilted.outer_cm - tilted.inner_cm) * c / s;
    for (const double z : tilted.inner_z_cm)
      for (const double side : {1.0, -1.0})
        add(layer, ps, tilted.gap_cm, tilted.tilt, rods, 0.5 * precise::pi, tilted.outer_cm,
            side * (z + shift), tilted.inner_cm, side * z);
  }
  void add_disc(int layer, const Disc& disc) {
    constexpr double big = 15.755 * mm, overlap = 2.0 * mm;
    for (int ring = disc.first_ring; ring < 15; ++ring) {
      const Sensors& sensors = ring < 10 ? ps : two_strips;
      const bool wide = ring <= disc.last_wide_ring;
      const double small = ring < 10 ? 7.55 * mm : (wide ? 8.595 * mm : 7.495 * mm);
      const double outer = disc.outer_cm[static_cast<std::size_t>(ring - disc.first_ring)];
      // the least multiple of four that goes round, neighbours overlapping by 2 mm and less
      const double needed = 2.0 * precise::pi * outer / (sensors.width_cm + overlap) / 4.0;
      int quarter = static_cast<int>(needed);
      if (quarter < needed) ++quarter;
      const int count = 4 * quarter;
      const double r = outer - 0.5 * sensors.length_cm;
      const double z = disc.z_cm + (ring % 2 == 1 ? big : -big);
      for (const double side : {1.0, -1.0})
        add(layer, sensors, wide ? 4.0 * mm : 1.8 * mm, 0.5 * precise::pi, count, precise::pi / count, r,
            side * (z - small), r, side * (z + small));
    }
  }
};

Builder build() {
  Builder b;
  const double big = 11.9 * mm;
  b.add_flat_mirrored(
      0, {233 * mm, big, 3.5475 * mm, 18, 2.6 * mm, ps, millimetres({0, 42.933, 89.716, 128.800})});
  b.add_tilted(
      0, 18,
      {252.0 * mm, 265.0 * mm, 47 * degree, 53 * degree, 2.6 * mm, millimetres({172.095, 217.118, 267.987})});
  b.add_tilted(0, 18,
               {249.0 * mm, 259.0 * mm, 60 * degree, 40 * degree, 4.0 * mm,
                millimetres({315.184, 374.203, 443.696, 526.772})});
  b.add_tilted(0, 18,
               {250.5 * mm, 256.5 * mm, 72 * degree, 28 * degree, 4.0 * mm,
                millimetres({611.087, 720.246, 850.617, 1004.205, 1182.332})});
  b.add_flat_mirrored(1, {361.7 * mm, big, 3.0475 * mm, 26, 1.6 * mm, ps,
                          millimetres({0, 44.910, 91.818, 134.730, 182.742, 223.676})});
  b.add_tilted(
      1, 26,
      {374.0 * mm, 387.0 * mm, 40 * degree, 60 * degree, 2.6 * mm, millimetres({269.888, 321.982, 378.406})});
  b.add_tilted(1, 26,
               {372.0 * mm, 381.0 * mm, 55 * degree, 45 * degree, 2.6 * mm,
                millimetres({431.314, 495.745, 567.262, 646.108})});
  b.add_tilted(1, 26,
               {371.0 * mm, 378.0 * mm, 68 * degree, 32 * degree, 4.0 * mm,
                millimetres({725.236, 820.642, 927.596, 1048.134, 1181.542})});
  b.add_flat_mirrored(2, {514 * mm, big, 3.5844 * mm, 36, 1.6 * mm, ps,
                          millimetres({0, 45.326, 92.249, 135.977, 183.873, 226.016, 274.870, 315.437})});
  b.add_tilted(2, 36,
               {524.5 * mm, 536.5 * mm, 44 * degree, 56 * degree, 2.6 * mm,
                millimetres({363.047, 416.152, 472.684, 533.009, 597.236, 665.109})});
  b.add_tilted(2, 36,
               {522.5 * mm, 530.5 * mm, 60 * degree, 40 * degree, 2.6 * mm,
                millimetres({727.825, 804.833, 888.179, 978.285, 1075.169, 1179.356})});
  const double strip_radii[] = {687, 860, 1083};
  const int strip_rods[] = {48, 60, 76};
  for (int i = 0; i < 3; ++i)
    b.add_flat(3 + i, {strip_radii[i] * mm, 15.8 * mm, 2.25 * mm, strip_rods[i], 1.8 * mm, two_strips,
                       // from the far end to the other: further out and further in by turns
                       millimetres({-1126.513, -1023.543, -932.882, -830.388, -739.388, -637.368,
                                    -544.368,  -442.827,  -346.690, -245.634, -147.637, -47.070,
                                    52.800,    151.684,   252.508,  349.526,  450.837,  546.002,
                                    647.797,   740.797,   843.071,  934.071,  1036.820, 1126.510})});
  const std::vector<double> first = millimetres({283.252, 331, 364.307, 414, 443.645, 494.2, 522.225, 573.7,
                                                 600.141, 655.1, 739.641, 838, 904.8, 1013.4, 1073.41});
  const std::vector<double> second = millimetres(
      {378.252, 412.101, 460.726, 494.631, 543.593, 575.153, 625.9, 715.153, 818, 894.812, 1000.17, 1073.41});
  b.add_disc(6, {1311.80 * mm, 0, first, 9});
  b.add_disc(7, {1550.00 * mm, 0, first, 9});
  b.add_disc(8, {1853.40 * mm, 3, second, 10});
  b.add_disc(9, {2216.19 * mm, 3, second, 10});
  b.add_disc(10, {2650.00 * mm, 3, second, 11});
  return b;
}

const Builder& built() {
  static const Builder all = build();
  return all;
}

// Matter of a mixture of silicon, carbon and cables: 25 g/cm^2 a radiation length.
Matter of_mixture(double radiation_lengths) {
  return {radiation_lengths, 25.0 * radiation_lengths};
}

}  // namespace

const std::vector<Module>& modules() {
  return built().modules;
}
const std::vector<Ring>& rings_of(int layer) {
  return built().rings[static_cast<std::size_t>(layer)];
}

// The inner tracker's layers and discs are near those of CERN-LHCC-2017-009. Radiation lengths are ours,
// of the size that its material budget has (0.28 in sum at eta = 0).
static const std::vector<Surface>& cylinders() {
  static const std::vector<Surface> all = {
      {2.30, 0.0, 120.0, {0.0023, 0.148}, -1},  // beam pipe
      {3.00, 0.0, 20.0, of_mixture(0.015), -1},  {7.00, 0.0, 20.0, of_mixture(0.015), -1},
      {11.80, 0.0, 20.0, of_mixture(0.015), -1}, {15.70, 0.0, 20.0, of_mixture(0.015), -1},
      {20.00, 0.0, 140.0, of_mixture(0.02), -1},  // services of the inner tracker
      {24.90, 0.0, 121.5, of_mixture(0.035), 0}, {37.20, 0.0, 121.5, of_mixture(0.035), 1},
      {52.20, 0.0, 120.5, of_mixture(0.035), 2}, {68.70, 0.0, 117.8, of_mixture(0.03), 3},
      {86.00, 0.0, 117.8, of_mixture(0.03), 4},  {108.30, 0.0, 117.8, of_mixture(0.03), 5},
  };
  return all;
}

static const std::vector<Surface>& planes() {
  static const std::vector<Surface> all = [] {
    std::vector<Surface> positive;
    for (const double z : {25.0, 32.0, 41.0, 52.0, 67.0, 86.0, 109.0, 127.0})
      positive.push_back({z, 3.0, 16.0, of_mixture(0.015), -1});
    positive.push_back({131.18, 23.0, 108.0, of_mixture(0.04), 6});
    positive.push_back({155.00, 23.0, 108.0, of_mixture(0.04), 7});
    for (const double z : {175.0, 199.0}) positive.push_back({z, 6.0, 25.0, of_mixture(0.02), -1});
    positive.insert(positive.end() - 1, {185.34, 32.0, 108.0, of_mixture(0.04), 8});
    positive.push_back({221.62, 32.0, 108.0, of_mixture(0.04), 9});
    positive.push_back({265.00, 32.0, 108.0, of_mixture(0.04), 10});
    std::vector<Surface> both;
    for (auto plane = positive.rbegin(); plane != positive.rend(); ++plane) {
      both.push_back(*plane);
      both.back().at_cm = -plane->at_cm;
    }
    both.insert(both.end(), positive.begin(), positive.end());
    return both;
  }();
  return all;
}

const Surfaces& surfaces() {
  static const Surfaces all{cylinders(), planes()};
  return all;
}

}  // namespace sitecap::simulation::outertracker
