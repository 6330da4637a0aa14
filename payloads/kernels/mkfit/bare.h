// The Kalman step alone, in full lanes and without a search: the figure that others' mini-apps give (p2z,
// p2r: github.com/cerati). Seeds fly outwards through `bare_layers` equal cylinders and meet a hit a
// millimetre off in each. Host only.
#pragma once
#include "kernels/mkfit/events.h"

namespace sitecap::mkfit {

template <int W>
class Bare final : public Payload {
  using F = typename Types<W>::Float;

 public:
  Bare(Events events, const Settings& settings)
      : events_(std::move(events)), layers_(static_cast<int>(setting(settings, "bare_layers", 20))) {
    if (layers_ > 1000) throw std::invalid_argument("mkfit: 'bare_layers' is above 1000: give fewer");
    states_.resize(static_cast<std::size_t>(events_.most_seeds / W + 1));
    place_points();
  }
  int events() const override { return events_.count(); }
  void process(int event, StageClock*) override {
    const i64 first = events_.seed_offset[event];
    groups_ = static_cast<i32>((events_.seed_offset[event + 1] - first) / W);
    // a few groups side by side: a step is a long chain of operations, and theirs overlap
    for (i32 g = 0; g < groups_; g += side_by_side) {
      const i32 end = min_of(g + side_by_side, groups_);
      for (i32 k = g; k < end; ++k) headings_[k - g] = start(first, k);
      const Point<F>* points =
          points_.data() + first_point_[static_cast<std::size_t>(event)] + static_cast<i64>(g) * layers_;
      for (int step = 0; step < layers_; ++step) step_together(g, end - g, points + step);
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
  // One layer for these groups; each keeps its heading.
  void step_together(i32 first, i32 count, const Point<F>* points) {
    State<F>* s = states_.data() + first;
    Arc<F> arc[side_by_side];
    Coupling<F> coupling[side_by_side];
    Residual<F> residual[side_by_side];
    MaskOf<F> reached;
    for (i32 k = 0; k < count; ++k)
      arc[k] = arc_to_point<cylinder>(s[k], headings_[k], points[k * layers_], MaskOf<F>{}, reached);
    for (i32 k = 0; k < count; ++k) transport(s[k], headings_[k], arc[k]);
    for (i32 k = 0; k < count; ++k)
      residual[k] = measure<cylinder>(s[k], headings_[k], points[k * layers_], MaskOf<F>{}, coupling[k]);
    for (i32 k = 0; k < count; ++k) apply_gain(s[k], headings_[k], coupling[k], residual[k]);
  }
  Heading<F> start(i64 first, i32 group) {
    State<F>& s = states_[static_cast<std::size_t>(group)];
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
  // The hits, once: each straight ahead of where the one before has left the track.
  void place_points() {
    for (int event = 0; event < events_.count(); ++event) {
      first_point_.push_back(static_cast<i64>(points_.size()));
      const i64 first = events_.seed_offset[event];
      const auto groups = static_cast<i32>((events_.seed_offset[event + 1] - first) / W);
      for (i32 g = 0; g < groups; ++g) {
        Heading<F> h = start(first, g);
        State<F>& s = states_[static_cast<std::size_t>(g)];
        for (int step = 0; step < layers_; ++step) {
          const F radius = square_root(s.x * s.x + s.y * s.y), inverse = 1.f / radius, next = radius + 1.5f;
          const F ux = s.x * inverse, uy = s.y * inverse;
          points_.push_back(Point<F>{ux * next, uy * next, s.z + 1.5f * h.cot_theta, all_lanes<F>(1e-5f), F{},
                                     all_lanes<F>(1e-2f), ux, uy});
          kalman_step<cylinder>(s, h, points_.back(), MaskOf<F>{});
        }
      }
    }
  }
  Events events_;
  int layers_;
  i32 groups_ = 0;
  Heading<F> headings_[side_by_side];
  std::vector<State<F>> states_;
  std::vector<Point<F>> points_;  // by event, group and layer
  std::vector<i64> first_point_;
};

}  // namespace sitecap::mkfit
