#include "simulation/outertracker/transport.h"

namespace sitecap::simulation::outertracker {

namespace {

// How far sensors lie from their layer's surface along the path.
constexpr double largest_detour_cm = 15.0;
// A sensor is looked for with this much room around it, since the first guess is a straight line.
constexpr double room_cm = 0.8;
// What grazes a module leaves no hit that could be told from others.
constexpr double least_cosine = 0.05;

struct Place {
  double s;
  Vector position, direction;
};

void cross_module(const Helix& helix, const Place& at, int index, int particle,
                  std::vector<Crossing>& crossings) {
  const Module& module = modules()[static_cast<std::size_t>(index)];
  const Vector offset = at.position - module.centre;
  const double rate = dot(at.direction, module.normal);
  if (precise::absolute(rate) < least_cosine) return;
  const double way = -dot(offset, module.normal) / rate;
  if (precise::absolute(way) > largest_detour_cm) return;
  const Vector there = offset + way * at.direction;
  if (precise::absolute(dot(there, module.x)) > module.half_width_cm + room_cm ||
      precise::absolute(dot(there, module.y)) > module.half_length_cm + room_cm)
    return;
  for (int sensor = 0; sensor < 2; ++sensor) {
    const Vector middle =
        module.centre + (sensor == 0 ? -0.5 * module.gap_cm : 0.5 * module.gap_cm) * module.normal;
    const double met = helix.to_plane(middle, module.normal, at.s + way, largest_detour_cm);
    if (met == never) continue;
    Vector position, direction;
    helix.at(met, position, direction);
    if (dot(direction, module.normal) * rate <= 0.0) continue;
    const Vector local = position - middle;
    const double x = dot(local, module.x), y = dot(local, module.y);
    if (precise::absolute(x) < module.half_width_cm && precise::absolute(y) < module.half_length_cm)
      crossings.push_back({index, sensor, particle, x, y});
  }
}

}  // namespace

void cross_layer(const Helix& helix, double s, int layer, int particle, std::vector<Crossing>& crossings) {
  Place at{s, {}, {}};
  helix.at(s, at.position, at.direction);
  const double r = precise::square_root(at.position.x * at.position.x + at.position.y * at.position.y);
  const double phi = precise::arc_tangent(at.position.y, at.position.x);
  const double radial = (at.position.x * at.direction.x + at.position.y * at.direction.y) / r;
  const bool barrel = layer < barrel_layers;
  for (const Ring& ring : rings_of(layer)) {
    if (!barrel && ring.z_cm * at.position.z < 0.0) continue;
    // where a straight line is at the ring's radius (barrel) or z (disc)
    const double way = barrel ? (ring.r_cm - r) / radial : (ring.z_cm - at.position.z) / at.direction.z;
    if (!(precise::absolute(way) < largest_detour_cm)) continue;
    const double place = barrel ? at.position.z + way * at.direction.z : r + way * radial;
    // neighbours of a tilted ring lie up to 1.3 cm apart in radius, and their ends up to 2.3 cm from the
    // middle
    const double slope = barrel ? precise::absolute(at.direction.z / radial) : 0.0;
    if (precise::absolute(place - (barrel ? ring.z_cm : ring.r_cm)) >
        ring.half_length_cm + 2.0 + 3.0 * min_of(slope, 4.0))
      continue;
    const double turn = (phi - ring.first_phi) / ring.step_phi;
    const int nearest = static_cast<int>(precise::nearest(turn)) + 2 * ring.modules;
    for (int k = nearest - 1; k <= nearest + 1; ++k)
      cross_module(helix, at, ring.first_module + k % ring.modules, particle, crossings);
  }
}

}  // namespace sitecap::simulation::outertracker
