#include "simulation/tracker/hits.h"

#include <algorithm>
#include <numeric>

#include "simulation/streams.h"
#include "simulation/tracker/geometry.h"
#include "simulation/tracker/material.h"

namespace sitecap::simulation::tracker {

namespace {

constexpr double efficiency = 0.985;     // of a sensor (S08004 and later operation: 98-99 % and more)
constexpr double noise_per_cm2 = 0.002;  // noise and what curls back or comes from secondary particles
constexpr double largest_turn = 1.4;     // rad between two layers: a particle that turns more curls up
constexpr double beam_pipe_cm = 2.2, beam_pipe_radiation_lengths = 0.0023;

double wrapped(double angle) {
  while (angle > precise::pi) angle -= 2.0 * precise::pi;
  while (angle <= -precise::pi) angle += 2.0 * precise::pi;
  return angle;
}

// Point on a layer in its own coordinates: azimuth, and z (cylinder) or radius (disc).
struct Point {
  double phi, along_cm;
};

Point on_layer(const Layer& layer, const Flight& at) {
  const double phi = precise::arc_tangent(at.y_cm, at.x_cm);
  return {phi, layer.is_disc ? precise::square_root(at.x_cm * at.x_cm + at.y_cm * at.y_cm) : at.z_cm};
}

bool sensitive(const Layer& layer, double along_cm) {
  return along_cm > layer.low_cm && along_cm < layer.high_cm &&
         !(along_cm > layer.hole_low_cm && along_cm < layer.hole_high_cm);
}

// The ladder of the wanted side (0: near, even ladders; 1: far, odd ones) that covers an azimuth, or -1.
int ladder_at(const Layer& layer, double phi, int side) {
  const double u = (phi + precise::pi) * layer.ladders / (2.0 * precise::pi);
  const double nearest = 2.0 * precise::nearest(0.5 * (u - side)) + side;
  if (precise::absolute(u - nearest) > 0.5 * (1.0 + layer.overlap)) return -1;
  const int index = static_cast<int>(nearest);
  return index >= layer.ladders ? index - layer.ladders : index;
}

// The measured point of a crossing at `surface_cm` (radius of the cylinder or z of the disc).
Hit measured(const Layer& layer, int index, int module, int particle, double surface_cm, Point at,
             Random& random) {
  Hit hit{};
  hit.layer = index;
  hit.module = module;
  hit.particle = particle;
  const double across = layer.sigma_precise_cm * random.normal();
  double sine, cosine;
  precise::sine_cosine(layer.stereo_rad, sine, cosine);
  double along2 = layer.sigma_along_cm * layer.sigma_along_cm;
  if (layer.is_pixel) {
    at.along_cm += layer.sigma_along_cm * random.normal();
    at.phi += across / (layer.is_disc ? at.along_cm : surface_cm);
  } else {
    // a strip tells where it lies, not where along itself it was hit: the point is its middle
    const auto end = std::upper_bound(layer.strips_cm.begin(), layer.strips_cm.end(), at.along_cm);
    const double low = *(end - 1), high = *end, middle = 0.5 * (low + high);
    along2 = (high - low) * (high - low) / (12.0 * cosine * cosine);
    if (layer.is_disc) {
      const double distance = precise::square_root(middle * middle * cosine * cosine +
                                                   at.along_cm * at.along_cm - middle * middle) -
                              middle * cosine;
      at.phi -= precise::arc_tangent(distance * sine, middle + distance * cosine);
      at.phi += across / (middle * cosine);
    } else {
      at.phi += ((middle - at.along_cm) * sine + across) / (surface_cm * cosine);
    }
    at.along_cm = middle;
  }
  const double across2 = layer.sigma_precise_cm * layer.sigma_precise_cm;
  hit.covariance_tt_cm2 = across2 * cosine * cosine + along2 * sine * sine;
  hit.covariance_tl_cm2 = (along2 - across2) * sine * cosine;
  hit.covariance_ll_cm2 = across2 * sine * sine + along2 * cosine * cosine;
  const double radius = layer.is_disc ? at.along_cm : surface_cm;
  precise::sine_cosine(at.phi, sine, cosine);
  hit.x_cm = radius * cosine;
  hit.y_cm = radius * sine;
  hit.z_cm = layer.is_disc ? surface_cm : at.along_cm;
  return hit;
}

bool to_surface(const Layer& layer, double surface_cm, const Flight& from, Flight& to) {
  return layer.is_disc ? to_z(from, surface_cm, largest_turn, to)
                       : to_radius(from, surface_cm, largest_turn, to);
}

// Whether `to` lies ahead of `from`.
bool ahead(const Flight& from, const Flight& to) {
  return (to.phi - from.phi) * from.charge < 0.0;
}

bool is_hadron(int pdg_id) {
  const int kind = pdg_id < 0 ? -pdg_id : pdg_id;
  return kind != 11 && kind != 13;
}

void follow(const Particle& particle, int number, Random& random, Event& event) {
  const double pt =
      precise::square_root(particle.px_gev * particle.px_gev + particle.py_gev * particle.py_gev);
  Flight flight{particle.x_cm,
                particle.y_cm,
                particle.z_cm,
                precise::arc_tangent(particle.py_gev, particle.px_gev),
                precise::arc_tangent(pt, particle.pz_gev),
                pt,
                particle.charge};
  const bool hadron = is_hadron(particle.pdg_id);
  double sine, cosine;
  Flight at;
  if (to_radius(flight, beam_pipe_cm, largest_turn, at) && ahead(flight, at)) {
    flight = at;
    precise::sine_cosine(flight.theta, sine, cosine);
    if (!pass_material(flight, particle.mass_gev, hadron, beam_pipe_radiation_lengths, sine, random)) return;
  }
  // A stereo layer lies millimetres behind its twin, both of them staggered by more: its near modules are
  // before the middle of the twin, where the flight stands.
  bool within_layers = false;
  for (const int index : crossing_order(particle.pz_gev >= 0.0)) {
    const Layer& layer = layers()[static_cast<std::size_t>(index)];
    if (!to_surface(layer, layer.position_cm, flight, at) || !ahead(flight, at)) continue;
    const double along = on_layer(layer, at).along_cm;
    if (along < layer.low_cm - 2.0 || along > layer.high_cm + 2.0) continue;
    for (int side = 0; side < 2; ++side) {
      const double surface = layer.position_cm + (side == 0 ? -layer.stagger_cm : layer.stagger_cm);
      Flight here;
      if (!to_surface(layer, surface, flight, here) || !(within_layers || ahead(flight, here))) continue;
      const Point point = on_layer(layer, here);
      if (!sensitive(layer, point.along_cm)) continue;
      const int ladder = ladder_at(layer, point.phi, side);
      if (ladder < 0 || random.uniform() > efficiency) continue;
      const Hit hit = measured(layer, index, ladder, number, surface, point, random);
      if (layer.is_pixel)
        event.passages[static_cast<std::size_t>(number)].push_back(
            {static_cast<int>(event.hits.size()), index, here});
      event.hits.push_back(hit);
    }
    if (!sensitive(layer, along)) continue;
    flight = at;
    precise::sine_cosine(flight.theta, sine, cosine);
    double normal = precise::absolute(cosine);
    if (!layer.is_disc) {
      double out, unused;
      precise::sine_cosine(flight.phi - precise::arc_tangent(flight.y_cm, flight.x_cm), unused, out);
      normal = sine * precise::absolute(out);
    }
    if (!pass_material(flight, particle.mass_gev, hadron, layer.radiation_lengths, normal, random)) return;
    flight.phi = wrapped(flight.phi);
    within_layers = true;
  }
}

void add_noise(const Run& run, int event_index, Event& event) {
  for (int index = 0; index < layer_count; ++index) {
    const Layer& layer = layers()[static_cast<std::size_t>(index)];
    Random random(run.seed, stream::tracker_noise, static_cast<u32>(event_index), static_cast<u32>(index));
    const double area = layer.is_disc
                            ? precise::pi * (layer.high_cm * layer.high_cm - layer.low_cm * layer.low_cm)
                            : 2.0 * precise::pi * layer.position_cm * (layer.high_cm - layer.low_cm);
    const int count = random.poisson(noise_per_cm2 * area);
    for (int i = 0; i < count; ++i) {
      const int side = random.uniform() < 0.5 ? 0 : 1;
      const Point point{random.uniform(-precise::pi, precise::pi),
                        random.uniform(layer.low_cm, layer.high_cm)};
      const int ladder = ladder_at(layer, point.phi, side);
      if (ladder < 0 || !sensitive(layer, point.along_cm)) continue;
      const double surface = layer.position_cm + (side == 0 ? -layer.stagger_cm : layer.stagger_cm);
      event.hits.push_back(measured(layer, index, ladder, -1, surface, point, random));
    }
  }
}

// By layer and module, as a detector is read out: the order says nothing of particles.
void sort_hits(Event& event) {
  std::vector<int> order(event.hits.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&event](int a, int b) {
    const Hit& p = event.hits[static_cast<std::size_t>(a)];
    const Hit& q = event.hits[static_cast<std::size_t>(b)];
    if (p.layer != q.layer) return p.layer < q.layer;
    if (p.module != q.module) return p.module < q.module;
    if (p.z_cm != q.z_cm) return p.z_cm < q.z_cm;
    if (p.x_cm != q.x_cm) return p.x_cm < q.x_cm;
    return a < b;
  });
  std::vector<Hit> sorted;
  std::vector<int> place(event.hits.size());
  sorted.reserve(event.hits.size());
  for (const int from : order) {
    place[static_cast<std::size_t>(from)] = static_cast<int>(sorted.size());
    sorted.push_back(event.hits[static_cast<std::size_t>(from)]);
  }
  event.hits = std::move(sorted);
  for (auto& passages : event.passages)
    for (PixelPassage& passage : passages) passage.hit = place[static_cast<std::size_t>(passage.hit)];
}

}  // namespace

Event measure(const Run& run, int event_index, const Truth& truth) {
  Event event;
  event.passages.resize(truth.particles.size());
  for (std::size_t i = 0; i < truth.particles.size(); ++i) {
    const Particle& particle = truth.particles[i];
    if (particle.charge == 0) continue;
    Random random(run.seed, stream::tracker_crossing, static_cast<u32>(event_index), static_cast<u32>(i));
    follow(particle, static_cast<int>(i), random, event);
  }
  add_noise(run, event_index, event);
  sort_hits(event);
  return event;
}

}  // namespace sitecap::simulation::tracker
