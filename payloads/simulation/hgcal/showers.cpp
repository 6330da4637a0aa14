#include "simulation/hgcal/showers.h"

namespace sitecap::simulation::hgcal {

namespace {

constexpr double critical_mev = 9.0;    // of the mixture of tungsten, lead and copper
constexpr double atomic_number = 74.0;  // effective, of the same
constexpr double moliere_cm = 2.8;      // with the gaps of sensors and electronics
constexpr double mips_a_spot = 1.0;     // exponential spread
constexpr double layer_variance =
    2.4;                              // of what a layer sees, in mips for each mip, beside that of the spots
constexpr double most_spots = 400.0;  // a layer; beyond, spots carry more energy each
constexpr double barrel_radius_cm = 129.0;  // what comes there before the front face is lost in the barrel
constexpr double pion_mass_gev = 0.1396;

// Where one particle's spots go.
class Painter {
 public:
  Painter(const Line& line, int index, Random& random, std::vector<Deposit>& deposits)
      : line_(line),
        index_(index),
        random_(random),
        deposits_(deposits),
        obliquity_(precise::square_root(1.0 + line.slope_x * line.slope_x + line.slope_y * line.slope_y)) {}

  // Path through a layer over its thickness.
  double obliquity() const { return obliquity_; }
  Random& random() { return random_; }

  void spot(int layer, double mips, double radius_cm) {
    const double dz = z_cm(layer) - front_cm;
    double x = line_.x_cm + line_.slope_x * dz, y = line_.y_cm + line_.slope_y * dz;
    if (radius_cm > 0) {
      double sine, cosine;
      precise::sine_cosine(2.0 * precise::pi * random_.uniform(), sine, cosine);
      x += radius_cm * cosine;
      y += radius_cm * sine;
    }
    const Cell cell = cell_at(line_.side * layers + layer, x, y);
    if (cell != no_cell) deposits_.push_back({cell, index_, static_cast<float>(mips)});
  }

  // Shares the energy of one layer among spots; radius() draws the distance of one from the axis.
  template <class Radius>
  void paint(int layer, double energy_gev, Radius&& radius) {
    const double expected = energy_gev * 1000.0 / mev_per_mip(layer);
    const double mips = layer_variance * random_.gamma(expected / layer_variance);
    const double mean = mips / mips_a_spot;
    if (mean > most_spots) {
      const double each = mips / most_spots;
      for (int i = 0; i < static_cast<int>(most_spots); ++i) spot(layer, each, radius());
      return;
    }
    const int spots = random_.poisson(mean);
    for (int i = 0; i < spots; ++i) {
      const double each = mips_a_spot * random_.exponential();
      spot(layer, each, radius());
    }
  }

  // One minimum-ionising crossing: Moyal's approximation of Landau's spectrum. Returns the mean loss in GeV.
  double cross(int layer) {
    const double z = random_.normal();
    const double moyal = -precise::logarithm(max_of(z * z, 1e-12));
    spot(layer, min_of(0.9 + 0.08 * moyal, 4.0) * obliquity_, 0.0);
    return mev_per_mip(layer) * 1e-3 * obliquity_;
  }

