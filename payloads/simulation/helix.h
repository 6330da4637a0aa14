// Ways of particles in the solenoid's field: helices in double precision, and where they meet surfaces.
//
// Everything is a function of the path length s (cm, in three dimensions) from the state that a helix starts
// with.
#pragma once
#include "sitecap/maths_double.h"

namespace sitecap::simulation {

struct Vector {
  double x, y, z;
};
inline Vector operator+(const Vector& a, const Vector& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vector operator-(const Vector& a, const Vector& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vector operator*(double f, const Vector& a) {
  return {f * a.x, f * a.y, f * a.z};
}
inline double dot(const Vector& a, const Vector& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
inline double norm(const Vector& a) {
  return precise::square_root(dot(a, a));
}
inline Vector unit(const Vector& a) {
  return (1.0 / norm(a)) * a;
}

// Along z, the same everywhere: the field of CMS at its centre.
inline constexpr double field_tesla = 3.8;
// Transverse momentum (GeV) of unit charge = this * radius of curvature (cm).
inline constexpr double gev_per_cm = 2.99792458e-3 * field_tesla;

// One particle at one place. `direction` is of unit length.
struct State {
  Vector position;  // cm
  Vector direction;
  double p_gev;
  double mass_gev;
  int charge;

  double energy_gev() const { return precise::square_root(p_gev * p_gev + mass_gev * mass_gev); }
};

// No crossing of a surface: larger than every path.
inline constexpr double never = 1e9;

class Helix {
 public:
  explicit Helix(const State& state)
      : position_(state.position),
        direction_(state.direction),
        // a positive charge turns clockwise, seen against the field
        turning_(state.charge == 0 ? 0.0 : -gev_per_cm * state.charge / state.p_gev) {}

  // Radians of azimuth per cm of path; negative is clockwise.
  double turning() const { return turning_; }
  // Radius of the circle seen along the field, cm; `never` of a straight line.
  double radius_cm() const {
    if (turning_ == 0.0) return never;
    return precise::square_root(direction_.x * direction_.x + direction_.y * direction_.y) /
           precise::absolute(turning_);
  }
  // Path of one full turn, cm; `never` of a straight line.
  double turn_cm() const { return turning_ == 0.0 ? never : 2.0 * precise::pi / precise::absolute(turning_); }

  // Where the particle is after s and where it goes.
  void at(double s, Vector& position, Vector& direction) const {
    const double angle = turning_ * s;
    double sine, cosine;
    precise::sine_cosine(angle, sine, cosine);
    double along = s, across = 0.0;  // sin(angle) / turning, (1 - cos(angle)) / turning
    if (precise::absolute(angle) > 1e-4) {
      along = sine / turning_;
      across = (1.0 - cosine) / turning_;
    } else {
      const double square = angle * angle;
      along = s * (1.0 - square / 6.0);
      across = s * (0.5 * angle) * (1.0 - square / 12.0);
    }
    position.x = position_.x + direction_.x * along - direction_.y * across;
    position.y = position_.y + direction_.y * along + direction_.x * across;
    position.z = position_.z + direction_.z * s;
    direction.x = direction_.x * cosine - direction_.y * sine;
    direction.y = direction_.y * cosine + direction_.x * sine;
    direction.z = direction_.z;
  }
  void move(State& state, double s) const { at(s, state.position, state.direction); }

  // Largest distance from the z axis, cm; `never` of a straight line.
  double largest_radius_cm() const;

  // First path > least_s at which the distance from the z axis is r; `never` if it never is.
  double to_cylinder(double r_cm, double least_s) const;
  // First path > least_s at which z is reached.
  double to_disc(double z_cm, double least_s) const {
    if (direction_.z == 0.0) return never;
    const double s = (z_cm - position_.z) / direction_.z;
    return s > least_s ? s : never;
  }
  // Path near `guess` (Newton's method) at which the plane through `point` with `normal` is met; `never` if
  // there is none within `reach` of the guess.
  double to_plane(const Vector& point, const Vector& normal, double guess, double reach) const;

 private:
  Vector position_, direction_;
  double turning_;
};

inline double Helix::largest_radius_cm() const {
  if (turning_ == 0.0) return never;
  const double cx = position_.x - direction_.y / turning_, cy = position_.y + direction_.x / turning_;
  return precise::square_root(cx * cx + cy * cy) + radius_cm();
}

inline double Helix::to_cylinder(double r_cm, double least_s) const {
  const double x = position_.x, y = position_.y, ux = direction_.x, uy = direction_.y;
  const double transverse2 = ux * ux + uy * uy;
  if (transverse2 < 1e-24) return never;
  const double radial = x * ux + y * uy;
  const double excess = x * x + y * y - r_cm * r_cm;
  if (turning_ == 0.0) {
    const double root2 = radial * radial - transverse2 * excess;
    if (root2 < 0.0) return never;
    const double root = precise::square_root(root2);
    const double first = (-radial - root) / transverse2, second = (-radial + root) / transverse2;
    return first > least_s ? first : (second > least_s ? second : never);
  }
  // The circle has its centre at c; the point at angle a from c is at distance r from the axis if
  // |c|^2 + R^2 + 2 |c| R cos(a) = r^2, a counted from the direction of c.
  const double cx = x - uy / turning_, cy = y + ux / turning_;
  const double big2 = transverse2 / (turning_ * turning_);
  const double centre2 = cx * cx + cy * cy;
  const double product = 2.0 * precise::square_root(centre2 * big2);
  if (product < 1e-12) return never;
  const double cosine = (r_cm * r_cm - centre2 - big2) / product;
  if (cosine > 1.0 || cosine < -1.0) return never;
  const double half = precise::arc_tangent(precise::square_root((1.0 - cosine) * (1.0 + cosine)), cosine);
  // from the direction of the centre to the start, in the sense of turning
  const double sense = turning_ < 0.0 ? -1.0 : 1.0;
  const double px = uy / turning_, py = -ux / turning_;
  const double start = precise::arc_tangent(cx * py - cy * px, cx * px + cy * py) * sense;
  const double turn = 2.0 * precise::pi;
  const double least = least_s * precise::absolute(turning_);
  double first = half - start, second = -half - start;
  while (first <= least) first += turn;
  while (first > least + turn) first -= turn;
  while (second <= least) second += turn;
  while (second > least + turn) second -= turn;
  return (first < second ? first : second) / precise::absolute(turning_);
}

inline double Helix::to_plane(const Vector& point, const Vector& normal, double guess, double reach) const {
  double s = guess;
  for (int i = 0; i < 8; ++i) {
    Vector position, direction;
    at(s, position, direction);
    const double distance = dot(position - point, normal);
    const double rate = dot(direction, normal);
    if (precise::absolute(distance) < 1e-9) return s;
    if (precise::absolute(rate) < 1e-3) return never;
    s -= distance / rate;
    if (precise::absolute(s - guess) > reach) return never;
  }
  return never;
}

}  // namespace sitecap::simulation
