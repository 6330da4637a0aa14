// What the electronics make of the energy in the crystals: noise, threshold, and the columns of an event set.
#pragma once
#include "simulation/ecal/shower.h"
#include "simulation/section.h"
#include "simulation/streams.h"

namespace sitecap::simulation::ecal {

// Noise a crystal: 42 MeV in the barrel, some 150 MeV in the endcaps (JINST 3 S08004, 4.7); crystals are read
// out above three standard deviations.
inline constexpr double noise_barrel_gev = 0.042, noise_endcap_gev = 0.150, threshold_sigmas = 3.0;
inline constexpr double share_above_threshold = 1.349898e-3;  // of a Gaussian above three deviations

// The group `ecal` of an event set.
struct Crystals {
  std::vector<i32> offset{0}, index, particle;
  std::vector<u8> region;
  std::vector<i16> first, second;  // ieta and iphi, or ix and iy
  std::vector<float> energy, eta, phi;

  void add(int crystal, double energy_gev, i32 particle_of) {
    const Vector p = centre_of(crystal);
    index.push_back(crystal);
    region.push_back(region_of(crystal));
    if (region_of(crystal) == barrel) {
      const int ring = crystal / sectors - rings / 2;  // no ring 0: -85 .. -1, 1 .. 85
      first.push_back(static_cast<i16>(ring < 0 ? ring : ring + 1));
      second.push_back(static_cast<i16>(crystal % sectors + 1));
    } else {
      const int cell = (crystal - barrel_crystals) % (side_cells * side_cells);
      first.push_back(static_cast<i16>(cell % side_cells + 1));
      second.push_back(static_cast<i16>(cell / side_cells + 1));
    }
    energy.push_back(static_cast<float>(energy_gev));
    eta.push_back(static_cast<float>(eta_of(p)));
    phi.push_back(static_cast<float>(precise::arc_tangent(p.y, p.x)));
    particle.push_back(particle_of);
  }

  void put(Columns& columns) {
    columns.put("ecal_offset", std::move(offset));
    columns.put("ecal_index", std::move(index));
    columns.put("ecal_region", std::move(region));
    columns.put("ecal_ieta", std::move(first));
    columns.put("ecal_iphi", std::move(second));
    columns.put("ecal_energy", std::move(energy));
    columns.put("ecal_eta", std::move(eta));
    columns.put("ecal_phi", std::move(phi));
    columns.put("ecal_particle", std::move(particle));
  }
};

// A Gaussian's tail above three standard deviations, by rejection (G. Marsaglia, Technometrics 6 (1964) 101).
inline double noise_above_threshold(Random& random) {
  for (;;) {
    const double x = precise::square_root(threshold_sigmas * threshold_sigmas + 2.0 * random.exponential());
    if (random.uniform() * x < threshold_sigmas) return x;
  }
}

// Crystals in the order of their number: those that were hit, with noise, and those that noise alone lifts.
inline void read_out(Crystals& table, const Deposits& deposits, const Run& run, u32 event) {
  Random random(run.seed, stream::ecal_noise, event, 0);
  int next_noise = -1;
  const auto draw_noise = [&] {
    next_noise += 1 + static_cast<int>(random.exponential() / share_above_threshold);
  };
  draw_noise();
  for (int crystal = 0; crystal < crystals; ++crystal) {
    const double sigma = region_of(crystal) == barrel ? noise_barrel_gev : noise_endcap_gev;
    const double hit = deposits.energy_gev(crystal);
    if (hit > 0.0) {
      const double energy = hit + sigma * random.normal();
      if (energy > threshold_sigmas * sigma) table.add(crystal, energy, deposits.particle(crystal));
    } else if (crystal == next_noise) {
      const double eta = precise::absolute(eta_of(centre_of(crystal)));
      const bool real = region_of(crystal) == barrel || (eta > barrel_eta && eta < endcap_eta);
      if (real) table.add(crystal, sigma * noise_above_threshold(random), -1);
    }
    if (crystal >= next_noise) draw_noise();
  }
  table.offset.push_back(static_cast<i32>(table.index.size()));
}

}  // namespace sitecap::simulation::ecal
