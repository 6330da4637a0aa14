// The Kalman step alone, in full lanes and without a search: the figure that others' mini-apps give (p2z,
// p2r: github.com/cerati). Seeds fly outwards through `bare_layers` equal cylinders and meet a hit a
// millimetre off in each. Host only.
#pragma once
#include "kernels/mkfit/bare_flight.h"
#include "kernels/mkfit/events.h"

namespace sitecap::mkfit {

inline int bare_cylinders(const Settings& settings) {
  const double wanted = setting(settings, "bare_layers", 20);
  if (wanted > 1000) throw std::invalid_argument("mkfit: 'bare_layers' is above 1000: give fewer");
  return static_cast<int>(wanted);
}

template <int W>
class Bare final : public Payload {
  using F = typename Types<W>::Float;

 public:
  Bare(Events events, const Settings& settings)
      : events_(std::move(events)), layers_(bare_cylinders(settings)) {
    states_.resize(static_cast<std::size_t>(events_.most_seeds / W + 1));
    place_points();
  }
  int events() const override { return events_.count(); }
  void process(int event, StageClock*) override {
    const i64 first = events_.seed_offset[event];
    groups_ = static_cast<i32>((events_.seed_offset[event + 1] - first) / W);
    for (i32 g = 0; g < groups_; g += side_by_side) {
      const i32 count = min_of(side_by_side, groups_ - g);
      for (i32 k = 0; k < count; ++k) group_[k].heading = start(first, g + k, group_[k].state);
      const Point<F>* points = points_of(event, g);
      for (int step = 0; step < layers_; ++step) step_together(count, points + step * side_by_side);
      for (i32 k = 0; k < count; ++k) states_[static_cast<std::size_t>(g + k)] = group_[k].state;
    }
  }
  Columns results() const override { return {}; }
  u64 digest() const override {
    Digest digest;
    for (i32 g = 0; g < groups_; ++g)
      digest.add(reinterpret_cast<const u32*>(&states_[static_cast<std::size_t>(g)].c[0]), 21 * W);
    return digest.value();
  }
  std::size_t workspace_bytes() const override {
    return states_.size() * sizeof(State<F>) + points_.size() * sizeof(Point<F>);
  }

 private:
  static constexpr i32 side_by_side = 8;
  // A group and what it is between the parts of a step.
  struct Group {
    State<F> state;
    Heading<F> heading;
    F chord;
    Jacobian<F> jacobian;
    Coupling<F> coupling;
    Residual<F> residual;
    Turn<F> turn;
  };
  // One layer for these groups, in parts: the shorter the chain of operations of a part, the more groups are
  // under way in a core at the same time.
  void step_together(i32 count, const Point<F>* points) {
    MaskOf<F> met;
    for (i32 k = 0; k < count; ++k) {
      Group& g = group_[k];
      const Point<F>& p = points[k];
      const F radius = p.x * p.ux + p.y * p.uy;
      g.chord = chord_to_cylinder(g.state, g.heading, radius * radius, met);
    }
    for (i32 k = 0; k < count; ++k) {
      Group& g = group_[k];
      g.jacobian = move(g.state, g.heading, arc_of_chord(g.chord, g.heading.curvature));
    }
    for (i32 k = 0; k < count; ++k) move_covariance(group_[k].state.c, group_[k].jacobian);
    for (i32 k = 0; k < count; ++k) {
      Group& g = group_[k];
      g.residual = measure<cylinder>(g.state, g.heading, points[k], MaskOf<F>{}, g.coupling);
    }
    for (i32 k = 0; k < count; ++k) {
      Group& g = group_[k];
      g.turn = gain(g.state, g.coupling, g.residual);
    }
    for (i32 k = 0; k < count; ++k) {
      Group& g = group_[k];
      turn_heading(g.state, g.heading, g.turn.phi, g.turn.theta);
    }
  }
  Heading<F> start(i64 first, i32 group, State<F>& s) {
    const i64 at = first + static_cast<i64>(group) * W;
    s.x = load<F>(events_.seed_x.data + at);
    s.y = load<F>(events_.seed_y.data + at);
    s.z = load<F>(events_.seed_z.data + at);
    s.inverse_pt = load<F>(events_.seed_inverse_pt.data + at);
    s.phi = load<F>(events_.seed_phi.data + at);
    s.theta = load<F>(events_.seed_theta.data + at);
    for (int l = 0; l < W; ++l) set_lane(s.charge, l, events_.seed_charge[at + l]);
    i32 row[W];
    for (int l = 0; l < W; ++l) row[l] = l;
    const float* covariance = events_.covariance.data + 21 * at;
    load_rows<20>(covariance, 21, row, s.c);
    for (int l = 0; l < W; ++l) set_lane(s.c[20], l, covariance[21 * l + 20]);
    return heading(s);
  }
  // The hits, once: each straight ahead of where the one before has left the track. Those that are wanted
  // together lie together: by event, groups side by side, layer and group.
  void place_points() {
    i64 placed = 0;
    for (int event = 0; event < events_.count(); ++event) {
      first_point_.push_back(placed);
      const i64 first = events_.seed_offset[event];
      const auto groups = static_cast<i32>((events_.seed_offset[event + 1] - first) / W);
      const i64 blocks = (groups + side_by_side - 1) / side_by_side;
      placed += blocks * layers_ * side_by_side;
      points_.resize(static_cast<std::size_t>(placed));
      for (i32 g = 0; g < groups; ++g) {
        State<F> s{};
        Heading<F> h = start(first, g, s);
        Point<F>* points = points_of(event, g) + g % side_by_side;
        for (int step = 0; step < layers_; ++step, points += side_by_side) {
          *points = point_ahead(s, h);
          kalman_step<cylinder>(s, h, *points, MaskOf<F>{});
        }
      }
    }
  }
  // The first hits of the groups beside this one.
  Point<F>* points_of(int event, i32 group) {
    return points_.data() + first_point_[static_cast<std::size_t>(event)] +
           static_cast<i64>(group / side_by_side) * layers_ * side_by_side;
  }
  Events events_;
  int layers_;
  i32 groups_ = 0;
  Group group_[side_by_side];
  std::vector<State<F>> states_;
  std::vector<Point<F>> points_;
  std::vector<i64> first_point_;
};

}  // namespace sitecap::mkfit
