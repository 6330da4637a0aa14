// mkfit on a CPU: hits sorted, seeds built in batches of one region, all tracks fitted, duplicates dropped.
#include <algorithm>

#include "kernels/mkfit/bare.h"
#include "kernels/mkfit/builder.h"
#include "kernels/mkfit/results.h"
#include "kernels/mkfit/settings.h"
#include "sitecap/order.h"

namespace sitecap::mkfit {

namespace {

template <int W>
class MkFit final : public Payload {
  using F = typename Types<W>::Float;

 public:
  MkFit(const Columns& columns, const Settings& settings)
      : events_(columns), parameters_(parameters_of(settings)), builder_(std::make_unique<Builder<W>>()) {
    const auto hits = static_cast<std::size_t>(events_.most_event_hits) + W;
    const auto seeds = static_cast<std::size_t>(events_.most_seeds) + W;
    for (auto* column : {&phi_, &along_, &inverse_radius_, &sorted_phi_, &sorted_along_})
      column->resize(hits);
    for (auto* column : {&bin_, &order_, &place_, &first_user_}) column->resize(hits);
    std::fill(first_user_.begin(), first_user_.end(), -1);
    points_.resize(hits * point_floats);
    const std::size_t bins = events_.layers.size() * phi_bins;
    bin_offset_.resize(bins + 1);
    cursor_.resize(bins + most_hits + 2);
    direction_.resize(seeds);
    seed_order_.resize(seeds);
    track_.resize(seeds);
    track_rows_.resize(seeds * row_floats);
    track_hits_.resize(seeds * most_hits);
    next_user_.resize(seeds * most_hits);
    kept_.resize(seeds);
    fit_order_.resize(seeds);
    fit_length_.resize(seeds);
  }

  int events() const override { return events_.count(); }

  void process(int event, StageClock* clock) override {
    hits_ = events_.hit_offset[event + 1] - events_.hit_offset[event];
    seeds_ = events_.seed_offset[event + 1] - events_.seed_offset[event];
    first_hit_ = events_.hit_offset[event];
    first_seed_ = events_.seed_offset[event];
    builder_->overflows = 0;
    sort_hits();
    if (clock) clock->lap("sort hits");
    build(clock);
    if (clock) clock->lap("gather");
    fit();
    if (clock) clock->lap("fit");
    clean();
    if (clock) clock->lap("clean");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }
  std::size_t workspace_bytes() const override {
    return builder_->bytes() + phi_.size() * 9 * 4 + points_.size() * 4 +
           (bin_offset_.size() + cursor_.size()) * 4 + track_.size() * (sizeof(Track) + 24) +
           (track_rows_.size() + track_hits_.size() + next_user_.size()) * 4;
  }

 private:
  static constexpr i32 no_layer = -1;

  void sort_hits() {
    const RawHits raw = raw_hits(events_, first_hit_);
    i32 i = 0;
    for (; i + W <= hits_; i += W)
      bin_hits<F>(raw, events_.layers.data(), i, W, phi_.data(), along_.data(), inverse_radius_.data(),
                  bin_.data());
    for (; i < hits_; ++i)
      bin_hits<float>(raw, events_.layers.data(), i, 1, phi_.data(), along_.data(), inverse_radius_.data(),
                      bin_.data());
    counting_sort(bin_.data(), hits_, static_cast<i32>(events_.layers.size()) * phi_bins, bin_offset_.data(),
                  cursor_.data(), order_.data());
    for (i32 k = 0; k < hits_; ++k) {
      place_[static_cast<std::size_t>(order_[static_cast<std::size_t>(k)])] = k;
      place_hit(raw, order_[static_cast<std::size_t>(k)], k, phi_.data(), along_.data(),
                inverse_radius_.data(), points_.data(), sorted_phi_.data(), sorted_along_.data());
    }
  }

  void build(StageClock* clock) {
    const RawSeeds raw = raw_seeds(events_, first_seed_);
    for (i32 s = 0; s < seeds_; ++s) direction_[static_cast<std::size_t>(s)] = direction_of(raw, s);
    i32 sorted[directions + 1], offset[regions + 1];
    counting_sort(direction_.data(), seeds_, directions, sorted, cursor_.data(), seed_order_.data());
    for (i32 region = 0; region <= regions; ++region) offset[region] = sorted[region * sectors];
    const Hits hits{points_.data(), sorted_phi_.data(), sorted_along_.data(), bin_offset_.data()};
    for (i32 region = 0; region < regions; ++region)
      for (i32 first = offset[region]; first < offset[region + 1]; first += batch_seeds) {
        const i32 count = min_of(batch_seeds, offset[region + 1] - first);
        for (i32 k = 0; k < count; ++k)
          begin(raw, k, seed_order_[static_cast<std::size_t>(first + k)], region);
        builder_->run(count, parameters_, events_, region, hits, clock);
        for (i32 k = 0; k < count; ++k) end(raw, k, seed_order_[static_cast<std::size_t>(first + k)]);
      }
  }
  void begin(const RawSeeds& raw, i32 k, i32 seed, i32 region) {
    put_seed(raw, seed, builder_->seed_row(k));
    i32 start;
    const i32 hits =
        seed_hit_count(raw, seed, events_.hit_layer.data + first_hit_, events_.plan.place[region], start);
    builder_->begin(k, hits, start);
  }
  void end(const RawSeeds& raw, i32 k, i32 seed) {
    const auto at = static_cast<std::size_t>(seed);
    const Built built = builder_->finish(k);
    __builtin_memcpy(track_rows_.data() + at * row_floats, built.row, row_floats * sizeof(float));
    track_[at] = mkfit::track_of(raw, seed, built, builder_->nodes(), place_.data(),
                                 track_hits_.data() + at * most_hits);
  }

