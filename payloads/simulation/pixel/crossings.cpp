#include "simulation/pixel/crossings.h"

namespace sitecap::simulation::pixel {

namespace {

// How far modules lie from their layer's surface, and how much further a plane's crossing may be for slope.
constexpr double largest_detour_cm = 8.0;
// A crossing is looked for with this much room around a module, because the first guess is a straight line.
constexpr double room_cm = 0.6;

// Slopes along a sensor are bounded: what grazes it leaves it by curling.
constexpr double least_cosine = 0.02;
// Tighter helices may miss a plane that lies some mm beside the layer's cylinder: for them the cylinder is
// the plane.
constexpr double least_radius_cm = 2.5;

// Adds a crossing at this point if it lies on the module.
void add(int index, const Vector& position, const Vector& direction, const State& state, int particle,
         std::vector<Crossing>& crossings) {
  const Module& module = modules()[static_cast<std::size_t>(index)];
  const Vector offset = position - module.centre;
  const double x = dot(offset, module.x), y = dot(offset, module.y);
  if (precise::absolute(x) > half_width_cm || precise::absolute(y) > half_length_cm) return;
  double along = dot(direction, module.normal);
  if (precise::absolute(along) < least_cosine) along = along < 0 ? -least_cosine : least_cosine;
  crossings.push_back({index, particle, position, x, y, dot(direction, module.x) / along,
                       dot(direction, module.y) / along, state.p_gev, state.mass_gev});
}

void add_at(const Helix& helix, double s, const State& state, int index, int particle,
            std::vector<Crossing>& crossings) {
  Vector position, direction;
  helix.at(s, position, direction);
  add(index, position, direction, state, particle, crossings);
}

void cross_barrel(const Helix& helix, double s, const State& state, int layer, int particle,
                  std::vector<Crossing>& crossings) {
  Vector position, direction;
  helix.at(s, position, direction);
  // a module is met in the sense in which the layer is: outward or inward
  const bool outward = position.x * direction.x + position.y * direction.y > 0;
  const bool curls = helix.radius_cm() < least_radius_cm;
  const int begin = layer_begin()[static_cast<std::size_t>(layer)];
  const int end = layer_begin()[static_cast<std::size_t>(layer + 1)];
  const Module* all = modules().data();
  for (int ladder = begin; ladder < end; ladder += modules_of_ladder) {
    const Module& module = all[ladder];
    const Vector offset{position.x - module.centre.x, position.y - module.centre.y, 0.0};
    const double distance = offset.x * module.normal.x + offset.y * module.normal.y;
    const double across = offset.x * module.x.x + offset.y * module.x.y;
    if (precise::absolute(across) > 2.5 || precise::absolute(distance) > 1.5) continue;
    if (curls) {
      if (precise::absolute(across) > half_width_cm || precise::absolute(distance) > 0.5) continue;
      const double place = (position.z - module.centre.z) / module_spacing_cm + 0.5;
      if (place < 0.0 || place >= modules_of_ladder) continue;
      add(ladder + static_cast<int>(place), position, direction, state, particle, crossings);
      continue;
    }
    // straight line, to see whether it can be this ladder
    const double rate = direction.x * module.normal.x + direction.y * module.normal.y;
    if (precise::absolute(rate) > 0.02) {
      const double there = across - distance / rate * (direction.x * module.x.x + direction.y * module.x.y);
      if (precise::absolute(there) > half_width_cm + room_cm) continue;
    }
    const double radial = module.centre.x * module.normal.x + module.centre.y * module.normal.y;
    const Vector centre{module.centre.x, module.centre.y, 0.0};
    const double met = helix.to_plane(centre, module.normal, s, largest_detour_cm);
    if (met == never) continue;
    Vector at, going;
    helix.at(met, at, going);
    if ((dot(going, module.normal) * radial > 0) != outward) continue;
    // modules of a ladder come in the order of z
    const double place = (at.z - module.centre.z) / module_spacing_cm + 0.5;
    if (place < 0.0 || place >= modules_of_ladder) continue;
    add_at(helix, met, state, ladder + static_cast<int>(place), particle, crossings);
  }
}

void cross_disc(const Helix& helix, double s, const State& state, int layer, int particle,
                std::vector<Crossing>& crossings) {
  Vector position, direction;
  helix.at(s, position, direction);
  const int begin = layer_begin()[static_cast<std::size_t>(layer)];
  const int end = layer_begin()[static_cast<std::size_t>(layer + 1)];
  const Module* all = modules().data();
  for (int index = begin; index < end; ++index) {
    const Module& module = all[index];
    const Vector offset = position - module.centre;
    if (dot(offset, offset) > 144.0) continue;  // half a diagonal, the room and the detour
    const double rate = dot(direction, module.normal);
    if (precise::absolute(rate) < 0.02) continue;
    const double way = -dot(offset, module.normal) / rate;
    if (precise::absolute(way) > largest_detour_cm) continue;
    const Vector there = offset + way * direction;
    if (precise::absolute(dot(there, module.x)) > half_width_cm + room_cm ||
        precise::absolute(dot(there, module.y)) > half_length_cm + room_cm)
      continue;
    const double met = helix.to_plane(module.centre, module.normal, s + way, largest_detour_cm);
    if (met != never) add_at(helix, met, state, index, particle, crossings);
  }
}

}  // namespace

void cross_layer(const Helix& helix, double s, const State& state, int layer, int particle,
                 std::vector<Crossing>& crossings) {
  if (layer < 4)
    cross_barrel(helix, s, state, layer, particle, crossings);
  else
    cross_disc(helix, s, state, layer, particle, crossings);
}

}  // namespace sitecap::simulation::pixel
