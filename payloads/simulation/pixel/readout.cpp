#include "simulation/pixel/readout.h"

#include <algorithm>

#include "simulation/streams.h"
#include "sitecap/order.h"

namespace sitecap::simulation::pixel {

namespace {

// Thresholds and their spread between pixels, noise of the amplifier, in electrons (CMSSW, SiPixelDigitizer
// and phase-1 modifications: layer 1 has another chip).
constexpr double threshold_first_layer = 2000.0, threshold_others = 1600.0, threshold_spread = 245.0;
constexpr double noise_electrons = 175.0;
// Smearing of the calibrated signal, of its value and absolute.
constexpr double gain_spread = 0.05;
// The amplifier saturates.
constexpr int largest_adc = 1000;
// Hits without a particle: below one in a million per pixel and bunch crossing (J. Instrum. 16 (2021)
// P02027).
constexpr double noise_per_pixel = 2e-7;

constexpr int pixels_of_module = rows * columns;

// Where a pixel comes in the readout: chip, double column, and then row by row with both columns.
i32 readout_order(int pixel) {
  const int row = pixel / columns, column = pixel % columns;
  const int chip = (row / 80) * 8 + column / chip_columns;
  const int in_chip = column % chip_columns;
  return ((chip * (chip_columns / 2) + in_chip / 2) * 80 + row % 80) * 2 + in_chip % 2;
}

// One pixel with charge.
struct Lit {
  i32 order;  // of readout
  i32 pixel;
  i32 particle;
  float electrons;  // of all
  float most;       // of that particle
};

}  // namespace

Calibration calibration_of(int layer) {
  return layer == 0 ? Calibration{50.0, -670.0} : Calibration{47.0, -60.0};
}

void read_out(const Run& run, u32 event, const std::vector<Deposit>& deposits, Digis& digis) {
  const auto& all = modules();
  const i32 bins = static_cast<i32>(all.size());
  const i32 count = static_cast<i32>(deposits.size());
  const std::size_t size = deposits.size();
  std::vector<i32> bin(size), offset(static_cast<std::size_t>(bins) + 1), cursor(all.size()), order(size);
  for (std::size_t i = 0; i < deposits.size(); ++i) bin[i] = deposits[i].module;
  counting_sort(bin.data(), count, bins, offset.data(), cursor.data(), order.data());
  static thread_local std::vector<i32> place;  // of a pixel in `lit`, -1: dark
  place.assign(pixels_of_module, -1);
  std::vector<Lit> lit;
  for (i32 m = 0; m < bins; ++m) {
    const std::size_t module = static_cast<std::size_t>(m);
    const int layer = all[module].layer;
    Random random(run.seed, stream::pixel_noise, event, static_cast<u32>(m));
    lit.clear();
    const auto light = [&](i32 pixel, i32 particle, float electrons) {
      i32& at = place[static_cast<std::size_t>(pixel)];
      if (at < 0) {
        at = static_cast<i32>(lit.size());
        lit.push_back({readout_order(pixel), pixel, particle, electrons, electrons});
        return;
      }
      Lit& one = lit[static_cast<std::size_t>(at)];
      one.electrons += electrons;
      if (electrons > one.most) {
        one.most = electrons;
        one.particle = particle;
      }
    };
    for (i32 k = offset[module]; k < offset[module + 1]; ++k) {
      const Deposit& deposit = deposits[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
      light(deposit.pixel, deposit.particle, deposit.electrons);
    }
    const double threshold = layer == 0 ? threshold_first_layer : threshold_others;
    for (i32 n = random.poisson(noise_per_pixel * pixels_of_module); n > 0; --n) {
      const i32 pixel = static_cast<i32>(random.uniform() * pixels_of_module);
      light(pixel, -1, static_cast<float>(threshold * (1.2 + 0.5 * random.exponential())));
    }
    // no two pixels are alike in readout order
    std::sort(lit.begin(), lit.end(), [](const Lit& a, const Lit& b) { return a.order < b.order; });
    const Calibration calibration = calibration_of(layer);
    for (const Lit& one : lit) {
      place[static_cast<std::size_t>(one.pixel)] = -1;
      const double signal = one.electrons + noise_electrons * nearly_normal(random);
      if (signal < threshold + threshold_spread * nearly_normal(random)) continue;
      const double measured = signal * (1.0 + gain_spread * nearly_normal(random));
      const int adc = static_cast<int>((measured - calibration.offset) / calibration.gain + 0.5);
      digis.module.push_back(static_cast<u16>(m));
      digis.row.push_back(static_cast<u16>(one.pixel / columns));
      digis.column.push_back(static_cast<u16>(one.pixel % columns));
      digis.adc.push_back(static_cast<u16>(clamp(adc, 1, largest_adc)));
      digis.particle.push_back(one.particle);
    }
  }
}

}  // namespace sitecap::simulation::pixel
