// Section "tracker": hits of pixel and strip layers, and seeds; columns in
// payloads/simulation/tracker/README.md.
#include "simulation/tracker/geometry.h"
#include "simulation/tracker/hits.h"
#include "simulation/tracker/seeds.h"

namespace sitecap::simulation::tracker {

namespace {

float f(double value) {
  return static_cast<float>(value);
}

void put_layers(Columns& columns) {
  std::vector<u8> is_disc;
  std::vector<float> position, low, high, hole_low, hole_high, stagger, stereo, across, along, material;
  for (const Layer& layer : layers()) {
    double sine, cosine;
    precise::sine_cosine(layer.stereo_rad, sine, cosine);
    is_disc.push_back(layer.is_disc ? 1 : 0);
    position.push_back(f(layer.position_cm));
    low.push_back(f(layer.low_cm));
    high.push_back(f(layer.high_cm));
    hole_low.push_back(f(layer.hole_low_cm));
    hole_high.push_back(f(layer.hole_high_cm));
    stagger.push_back(f(layer.stagger_cm));
    stereo.push_back(f(sine / cosine));
    across.push_back(f(layer.sigma_precise_cm));
    along.push_back(f(layer.sigma_along_cm / cosine));
    material.push_back(f(layer.radiation_lengths));
  }
  columns.put("layer_is_disc", std::move(is_disc));
  columns.put("layer_position", std::move(position));
  columns.put("layer_low", std::move(low));
  columns.put("layer_high", std::move(high));
  columns.put("layer_hole_low", std::move(hole_low));
  columns.put("layer_hole_high", std::move(hole_high));
  columns.put("layer_stagger", std::move(stagger));
  columns.put("layer_stereo", std::move(stereo));
  columns.put("layer_sigma_precise", std::move(across));
  columns.put("layer_sigma_along", std::move(along));
  columns.put("layer_radiation_lengths", std::move(material));
}

struct Gathered {
  std::vector<i32> hit_offset{0}, hit_particle, seed_offset{0}, covariance_offset{0}, seed_particle;
  std::vector<u8> hit_layer;
  std::vector<float> hit_x, hit_y, hit_z, hit_tt, hit_tl, hit_ll;
  std::vector<float> seed_x, seed_y, seed_z, seed_inverse_pt, seed_phi, seed_theta, covariance;
  std::vector<i8> seed_charge;
  std::vector<i32> seed_hit[4];
};

void add(Gathered& to, const Event& event, const std::vector<Seed>& seeds) {
  for (const Hit& hit : event.hits) {
    to.hit_layer.push_back(static_cast<u8>(hit.layer));
    to.hit_x.push_back(f(hit.x_cm));
    to.hit_y.push_back(f(hit.y_cm));
    to.hit_z.push_back(f(hit.z_cm));
    to.hit_tt.push_back(f(hit.covariance_tt_cm2));
    to.hit_tl.push_back(f(hit.covariance_tl_cm2));
    to.hit_ll.push_back(f(hit.covariance_ll_cm2));
    to.hit_particle.push_back(hit.particle);
  }
  to.hit_offset.push_back(static_cast<i32>(to.hit_x.size()));
  for (const Seed& seed : seeds) {
    to.seed_x.push_back(f(seed.x_cm));
    to.seed_y.push_back(f(seed.y_cm));
    to.seed_z.push_back(f(seed.z_cm));
    to.seed_inverse_pt.push_back(f(seed.inverse_pt));
    to.seed_phi.push_back(f(seed.phi));
    to.seed_theta.push_back(f(seed.theta));
    to.seed_charge.push_back(static_cast<i8>(seed.charge));
    to.seed_particle.push_back(seed.particle);
    for (int i = 0; i < 4; ++i) to.seed_hit[i].push_back(seed.hits[static_cast<std::size_t>(i)]);
    for (const double value : seed.covariance) to.covariance.push_back(f(value));
  }
  to.seed_offset.push_back(static_cast<i32>(to.seed_x.size()));
  to.covariance_offset.push_back(static_cast<i32>(to.covariance.size()));
}

}  // namespace

Columns simulate(const Run& run) {
  Columns columns;
  Gathered all;
  std::vector<Truth> truths;
  for (int i = 0; i < run.events; ++i) {
    const int index = run.first_event + i;
    truths.push_back(generate(run, index));
    const Event event = measure(run, index, truths.back());
    add(all, event, make_seeds(run, index, event));
  }
  put_truth(columns, truths);
  put_layers(columns);
  columns.put("hit_offset", std::move(all.hit_offset));
  columns.put("hit_layer", std::move(all.hit_layer));
  columns.put("hit_x", std::move(all.hit_x));
  columns.put("hit_y", std::move(all.hit_y));
  columns.put("hit_z", std::move(all.hit_z));
  columns.put("hit_covariance_tt", std::move(all.hit_tt));
  columns.put("hit_covariance_tl", std::move(all.hit_tl));
  columns.put("hit_covariance_ll", std::move(all.hit_ll));
  columns.put("hit_particle", std::move(all.hit_particle));
  columns.put("seed_offset", std::move(all.seed_offset));
  columns.put("seed_x", std::move(all.seed_x));
  columns.put("seed_y", std::move(all.seed_y));
  columns.put("seed_z", std::move(all.seed_z));
  columns.put("seed_inverse_pt", std::move(all.seed_inverse_pt));
  columns.put("seed_phi", std::move(all.seed_phi));
  columns.put("seed_theta", std::move(all.seed_theta));
  columns.put("seed_charge", std::move(all.seed_charge));
  columns.put("seed_particle", std::move(all.seed_particle));
  for (int i = 0; i < 4; ++i) columns.put("seed_hit" + std::to_string(i), std::move(all.seed_hit[i]));
  columns.put("seed_covariance_offset", std::move(all.covariance_offset));
  columns.put("seed_covariance_value", std::move(all.covariance));
  return columns;
}

}  // namespace sitecap::simulation::tracker
