// Section `tracks`: what primary vertexing gets. The charged particles of the collisions as a CMS-like
// tracker reconstructs them, by parametrised efficiency and resolution, with decays in flight and fakes among
// them.
#include <string>
#include <vector>

#include "simulation/streams.h"
#include "simulation/tracks/resolution.h"

namespace sitecap::simulation::tracks {

namespace {

// The beam spot as vertexing knows it: the luminous region of generator/generator.cpp (held equal by a test).
constexpr double beam_width_x_cm = 0.00118, beam_width_y_cm = 0.00055, beam_length_cm = 4.2;
// Tails: some tracks carry a wrong hit and are off by more than their errors say.
constexpr double tail_share = 0.04, tail_scale = 2.0;
// Fakes: a few per cent of tracks, more with more hits to combine (order of TRK-11-001, figure 16).
constexpr double fake_share = 0.02, fake_share_per_pile_up = 0.0002;
// A fake's z follows the beam but forgets the collision; it misses the beam line by far more than it says.
constexpr double fake_across_cm = 0.05, fake_slope_gev = 0.6, fake_least_gev = 0.25;

enum Kind : u8 { primary = 0, secondary = 1, fake = 2 };

struct Table {
  std::vector<i32> offset{0}, particle;
  std::vector<float> parameter[parameters], covariance[15], pt, eta, chi2;
  std::vector<u8> kind, degrees, layers, pixel_layers;

  void add(const Perigee& measured, const Resolution& r, double chi2_of, int layers_of, int pixels_of,
           Kind kind_of, i32 particle_of) {
    using namespace precise;
    for (int i = 0, packed = 0; i < parameters; ++i) {
      parameter[i].push_back(static_cast<float>(measured.value[i]));
      for (int j = 0; j <= i; ++j, ++packed)
        covariance[packed].push_back(static_cast<float>(correlation[i][j] * r.sigma[i] * r.sigma[j]));
    }
    pt.push_back(static_cast<float>(1.0 / absolute(measured.value[q_over_pt])));
    eta.push_back(static_cast<float>(inverse_hyperbolic_sine(measured.value[cot_theta])));
    chi2.push_back(static_cast<float>(chi2_of));
    degrees.push_back(static_cast<u8>(degrees_of(layers_of, pixels_of)));
    layers.push_back(static_cast<u8>(layers_of));
    pixel_layers.push_back(static_cast<u8>(pixels_of));
    kind.push_back(kind_of);
    particle.push_back(particle_of);
  }

