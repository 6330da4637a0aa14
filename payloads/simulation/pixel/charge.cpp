#include "simulation/pixel/charge.h"

namespace sitecap::simulation::pixel {

namespace {

// Silicon: energy of one electron-hole pair (GeV), mean excitation energy (GeV), density (g/cm^3), Z/A.
constexpr double pair_gev = 3.62e-9, silicon_excitation_gev = 173e-9, density = 2.329, z_over_a = 0.49848;
// K/2 Z/A rho: Landau's xi of 1 cm at beta = 1, GeV.
constexpr double xi_gev_per_cm = 0.5 * 0.307075e-3 * z_over_a * density;
// Transfers above this are drawn one by one, with the spectrum 1/E^2; those below are spread along the way.
constexpr double hard_gev = 3e-6;
// The way is cut into pieces of about this length.
constexpr double piece_cm = 0.0025;
// Ways in grazed sensors are cut off: the particle leaves the plane by curling.
constexpr double longest_way_cm = 2.0;
// Spread of the charge after a drift of 300 um (CMSSW, SiPixelDigitizer: 3.7 um), grows with its root.
constexpr double diffusion_cm = 0.00037, diffusion_over_cm = 0.0300;

// Density effect in silicon (R. Sternheimer, At. Data Nucl. Data Tables 30 (1984) 261).
double density_effect(double beta_gamma) {
  const double x = 0.43429448190325183 * precise::logarithm(beta_gamma);
  if (x < 0.2014) return 0.0;
  double delta = 4.60517018598809137 * x - 4.4351;
  if (x < 2.8715) delta += 0.14921 * precise::power(2.8715 - x, 3.2546);
  return delta > 0.0 ? delta : 0.0;
}

// Mean loss in transfers below hard_gev, GeV per cm.
double soft_loss(double beta2, double beta_gamma) {
  const double logarithm = precise::logarithm(2.0 * electron_mass_gev * beta_gamma * beta_gamma * hard_gev /
                                              (silicon_excitation_gev * silicon_excitation_gev));
  const double bracket = logarithm - beta2 - density_effect(beta_gamma);
  return xi_gev_per_cm / beta2 * (bracket > 1.0 ? bracket : 1.0);
}

// Path of an electron of this energy (GeV) in silicon, cm: practical range of L. Katz and A. Penfold (Rev.
// Mod. Phys. 24 (1952) 28), 412 mg/cm^2 * E^(1.265 - 0.0954 ln E), E in MeV.
double electron_range(double energy_gev) {
  const double logarithm = precise::logarithm(1000.0 * energy_gev);
  return 0.412 / density * precise::exponential((1.265 - 0.0954 * logarithm) * logarithm);
}

// Collects charge by pixel; a crossing touches few.
class Cluster {
 public:
  void add(int pixel, double electrons) {
    for (std::size_t i = pixels_.size(); i-- > 0;)
      if (pixels_[i].pixel == pixel) {
        pixels_[i].electrons += electrons;
        return;
      }
    pixels_.push_back({pixel, electrons});
  }
  void clear() { pixels_.clear(); }
  struct Entry {
    int pixel;
    double electrons;
  };
  const std::vector<Entry>& entries() const { return pixels_; }

 private:
  std::vector<Entry> pixels_;
};

// A charge cloud has a parabolic profile, whose edge lies at this many of its standard deviations.
constexpr double cloud_edge = 2.2360679774997897;
// Part of it below a place that is t standard deviations from its centre, |t| < cloud_edge.
double below(double t) {
  const double s = t * (1.0 / cloud_edge);
  return 0.5 + s * (0.75 - 0.25 * s * s);
}

// Parts of a charge cloud, `at` units along an axis, in its pixel, in the one before and the one after.
struct Shares {
  int number[3];
  double part[3];
  int count = 1;
  Shares(const Axis& axis, double at, double per_spread) {
    const int pixel = axis.pixel(at);
    const double low = (axis.low(pixel) - at) * per_spread, high = (axis.high(pixel) - at) * per_spread;
    number[0] = pixel;
    part[0] = 1.0;
    if (low > -cloud_edge && pixel > 0) put(pixel - 1, below(low));
    if (high < cloud_edge && pixel + 1 < axis.pixels()) put(pixel + 1, 1.0 - below(high));
  }

 private:
  void put(int pixel, double share) {
    number[count] = pixel;
    part[count++] = share;
    part[0] -= share;
  }
};

// Collects the charge of one crossing on one module.
class Collector {
 public:
  Collector(const Module& module, Cluster& cluster)
      : cluster_(cluster),
        thickness_cm_(module.thickness_cm),
        drift_x_(2.0 * module.lorentz_x_cm / module.thickness_cm),
        drift_y_(2.0 * module.lorentz_y_cm / module.thickness_cm) {}

