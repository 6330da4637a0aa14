// Cylinders about the beam line and planes across it, and the order in which a particle meets them.
#pragma once
#include <optional>
#include <vector>

#include "simulation/geometry/material.h"

namespace sitecap::simulation {

// What a step ends at.
struct Surface {
  double at_cm;            // radius of a cylinder, z of a plane
  double low_cm, high_cm;  // |z| or radius between which there is anything
  Matter matter;
  int layer;  // -1: no sensors
};
// Cylinders in the order of their radii, planes in that of z.
struct Surfaces {
  const std::vector<Surface>&cylinders, &planes;
};

// Matter is met at most so obliquely.
inline constexpr double least_cosine = 0.05;

// Where a helix meets a surface.
struct Meeting {
  const Surface* surface;
  bool on_plane;
  double path_cm;  // from where the helix starts
  Vector position{}, direction{};
  double radius_cm;

  Meeting(const Surface& met, bool plane, double s, const Helix& helix)
      : surface(&met), on_plane(plane), path_cm(s) {
    helix.at(s, position, direction);
    radius_cm = precise::square_root(position.x * position.x + position.y * position.y);
  }
  // What low_cm and high_cm of the surface are about.
  double place_cm() const { return on_plane ? radius_cm : precise::absolute(position.z); }
  bool hits() const { return place_cm() >= surface->low_cm && place_cm() <= surface->high_cm; }
  // How many times the thickness at normal incidence is passed.
  double thicker() const {
    const double cosine =
        on_plane ? precise::absolute(direction.z)
                 : precise::absolute(position.x * direction.x + position.y * direction.y) / radius_cm;
    return 1.0 / (cosine > least_cosine ? cosine : least_cosine);
  }
};

// The way of a charged particle from one surface to the next, inward as well as outward.
class Walk {
 public:
  Walk(const Surfaces& surfaces, const Vector& from) : tubes_(surfaces.cylinders), planes_(surfaces.planes) {
    const double r2 = from.x * from.x + from.y * from.y;
    while (tube_ < tubes_.size() && tubes_[tube_].at_cm * tubes_[tube_].at_cm < r2) ++tube_;
    while (plane_ < planes_.size() && planes_[plane_].at_cm < from.z) ++plane_;
  }

  // Outside of all cylinders.
  bool outside() const { return tube_ == tubes_.size(); }

  // To the surface that is met next from `state`, whose helix this is; none if there is no further one.
  std::optional<Meeting> next(const State& state, const Helix& helix) {
    double s = never;
    enum class Next { nothing, inner, outer, plane } next = Next::nothing;
    if (tube_ > 0) {
      const double inward = helix.to_cylinder(tubes_[tube_ - 1].at_cm, step_back_cm);
      if (inward < s) s = inward, next = Next::inner;
    }
    if (!outside()) {
      const double outward = helix.to_cylinder(tubes_[tube_].at_cm, step_back_cm);
      if (outward < s) s = outward, next = Next::outer;
    }
    const bool forward = state.direction.z > 0;
    if (forward ? plane_ < planes_.size() : plane_ > 0) {
      const double along = helix.to_disc(planes_[forward ? plane_ : plane_ - 1].at_cm, 0.0);
      if (along < s) s = along, next = Next::plane;
    }
    if (next == Next::nothing) return std::nullopt;
    if (next == Next::plane) return Meeting(planes_[forward ? plane_++ : --plane_], true, s, helix);
    return Meeting(tubes_[next == Next::outer ? tube_++ : --tube_], false, s, helix);
  }

 private:
  // A cylinder that was just met is not met again for rounding.
  static constexpr double step_back_cm = 1e-6;

  const std::vector<Surface>&tubes_, &planes_;
  std::size_t tube_ = 0, plane_ = 0;  // how many cylinders are inside of the particle, and planes at lower z
};

// Calls `visit(Meeting)` for every surface that a neutral particle hits, each once, until it says true:
// cylinders from the inside, then planes along its way. True if a visit did.
template <class Visit>
bool along_line(const Surfaces& surfaces, const State& state, const Visit& visit) {
  const Helix line(state);
  const auto hit = [&](const Surface& surface, double s, bool on_plane) {
    if (s == never) return false;
    const Meeting meeting(surface, on_plane, s, line);
    return meeting.hits() && visit(meeting);
  };
  for (const Surface& tube : surfaces.cylinders)
    if (hit(tube, line.to_cylinder(tube.at_cm, 0.0), false)) return true;
  const auto& planes = surfaces.planes;
  for (std::size_t i = 0; i < planes.size(); ++i) {
    const Surface& plane = planes[state.direction.z > 0 ? i : planes.size() - 1 - i];
    if (hit(plane, line.to_disc(plane.at_cm, 0.0), true)) return true;
  }
  return false;
}

}  // namespace sitecap::simulation
