// What the readout chips make of the charge: noise, thresholds, counts.
#pragma once
#include "simulation/pixel/charge.h"
#include "simulation/section.h"

namespace sitecap::simulation::pixel {

struct Digis {
  std::vector<u16> module, row, column, adc;
  std::vector<i32> particle;  // who left most of the charge; -1: noise
};

// Electrons that a count stands for: gain * adc + offset (CMS, phase-1: layer 1 apart).
struct Calibration {
  double gain, offset;
};
Calibration calibration_of(int layer);

// Adds the digis of event `event`, by module and then in the order of readout: double columns, chip by chip.
void read_out(const Run& run, u32 event, const std::vector<Deposit>& deposits, Digis& digis);

}  // namespace sitecap::simulation::pixel