 private:
  const Line& line_;
  i32 index_;
  Random& random_;
  std::vector<Deposit>& deposits_;
  double obliquity_;
};

// r of the profile 2 r R^2 / (r^2 + R^2)^2, cut at `longest`.
double radius_of(Random& random, double scale, double longest) {
  const double u = random.uniform();
  return min_of(scale * precise::square_root(u / (1.0 - u)), longest);
}

// Radial profile of an electromagnetic shower at depth tau (in units of the maximum's), radii in Moliere
// radii.
struct Radial {
  double core, tail, core_share;
  Radial(double tau, double log_energy) {
    const double e = clamp(log_energy, -3.0, 8.0);
    const double z = atomic_number;
    core = max_of(0.0251 + 0.00319 * e + (0.1162 - 0.000381 * z) * tau, 0.01);
    tail = (0.659 - 0.00309 * z) * (precise::exponential(-2.59 * (tau - 0.645)) +
                                    precise::exponential((0.3585 + 0.0421 * e) * (tau - 0.645)));
    const double arrow = (0.401 + 0.00187 * z - tau) / max_of(1.313 - 0.0686 * e, 0.3);
    core_share =
        clamp((2.632 - 0.00094 * z) * precise::exponential(arrow - precise::exponential(arrow)), 0.0, 1.0);
  }
};

// An electromagnetic shower of this energy that starts `start` radiation lengths behind the front face.
void electromagnetic(Painter& painter, double energy_gev, double start) {
  Random& random = painter.random();
  const double log_y = max_of(precise::logarithm(energy_gev * 1000.0 / critical_mev), 2.0);
  const double log_energy = precise::logarithm(energy_gev);
  // maximum and shape fluctuate together (Grindhammer and Peters, eq. 14 to 19)
  const double sigma_maximum = min_of(1.0 / (-1.4 + 1.26 * log_y), 0.45);
  const double sigma_shape = min_of(1.0 / (-0.58 + 0.86 * log_y), 0.45);
  const double correlation = 0.705 - 0.023 * log_y;
  const double g1 = random.normal(), g2 = random.normal();
  const double common = precise::square_root(0.5 * (1.0 + correlation)) * g1;
  const double apart = precise::square_root(0.5 * (1.0 - correlation)) * g2;
  const double maximum = (log_y - 0.812) * precise::exponential(sigma_maximum * (common + apart));
  const double shape = max_of(
      (0.81 + (0.458 + 2.26 / atomic_number) * log_y) * precise::exponential(sigma_shape * (common - apart)),
      1.1);
  const double rate = (shape - 1.0) / maximum;

  // energy by layer, in steps of at most one radiation length; what lies behind the last layer leaks
  double in_layer[layers];
  double sum = 0.0;
  double depth = -start;
  for (int layer = 0; layer < layers + 10; ++layer) {
    const bool inside = layer < layers;
    const double thickness = (inside ? radiation_lengths(layer) : 4.0) * painter.obliquity();
    const int steps = static_cast<int>(thickness) + 1;
    const double step = thickness / steps;
    double energy = 0.0;
    for (int i = 0; i < steps; ++i, depth += step) {
      const double t = rate * (depth + 0.5 * step);
      if (t <= 0.0 || t > 60.0) continue;
      energy += step * precise::exponential((shape - 1.0) * precise::logarithm(t) - t);
    }
    if (inside) in_layer[layer] = energy;
    sum += energy;
  }
  if (sum <= 0.0) return;
  depth = -start;
  for (int layer = 0; layer < layers; ++layer) {
    const double thickness = radiation_lengths(layer) * painter.obliquity();
    const double tau = max_of(depth + 0.5 * thickness, 0.0) / maximum;
    depth += thickness;
    const double energy = energy_gev * in_layer[layer] / sum;
    if (energy < 1e-5) continue;
    const Radial radial(min_of(tau, 6.0), log_energy);
    painter.paint(layer, energy, [&] {
      const double scale = random.uniform() < radial.core_share ? radial.core : radial.tail;
      return moliere_cm * radius_of(random, scale, 5.0);
    });
  }
}

// The nuclear part of a hadronic shower that starts within layer `first`.
void nuclear(Painter& painter, double energy_gev, int first) {
  Random& random = painter.random();
  const double log_energy = precise::logarithm(max_of(energy_gev, 0.3));
  const double shape = max_of(0.6165 + 0.3193 * log_energy, 0.35);
  const double rate = 0.9099 - 0.0237 * log_energy;
  double in_layer[layers];
  double sum = 0.0, depth = 0.0;
  for (int layer = first; layer < layers + 12; ++layer) {
    const bool inside = layer < layers;
    const double thickness = (inside ? interaction_lengths(layer) : 0.5) * painter.obliquity();
    const double t = rate * (depth + 0.5 * thickness);
    const double energy = thickness * precise::exponential((shape - 1.0) * precise::logarithm(t) - t);
    if (inside) in_layer[layer] = energy;
    sum += energy;
    depth += thickness;
  }
  depth = 0.0;
  for (int layer = first; layer < layers; ++layer) {
    const double core = 1.5 + 1.2 * depth;  // cm, spreads with depth
    painter.paint(layer, energy_gev * in_layer[layer] / sum, [&] {
      const bool halo = random.uniform() < 0.25;
      return radius_of(random, halo ? 8.0 : core, 40.0);
    });
    depth += interaction_lengths(layer) * painter.obliquity();
  }
}

void hadronic(Painter& painter, double kinetic_gev, double mass_gev, bool charged) {
  Random& random = painter.random();
  const bool meson = mass_gev < 0.6;
  double left = random.exponential() * (meson ? 1.15 : 1.0);  // interaction lengths to the first interaction
  double energy = kinetic_gev;
  double radiation = 0.0;
  for (int layer = 0; layer < layers; ++layer) {
    left -= interaction_lengths(layer) * painter.obliquity();
    if (left < 0.0) {
      energy += meson ? pion_mass_gev : 0.0;  // a meson's mass joins the shower, a nucleon's does not
      const double mean_em = energy > 1.0 ? 1.0 - precise::power(energy, -0.18) : 0.0;
      const double em_share = clamp(mean_em + 0.2 * random.normal(), 0.0, 0.95);
      const double em_energy = energy * em_share;
      const double nuclear_energy = energy - em_energy;
      // binding energy and neutrons are not seen
      const double seen =
          clamp(0.72 + 0.22 * random.normal() / precise::square_root(max_of(nuclear_energy, 0.25)), 0.1, 1.2);
      if (em_energy > 0.05) electromagnetic(painter, em_energy, radiation);
      nuclear(painter, nuclear_energy * seen, layer);
      return;
    }
    radiation += radiation_lengths(layer) * painter.obliquity();
    if (!charged) continue;
    energy -= painter.cross(layer);
    if (energy <= 0.0) return;  // ranged out
  }
}

}  // namespace

Line at_front(const Particle& p) {
  Line line{};
  const double away = precise::absolute(p.pz_gev);
  const double pt = precise::square_root(p.px_gev * p.px_gev + p.py_gev * p.py_gev);
  line.side = p.pz_gev > 0 ? 1 : 0;
  const double dz = front_cm - (line.side ? p.z_cm : -p.z_cm);
  if (away < 1e-6 || dz <= 0.0) return line;
  line.x_cm = p.x_cm + dz * p.px_gev / away;
  line.y_cm = p.y_cm + dz * p.py_gev / away;
  line.slope_x = p.px_gev / away;
  line.slope_y = p.py_gev / away;
  if (p.charge != 0 && pt > 1e-6) {
    const double radius = pt / (0.0029979 * 3.8);  // cm
    const double turned = dz * pt / away / radius;
    const double sign = p.charge > 0 ? -1.0 : 1.0;  // a positive one turns clockwise in a field along +z
    double sine, cosine;
    precise::sine_cosine(min_of(turned, 1e6), sine, cosine);
    const double ux = p.px_gev / pt, uy = p.py_gev / pt;
    const double along = radius * sine, across = sign * radius * (1.0 - cosine);
    line.x_cm = p.x_cm + along * ux - across * uy;
    line.y_cm = p.y_cm + along * uy + across * ux;
    line.slope_x = pt / away * (ux * cosine - sign * uy * sine);
    line.slope_y = pt / away * (uy * cosine + sign * ux * sine);
    // the distance from the beam line grows until half a turn, where it is the circle's diameter
    if (turned > precise::pi && 2.0 * radius > barrel_radius_cm) return line;
  }
  const double r = precise::square_root(line.x_cm * line.x_cm + line.y_cm * line.y_cm);
  line.reaches = r > front_cm / cot_inner - 4.0 && r < front_cm / cot_outer + 8.0;
  return line;
}

void shower(const Particle& particle, int index, Random& random, std::vector<Deposit>& deposits) {
  const Line line = at_front(particle);
  if (!line.reaches) return;
  Painter painter(line, index, random, deposits);
  const double p2 = particle.px_gev * particle.px_gev + particle.py_gev * particle.py_gev +
                    particle.pz_gev * particle.pz_gev;
  const double energy = precise::square_root(p2 + particle.mass_gev * particle.mass_gev);
  const int kind = particle.pdg_id < 0 ? -particle.pdg_id : particle.pdg_id;
  if (kind == 22) {
    if (energy > 0.02) electromagnetic(painter, energy, random.exponential() * 9.0 / 7.0);
  } else if (kind == 11) {
    if (energy > 0.02) electromagnetic(painter, energy, 0.0);
  } else if (kind == 13) {
    double left = energy - particle.mass_gev;
    for (int layer = 0; layer < layers && left > 0.0; ++layer) left -= painter.cross(layer);
  } else {
    hadronic(painter, energy - particle.mass_gev, particle.mass_gev, particle.charge != 0);
  }
}

}  // namespace sitecap::simulation::hgcal
