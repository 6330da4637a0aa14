// Section `hgcal`: calibrated cells of both endcaps, as a readout gives them: by plane, sensor region, row,
// column.
//
// Columns: rechit_x, rechit_y, rechit_z in cm (centre of the cell); rechit_eta, rechit_phi; rechit_energy and
// rechit_sigma_noise in GeV; rechit_layer u8, 0 .. 46 at z < 0 and 47 .. 93 at z > 0; rechit_is_silicon u8;
// rechit_particle i32, index of the particle that left most in it, -1 for noise alone; rechit_fraction, that
// particle's share of what particles left. And the truth.
#include <algorithm>

#include "simulation/hgcal/showers.h"
#include "simulation/streams.h"

namespace sitecap::simulation::hgcal {

namespace {

constexpr double threshold_sigma = 3.0;
constexpr double beyond_threshold = 1.349898e-3;  // share of a Gaussian above three standard deviations

// Stable sort by cell, two passes of 14 bits; deposits of one cell stay ordered by particle.
void sort_by_cell(std::vector<Deposit>& deposits, std::vector<Deposit>& scratch) {
  scratch.resize(deposits.size());
  for (const int shift : {0, 14}) {
    std::vector<u32> start((1u << 14) + 1, 0);
    for (const Deposit& d : deposits) ++start[((d.cell >> shift) & 16383u) + 1];
    for (std::size_t i = 1; i < start.size(); ++i) start[i] += start[i - 1];
    for (const Deposit& d : deposits) scratch[start[(d.cell >> shift) & 16383u]++] = d;
    deposits.swap(scratch);
  }
}

struct Hits {
  std::vector<i32> offset{0};
  std::vector<float> x, y, z, eta, phi, energy, sigma, fraction;
  std::vector<u8> layer, is_silicon;
  std::vector<i32> particle;

  void add(Cell cell, double mips, i32 main, double share) {
    const Centre centre = centre_of(cell);
    const int plane = plane_of(cell), region = region_of(cell);
    const double gev_per_mip = mev_per_mip(layer_of_plane(plane)) * 1e-3;
    x.push_back(static_cast<float>(centre.x_cm));
    y.push_back(static_cast<float>(centre.y_cm));
    z.push_back(static_cast<float>(centre.z_cm));
    eta.push_back(static_cast<float>(centre.eta));
    phi.push_back(static_cast<float>(centre.phi));
    energy.push_back(static_cast<float>(mips * gev_per_mip));
    sigma.push_back(static_cast<float>(noise_mip[region] * gev_per_mip));
    layer.push_back(static_cast<u8>(plane));
    is_silicon.push_back(region == tile ? 0 : 1);
    particle.push_back(main);
    fraction.push_back(static_cast<float>(share));
  }
};

// Adds the cells of a plane that noise alone carries over the threshold; their energies are negative in
// `deposits`, so that a cell with both keeps its particles only.
void add_noise(int plane, Random& random, std::vector<Deposit>& deposits) {
  const int layer = layer_of_plane(plane);
  for (int region = 0; region < regions; ++region) {
    const double area = area_cm2(layer, region);
    if (area <= 0.0) continue;
    const double z = z_cm(layer);
    const double low = region == um120   ? z / cot_inner
                       : region == um200 ? thin_to_cm
                       : region == um300 ? middle_to_cm
                                         : tiles_from_cm(layer);
    const double high2 = low * low + area / precise::pi;
    const double middle = precise::square_root(0.5 * (low * low + high2));
    const double cell_area = region == tile ? middle * middle * tile_pitch * tile_pitch
                                            : 0.86602540378443865 * pitch_cm[region] * pitch_cm[region];
    const int noisy = random.poisson(beyond_threshold * area / cell_area);
    for (int i = 0; i < noisy; ++i) {
      // tail of a Gaussian (Marsaglia 1964)
      double sigmas;
      do {
        sigmas = precise::square_root(threshold_sigma * threshold_sigma -
                                      2.0 * precise::logarithm(random.uniform()));
      } while (random.uniform() * sigmas > threshold_sigma);
      const double r = precise::square_root(random.uniform(low * low, high2));
      double sine, cosine;
      precise::sine_cosine(2.0 * precise::pi * random.uniform(), sine, cosine);
      const Cell cell = cell_at(plane, r * cosine, r * sine);
      if (cell != no_cell)
        deposits.push_back({cell, -1, static_cast<float>(-sigmas * noise_mip[region_of(cell)])});
    }
  }
}

// All deposits of an event to cells above threshold.
void digitise(const std::vector<Deposit>& deposits, std::vector<Random>& noise, Hits& hits) {
  const std::size_t n = deposits.size();
  for (std::size_t first = 0, last = 0; first < n; first = last) {
    const Cell cell = deposits[first].cell;
    double sum = 0.0, best = 0.0, noise_mips = 0.0;
    i32 main = -1;
    for (last = first; last < n && deposits[last].cell == cell;) {
      const i32 particle = deposits[last].particle;
      double of_particle = 0.0;
      for (; last < n && deposits[last].cell == cell && deposits[last].particle == particle; ++last)
        of_particle += static_cast<double>(deposits[last].mips);
      if (particle < 0) {
        noise_mips = -of_particle;
        continue;
      }
      sum += of_particle;
      if (of_particle > best) {
        best = of_particle;
        main = particle;
      }
    }
    if (main < 0) {
      hits.add(cell, noise_mips, -1, 0.0);
      continue;
    }
    const double sigma = noise_mip[region_of(cell)];
    const double seen = sum + sigma * noise[static_cast<std::size_t>(plane_of(cell))].normal();
    if (seen > threshold_sigma * sigma) hits.add(cell, seen, main, best / sum);
  }
  hits.offset.push_back(static_cast<i32>(hits.x.size()));
}

}  // namespace

Columns simulate(const Run& run) {
  Hits hits;
  std::vector<Truth> truths;
  std::vector<Deposit> deposits, scratch;
  for (int event = run.first_event; event < run.first_event + run.events; ++event) {
    truths.push_back(generate(run, event));
    const Truth& truth = truths.back();
    const u32 number = static_cast<u32>(event);
    deposits.clear();
    for (std::size_t i = 0; i < truth.particles.size(); ++i) {
      Random random(run.seed, stream::shower, number, static_cast<u32>(i));
      shower(truth.particles[i], static_cast<int>(i), random, deposits);
    }
    std::vector<Random> noise;
    for (int plane = 0; plane < planes; ++plane) {
      noise.emplace_back(run.seed, stream::hgcal_noise, number, static_cast<u32>(plane));
      add_noise(plane, noise.back(), deposits);
    }
    sort_by_cell(deposits, scratch);
    digitise(deposits, noise, hits);
  }
  Columns columns;
  columns.put("rechit_offset", std::move(hits.offset));
  columns.put("rechit_x", std::move(hits.x));
  columns.put("rechit_y", std::move(hits.y));
  columns.put("rechit_z", std::move(hits.z));
  columns.put("rechit_eta", std::move(hits.eta));
  columns.put("rechit_phi", std::move(hits.phi));
  columns.put("rechit_energy", std::move(hits.energy));
  columns.put("rechit_sigma_noise", std::move(hits.sigma));
  columns.put("rechit_layer", std::move(hits.layer));
  columns.put("rechit_is_silicon", std::move(hits.is_silicon));
  columns.put("rechit_particle", std::move(hits.particle));
  columns.put("rechit_fraction", std::move(hits.fraction));
  put_truth(columns, truths);
  return columns;
}

}  // namespace sitecap::simulation::hgcal