  // Tracks of like lengths side by side.
  void fit() {
    for (i32 s = 0; s < seeds_; ++s)
      fit_length_[static_cast<std::size_t>(s)] = most_hits - track_[static_cast<std::size_t>(s)].hits;
    i32 offset[most_hits + 2];
    counting_sort(fit_length_.data(), seeds_, most_hits + 1, offset, cursor_.data(), fit_order_.data());
    for (i32 k = 0; k < W; ++k)
      fit_order_[static_cast<std::size_t>(seeds_ + k)] = seeds_ > 0 ? fit_order_[0] : 0;
    for (i32 i = 0; i < seeds_; i += W) fit_group(fit_order_.data() + i, min_of(W, seeds_ - i));
  }
  i32 layer_of(i32 place) const {
    return events_.hit_layer[first_hit_ + order_[static_cast<std::size_t>(place)]];
  }
  void fit_group(const i32* tracks, i32 lanes) {
    State<F> s;
    load_state(track_rows_.data(), tracks, s);
    widen(s);
    Heading<F> h = heading(s);
    F chi2{};
    i32 count[W], layer[W], longest = 0;
    const i32* list[W];
    for (i32 l = 0; l < W; ++l) {
      count[l] = track_[static_cast<std::size_t>(tracks[l])].hits;
      list[l] = track_hits_.data() + static_cast<i64>(tracks[l]) * most_hits;
      layer[l] = count[l] > 0 ? layer_of(list[l][0]) : 0;
      if (l < lanes) longest = max_of(longest, count[l]);
    }
    for (i32 k = 0; k < longest; ++k) {
      i32 hit[W];
      float is_disc[W], matter[W], taken[W];
      for (i32 l = 0; l < W; ++l) {
        const bool on = k < count[l];
        hit[l] = list[l][on ? k : 0];
        const Layer& own = events_.layers[static_cast<std::size_t>(layer[l])];
        const i32 next = k + 1 < count[l] ? layer_of(list[l][k + 1]) : no_layer;
        is_disc[l] = own.is_disc != 0 ? 1.f : 0.f;
        matter[l] = next != layer[l] ? own.radiation_lengths : 0.f;  // once, after the last of its hits
        taken[l] = on ? 1.f : 0.f;
        layer[l] = max_of(next, 0);
      }
      const F kind = load<F>(is_disc), material = load<F>(matter), on = load<F>(taken);
      Point<F> p;
      load_point(points_.data(), hit, p);
      fit_step(s, h, p, kind > 0.f, material, on > 0.f, chi2);
    }
    to_beam_line(s);
    store_state(track_rows_.data(), tracks, lanes, s);
    for (i32 l = 0; l < lanes; ++l) track_[static_cast<std::size_t>(tracks[l])].chi2 = lane(chi2, l);
  }

  void clean() {
    const Users users{first_user_.data(), next_user_.data()};
    const auto each_hit = [this](auto&& work) {
      for (i32 t = 0; t < seeds_; ++t) {
        if (!good_track(parameters_, track_[static_cast<std::size_t>(t)])) continue;
        for (i32 k = 0; k < track_[static_cast<std::size_t>(t)].hits; ++k) work(t * most_hits + k);
      }
    };
    each_hit([&](i32 place) {
      i32& first = users.first[track_hits_[static_cast<std::size_t>(place)]];
      users.next[place] = first;
      first = place;
    });
    kept_count_ = 0;
    for (i32 t = 0; t < seeds_; ++t)
      if (good_track(parameters_, track_[static_cast<std::size_t>(t)]) &&
          !is_duplicate(parameters_, track_.data(), track_hits_.data(), users, t))
        kept_[static_cast<std::size_t>(kept_count_++)] = t;
    each_hit([&](i32 place) { users.first[track_hits_[static_cast<std::size_t>(place)]] = -1; });
  }

  Found found() const {
    return {hits_,        seeds_,        kept_count_,        static_cast<i32>(builder_->overflows),
            kept_.data(), track_.data(), track_rows_.data(), track_hits_.data(),
            order_.data()};
  }

  Events events_;
  Parameters parameters_;
  std::unique_ptr<Builder<W>> builder_;
  i32 hits_ = 0, seeds_ = 0, first_hit_ = 0, first_seed_ = 0, kept_count_ = 0;
  std::vector<float> phi_, along_, inverse_radius_, sorted_phi_, sorted_along_, points_, track_rows_;
  std::vector<i32> bin_, order_, place_, first_user_, bin_offset_, cursor_, direction_, seed_order_,
      track_hits_, next_user_, kept_, fit_order_, fit_length_;
  std::vector<Track> track_;
};

template <int W>
std::unique_ptr<Payload> make(const Columns& events, const Settings& settings) {
  if (setting(settings, "bare_layers", 0) > 0) return std::make_unique<Bare<W>>(Events(events), settings);
  return std::make_unique<MkFit<W>>(events, settings);
}

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
#if SITECAP_LANES_WIDE > 1
  if (lanes != 1) return make<SITECAP_LANES_WIDE>(events, settings);
#endif
  (void)lanes;
  return make<1>(events, settings);
}

}  // namespace sitecap::mkfit