  // Pixels measure two coordinates, strips one (one and a half with the stereo layers).
  static int degrees_of(int layers_of, int pixels_of) {
    const int degrees = 2 * pixels_of + (layers_of - pixels_of) * 3 / 2 - 5;
    return degrees < 1 ? 1 : degrees;
  }
};

// Layers crossed fall with the number of endcap discs in reach and with a particle's own range.
void draw_layers(Random& random, double pt_gev, int& layers, int& pixels) {
  pixels = 4 - (random.uniform() < 0.12 ? 1 : 0) - (random.uniform() < 0.04 ? 1 : 0);
  const double reach = pt_gev < 0.7 ? 5.0 + 12.0 * (pt_gev - 0.1) : 9.5;
  const int strips = static_cast<int>(reach + 1.2 * random.normal());
  layers = pixels + (strips < 1 ? 1 : (strips > 12 ? 12 : strips));
}

Perigee smeared(const Perigee& true_value, const Resolution& r, double scale, Random& random) {
  double normal[parameters];
  correlated_normals(random, normal);
  Perigee measured = true_value;
  for (int i = 0; i < parameters; ++i) measured.value[i] += scale * r.sigma[i] * normal[i];
  double& phi = measured.value[azimuth];
  if (phi > precise::pi) phi -= 2.0 * precise::pi;
  if (phi <= -precise::pi) phi += 2.0 * precise::pi;
  return measured;
}

void add_real(Table& table, const Run& run, u32 event, const Truth& truth, int index) {
  const Particle& p = truth.particles[static_cast<std::size_t>(index)];
  const Collision& c = truth.collisions[static_cast<std::size_t>(p.collision)];
  const double pt = precise::square_root(p.px_gev * p.px_gev + p.py_gev * p.py_gev);
  if (p.charge == 0 || pt < 0.05) return;
  const double cot = p.pz_gev / pt;
  const double radius = precise::square_root(p.x_cm * p.x_cm + p.y_cm * p.y_cm);
  const bool muon = p.pdg_id == 13 || p.pdg_id == -13;
  Random random(run.seed, stream::reconstructed, event, static_cast<u32>(index));
  if (random.uniform() > efficiency_of(pt, precise::inverse_hyperbolic_sine(cot), radius, muon)) return;
  const Resolution r = resolution_of(pt, cot);
  const double scale = random.uniform() < tail_share ? tail_scale : 1.0;
  const Perigee measured = smeared(perigee_of(p), r, scale, random);
  int layers, pixels;
  draw_layers(random, pt, layers, pixels);
  const double half = 0.5 * Table::degrees_of(layers, pixels);
  const bool prompt = p.x_cm == c.x_cm && p.y_cm == c.y_cm && p.z_cm == c.z_cm;
  table.add(measured, r, 2.0 * random.gamma(half) * scale, layers, pixels, prompt ? primary : secondary,
            index);
}

void add_fake(Table& table, Random& random) {
  using namespace precise;
  const double pt = fake_least_gev + fake_slope_gev * random.exponential();
  const double cot = hyperbolic_sine(random.uniform(-largest_eta, largest_eta));
  const Resolution r = resolution_of(pt, cot);
  Perigee measured{};
  measured.value[q_over_pt] = (random.uniform() < 0.5 ? -1.0 : 1.0) / pt;
  measured.value[azimuth] = random.uniform(-pi, pi);
  measured.value[cot_theta] = cot;
  measured.value[d0] = fake_across_cm * random.normal();
  measured.value[z0] = beam_length_cm * random.normal();
  const int pixels = 2 + (random.uniform() < 0.5 ? 1 : 0),
            layers = pixels + 2 + (random.uniform() < 0.5 ? 1 : 0);
  table.add(measured, r, 5.0 * random.gamma(0.5 * Table::degrees_of(layers, pixels)), layers, pixels, fake,
            -1);
}

void add_event(Table& table, const Run& run, u32 event, const Truth& truth) {
  const std::size_t before = table.pt.size();
  for (std::size_t i = 0; i < truth.particles.size(); ++i)
    add_real(table, run, event, truth, static_cast<int>(i));
  const double real = static_cast<double>(table.pt.size() - before);
  Random random(run.seed, stream::fake_tracks, event, 0);
  const i32 fakes = random.poisson(real * (fake_share + fake_share_per_pile_up * run.pile_up));
  for (i32 i = 0; i < fakes; ++i) add_fake(table, random);
  table.offset.push_back(static_cast<i32>(table.pt.size()));
}

void put_table(Columns& columns, Table& table) {
  static const char* const names[parameters] = {"track_q_over_pt", "track_phi", "track_cot_theta", "track_d0",
                                                "track_z0"};
  columns.put("track_offset", std::move(table.offset));
  for (int i = 0, packed = 0; i < parameters; ++i) {
    columns.put(names[i], std::move(table.parameter[i]));
    for (int j = 0; j <= i; ++j, ++packed)
      columns.put("track_covariance_" + std::to_string(i) + std::to_string(j),
                  std::move(table.covariance[packed]));
  }
  columns.put("track_pt", std::move(table.pt));
  columns.put("track_eta", std::move(table.eta));
  columns.put("track_chi2", std::move(table.chi2));
  columns.put("track_ndof", std::move(table.degrees));
  columns.put("track_layers", std::move(table.layers));
  columns.put("track_pixel_layers", std::move(table.pixel_layers));
  columns.put("track_kind", std::move(table.kind));
  columns.put("track_particle", std::move(table.particle));
}

void put_beam_spot(Columns& columns) {
  const auto one = [](double value) { return std::vector<float>{static_cast<float>(value)}; };
  columns.put("beam_x", one(0.0));
  columns.put("beam_y", one(0.0));
  columns.put("beam_z", one(0.0));
  columns.put("beam_width_x", one(beam_width_x_cm));
  columns.put("beam_width_y", one(beam_width_y_cm));
  columns.put("beam_length_z", one(beam_length_cm));
}

}  // namespace

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  Table table;
  for (int i = 0; i < run.events; ++i) {
    const int event = run.first_event + i;
    events.push_back(generate(run, event));
    add_event(table, run, static_cast<u32>(event), events.back());
  }
  Columns columns;
  put_truth(columns, events);
  put_table(columns, table);
  put_beam_spot(columns);
  return columns;
}

}  // namespace sitecap::simulation::tracks
