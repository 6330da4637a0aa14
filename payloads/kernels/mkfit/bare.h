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
  }
  int events() const override { return events_.count(); }
  void process(int event, StageClock*) override {
    const i64 first = events_.seed_offset[event];
    groups_ = static_cast<i32>((events_.seed_offset[event + 1] - first) / W);
    for (i32 g = 0; g < groups_; ++g) {
      State<F>& s = states_[static_cast<std::size_t>(g)];
      const i64 at = first + static_cast<i64>(g) * W;
      s.x = load<F>(events_.seed_x.data + at);
      s.y = load<F>(events_.seed_y.data + at);
      s.z = load<F>(events_.seed_z.data + at);
      s.inverse_pt = load<F>(events_.seed_inverse_pt.data + at);
      s.phi = load<F>(events_.seed_phi.data + at);
      s.theta = load<F>(events_.seed_theta.data + at);
      for (int l = 0; l < W; ++l) set_lane(s.charge, l, events_.seed_charge[at + l]);
      for (int k = 0; k < 21; ++k)
        for (int l = 0; l < W; ++l) set_lane(s.c[k], l, events_.covariance[21 * (at + l) + k]);
      for (int step = 0; step < layers_; ++step) one(s);
    }
  }
  Columns results() const override { return {}; }
  u64 digest() const override {
    Digest digest;
    for (i32 g = 0; g < groups_; ++g)
      digest.add(reinterpret_cast<const u32*>(&states_[static_cast<std::size_t>(g)].c[0]), 21 * W);
    return digest.value();
  }
  std::size_t workspace_bytes() const override { return states_.size() * sizeof(State<F>); }

 private:
  static void one(State<F>& s) {
    Heading<F> h = heading(s);
    const F radius = square_root(s.x * s.x + s.y * s.y) + 1.5f;
    const F inverse = 1.f / (radius - 1.5f);
    const F ux = s.x * inverse, uy = s.y * inverse;
    const Point<F> p{
        ux * radius, uy * radius, s.z + 1.5f * h.cot_theta, all_lanes<F>(1e-5f), F{}, all_lanes<F>(1e-2f),
        ux,          uy};
    kalman_step<cylinder>(s, h, p, MaskOf<F>{});
  }
  Events events_;
  int layers_;
  i32 groups_ = 0;
  std::vector<State<F>> states_;
};

}  // namespace sitecap::mkfit
