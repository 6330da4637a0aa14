#include "simulation/tracker/geometry.h"

namespace sitecap::simulation::tracker {

namespace {

constexpr double um = 1e-4;
constexpr double stereo_angle = 0.1;  // rad, all CMS stereo modules

// Ends of the rings of TID and TEC; a strip runs along the whole of its ring.
const double ring_ends_cm[] = {22.9, 32.0, 41.0, 50.0, 61.0, 75.0, 91.0, 110.9};

Layer barrel_pixel(double radius_cm, int ladders) {
  return {false, true, radius_cm, -27.0, 27.0, 0, 0, 0.25, ladders, 0.06, 0.0, 11 * um, 24 * um, {}, 0.017};
}

Layer barrel_strip(double radius_cm, double half_length_cm, int strips, int ladders, double stagger_cm,
                   double sigma_cm, double stereo, double radiation_lengths) {
  Layer layer{
      false,    false, radius_cm, -half_length_cm,  half_length_cm, 0, 0, stagger_cm, ladders, 0.05, stereo,
      sigma_cm, 0.0,   {},        radiation_lengths};
  const double length = 2.0 * half_length_cm / strips;
  for (int i = 0; i <= strips; ++i) layer.strips_cm.push_back(-half_length_cm + length * i);
  layer.sigma_along_cm = length / precise::square_root(12.0);
  return layer;
}

Layer disc_pixel(double z_cm) {
  return {true, true, z_cm, 4.5, 16.1, 0, 0, 0.4, 56, 0.08, 0.0, 13 * um, 24 * um, {}, 0.02};
}

// Rings [first, last] of a wheel; `second_only` leaves rings 1 and 2 out of a hole's far side (stereo: 1, 2
// and 5).
Layer disc_strip(double z_cm, int first, int last, bool stereo, double sigma_cm, double radiation_lengths) {
  Layer layer{true,     false, z_cm, ring_ends_cm[first - 1], ring_ends_cm[last], 0, 0, 0.9, 40, 0.05, 0.0,
              sigma_cm, 0.0,   {},   radiation_lengths};
  if (stereo) {
    layer.stereo_rad = stereo_angle;
    if (last == 5 && first <= 2) {
      layer.hole_low_cm = ring_ends_cm[2];
      layer.hole_high_cm = ring_ends_cm[4];
    } else if (last == 5) {
      layer.low_cm = ring_ends_cm[4];
    }
  }
  double longest = 0.0;
  for (int ring = first; ring <= last + 1; ++ring) {
    layer.strips_cm.push_back(ring_ends_cm[ring - 1]);
    if (ring <= last) longest = max_of(longest, ring_ends_cm[ring] - ring_ends_cm[ring - 1]);
  }
  layer.sigma_along_cm = longest / precise::square_root(12.0);
  return layer;
}

std::vector<Layer> build() {
  std::vector<Layer> all;
  const double bpix_cm[] = {2.9, 6.8, 10.9, 16.0};
  const int bpix_ladders[] = {12, 28, 44, 64};
  for (int i = 0; i < 4; ++i) all.push_back(barrel_pixel(bpix_cm[i], bpix_ladders[i]));
  const double tib_cm[] = {25.5, 33.9, 41.85, 49.8};
  const int tib_ladders[] = {28, 36, 44, 52};
  for (int i = 0; i < 4; ++i) {
    const double sigma = i < 2 ? 23 * um : 35 * um;  // pitch 80 and 120 um
    all.push_back(barrel_strip(tib_cm[i], 70.0, 12, tib_ladders[i], 0.8, sigma, 0.0, 0.025));
    if (i < 2)
      all.push_back(barrel_strip(tib_cm[i] + 0.3, 70.0, 12, tib_ladders[i], 0.8, sigma, stereo_angle, 0.02));
  }
  const double tob_cm[] = {60.8, 69.2, 78.0, 86.8, 96.5, 108.0};
  const int tob_ladders[] = {42, 48, 54, 60, 66, 74};
  for (int i = 0; i < 6; ++i) {
    const double sigma = i < 4 ? 53 * um : 35 * um;  // pitch 183 and 122 um
    all.push_back(barrel_strip(tob_cm[i], 109.0, 12, tob_ladders[i], 1.4, sigma, 0.0, 0.025));
    if (i < 2)
      all.push_back(barrel_strip(tob_cm[i] + 0.3, 109.0, 12, tob_ladders[i], 1.4, sigma, stereo_angle, 0.02));
  }
  std::vector<Layer> discs;
  for (const double z : {32.0, 39.5, 49.5}) discs.push_back(disc_pixel(z));
  for (const double z : {78.0, 90.5, 103.5}) {
    discs.push_back(disc_strip(z, 1, 3, false, 30 * um, 0.025));
    Layer stereo = disc_strip(z + 0.4, 1, 2, true, 30 * um, 0.02);
    discs.push_back(stereo);
  }
  const double tec_cm[] = {131.0, 145.0, 159.0, 173.0, 187.0, 204.5, 224.0, 245.5, 267.5};
  for (int wheel = 0; wheel < 9; ++wheel) {
    const int first = wheel < 3 ? 1 : (wheel < 6 ? 2 : (wheel < 8 ? 3 : 4));
    discs.push_back(disc_strip(tec_cm[wheel], first, 7, false, 38 * um, 0.03));
    discs.push_back(disc_strip(tec_cm[wheel] + 0.4, first, 5, true, 33 * um, 0.02));
  }
  for (const Layer& disc : discs) all.push_back(disc);
  for (Layer disc : discs) {
    disc.position_cm = -disc.position_cm;
    all.push_back(disc);
  }
  return all;
}

std::vector<int> order_of(bool positive) {
  const int discs = barrel_count + (positive ? 0 : disc_count);
  std::vector<int> order;
  const auto append = [&order](int first, int count) {
    for (int i = 0; i < count; ++i) order.push_back(first + i);
  };
  append(0, 4);           // BPIX
  append(discs, 3);       // FPIX
  append(4, 6);           // TIB
  append(discs + 3, 6);   // TID
  append(10, 8);          // TOB
  append(discs + 9, 18);  // TEC
  return order;
}

}  // namespace

const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = build();
  return all;
}

const std::vector<int>& crossing_order(bool positive_side) {
  static const std::vector<int> positive = order_of(true), negative = order_of(false);
  return positive_side ? positive : negative;
}

}  // namespace sitecap::simulation::tracker