  // Brings charge made at local (x, y), `depth` from the readout plane, to the pixels.
  void collect(double x, double y, double depth, double electrons) {
    const double drift = clamp(depth, 0.0, thickness_cm_);
    const double row = rows_.units(x - drift_x_ * drift), column = columns_.units(y - drift_y_ * drift);
    if (!(row >= 0.0 && row < rows_.length() && column >= 0.0 && column < columns_.length())) return;
    const double spread = diffusion_cm * precise::square_root(drift / diffusion_over_cm) + 1e-6;
    const Shares across(rows_, row, pitch_x_cm / spread);
    const Shares along(columns_, column, pitch_y_cm / spread);
    for (int i = 0; i < across.count; ++i)
      for (int j = 0; j < along.count; ++j)
        cluster_.add(across.number[i] * columns + along.number[j],
                     electrons * across.part[i] * along.part[j]);
  }

 private:
  Cluster& cluster_;
  const Axis& rows_ = row_axis();
  const Axis& columns_ = column_axis();
  double thickness_cm_, drift_x_, drift_y_;
};

// A transfer of much energy: its electron ionises along a line across the particle's way.
void knock(Collector& collector, double x, double y, double depth, double energy_gev, Random& random) {
  const double range = energy_gev > 1e-5 ? electron_range(energy_gev) : 0.0;
  double sine = 0.0, cosine = 0.0;
  if (range > 0.0) precise::sine_cosine(random.uniform(-precise::pi, precise::pi), sine, cosine);
  // half of the range is reached: electrons scatter; they see the plane at any angle
  const double reach = 0.5 * range;
  const int pieces = clamp(static_cast<int>(reach / piece_cm) + 1, 1, 100);
  const double each = energy_gev / pair_gev / pieces;
  for (int i = 0; i < pieces; ++i) {
    const double way = reach * (i + 0.5) / pieces;
    collector.collect(x + cosine * way, y + sine * way, depth, each);
  }
}

}  // namespace

void ionise(const Crossing& crossing, Random& random, std::vector<Deposit>& deposits) {
  const Module& module = modules()[static_cast<std::size_t>(crossing.module)];
  const double ratio = crossing.p_gev / crossing.mass_gev;
  const double beta2 = ratio * ratio / (1.0 + ratio * ratio);
  const double stretch =
      precise::square_root(1.0 + crossing.slope_x * crossing.slope_x + crossing.slope_y * crossing.slope_y);
  // part of the thickness that is passed before the cut, about the middle
  const double way = module.thickness_cm * stretch;
  const double kept = way > longest_way_cm ? longest_way_cm / way : 1.0;
  const double length = way * kept;
  const int pieces = clamp(static_cast<int>(length / piece_cm) + 1, 1, 1000);
  // a slow particle leaves at most its kinetic energy
  const double energy =
      precise::square_root(crossing.p_gev * crossing.p_gev + crossing.mass_gev * crossing.mass_gev);
  double left = energy - crossing.mass_gev;
  const double soft = soft_loss(beta2, ratio) * length / pieces;
  // variance of the transfers below the border, whose spectrum is 1/E^2
  const double relative = precise::square_root(xi_gev_per_cm / beta2 * length / pieces * hard_gev) / soft;
  // the largest transfer to an electron at rest; few exceed 10 MeV, whose electron leaves the sensor anyway
  const double largest = min_of(2.0 * electron_mass_gev * ratio * ratio, 0.002);
  static thread_local Cluster cluster;
  cluster.clear();
  Collector collector(module, cluster);
  const double per_pair = 1.0 / pair_gev, per_piece = 1.0 / pieces;
  const auto place = [&](double part, double& x, double& y, double& depth) {
    const double normal = (part - 0.5) * module.thickness_cm * kept;  // along the normal, from mid-plane
    x = crossing.x_cm + crossing.slope_x * normal;
    y = crossing.y_cm + crossing.slope_y * normal;
    depth = normal + 0.5 * module.thickness_cm;
  };
  double x, y, depth;
  for (int i = 0; i < pieces && left > 0.0; ++i) {
    const double straggled = soft * (1.0 + relative * nearly_normal(random));
    const double loss = min_of(straggled > 0.0 ? straggled : 0.0, left);
    left -= loss;
    place((i + 0.5) * per_piece, x, y, depth);
    collector.collect(x, y, depth, loss * per_pair);
  }
  if (largest > hard_gev) {
    const double mean = xi_gev_per_cm / beta2 * length * (1.0 / hard_gev - 1.0 / largest);
    for (i32 transfers = random.poisson(mean); transfers > 0 && left > 0.0; --transfers) {
      const double u = random.uniform();
      const double transfer = min_of(1.0 / (u / largest + (1.0 - u) / hard_gev), left);
      left -= transfer;
      place(random.uniform(), x, y, depth);
      knock(collector, x, y, depth, transfer, random);
    }
  }
  for (const Cluster::Entry& entry : cluster.entries())
    deposits.push_back(
        {crossing.module, entry.pixel, crossing.particle, static_cast<float>(entry.electrons)});
}

}  // namespace sitecap::simulation::pixel
