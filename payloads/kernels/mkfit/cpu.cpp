// mkfit on a CPU: hits sorted, seeds built in batches of one region, all tracks fitted, duplicates dropped.
#include <algorithm>

#include "kernels/mkfit/bare.h"
#include "kernels/mkfit/builder.h"
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
    region_.resize(seeds);
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

  Columns results() const override;
  u64 digest() const override {
    Digest digest;
    digest.add(kept_.data(), kept_count_);
    for (i32 k = 0; k < kept_count_; ++k) {
      const i32 t = kept_[static_cast<std::size_t>(k)];
      digest.add(track_rows_.data() + static_cast<std::size_t>(t) * row_floats, 29);
      digest.add(track_hits_.data() + static_cast<std::size_t>(t) * most_hits,
                 track_[static_cast<std::size_t>(t)].hits);
      digest.add(&track_[static_cast<std::size_t>(t)].chi2, 1);
    }
    return digest.value();
  }
  std::size_t workspace_bytes() const override {
    return builder_->bytes() + phi_.size() * 9 * 4 + points_.size() * 4 +
           (bin_offset_.size() + cursor_.size()) * 4 + track_.size() * (sizeof(Track) + 24) +
           (track_rows_.size() + track_hits_.size() + next_user_.size()) * 4;
  }

 private:
  static constexpr i32 sectors = 32;  // of azimuth
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
    for (i32 s = 0; s < seeds_; ++s) {
      const i64 at = first_seed_ + s;
      const i32 sector =
          to_int((reduced_angle(events_.seed_phi[at]) + pi) * (static_cast<float>(sectors) / (2.f * pi)));
      region_[static_cast<std::size_t>(s)] =
          region_of(events_.seed_x[at], events_.seed_y[at], events_.seed_z[at], events_.seed_theta[at]) *
              sectors +
          clamp(sector, 0, sectors - 1);
    }
    // seeds that look the same way find the same hits in the caches
    i32 sorted[regions * sectors + 1], offset[regions + 1];
    counting_sort(region_.data(), seeds_, regions * sectors, sorted, cursor_.data(), seed_order_.data());
    for (i32 region = 0; region <= regions; ++region) offset[region] = sorted[region * sectors];
    const Hits hits{points_.data(), sorted_phi_.data(), sorted_along_.data(), bin_offset_.data()};
    for (i32 region = 0; region < regions; ++region)
      for (i32 first = offset[region]; first < offset[region + 1]; first += batch_seeds) {
        const i32 count = min_of(batch_seeds, offset[region + 1] - first);
        for (i32 k = 0; k < count; ++k) begin(k, seed_order_[static_cast<std::size_t>(first + k)], region);
        builder_->run(count, parameters_, events_, region, hits, clock);
        for (i32 k = 0; k < count; ++k) end(k, seed_order_[static_cast<std::size_t>(first + k)]);
      }
  }
  void begin(i32 k, i32 seed, i32 region) {
    const i64 at = first_seed_ + seed;
    float* row = builder_->seed_row(k);
    row[0] = events_.seed_x[at];
    row[1] = events_.seed_y[at];
    row[2] = events_.seed_z[at];
    row[3] = events_.seed_inverse_pt[at];
    row[4] = events_.seed_phi[at];
    row[5] = events_.seed_theta[at];
    row[6] = static_cast<float>(events_.seed_charge[at]);
    row[7] = row[29] = row[30] = row[31] = 0.f;
    __builtin_memcpy(row + 8, events_.covariance.data + 21 * at, 21 * sizeof(float));
    i32 hits = 0, start = 0;
    for (int h = 0; h < seed_hits; ++h) {
      const i32 hit = events_.seed_hit[h][at];
      if (hit < 0) continue;
      ++hits;
      start = max_of(start, events_.plan.place[region][events_.hit_layer[first_hit_ + hit]] + 1);
    }
    builder_->begin(k, hits, start);
  }
  // A seed's best candidate becomes a track: hits of the candidate from its last, then the seed's.
  void end(i32 k, i32 seed) {
    const auto at = static_cast<std::size_t>(seed);
    const Built built = builder_->finish(k, track_rows_.data() + at * row_floats);
    i32* list = track_hits_.data() + at * most_hits;
    i32 count = 0;
    const Node* nodes = builder_->nodes();
    for (i32 node = built.best.node; node >= 0 && count < most_hits - seed_hits; node = nodes[node].before)
      list[count++] = nodes[node].hit;
    for (int h = seed_hits - 1; h >= 0; --h) {
      const i32 hit = events_.seed_hit[h][first_seed_ + seed];
      if (hit >= 0) list[count++] = place_[static_cast<std::size_t>(hit)];
    }
    track_[at] = Track{count, static_cast<i32>(built.best.inner), 0.f, built.score};
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

  Events events_;
  Parameters parameters_;
  std::unique_ptr<Builder<W>> builder_;
  i32 hits_ = 0, seeds_ = 0, first_hit_ = 0, first_seed_ = 0, kept_count_ = 0;
  std::vector<float> phi_, along_, inverse_radius_, sorted_phi_, sorted_along_, points_, track_rows_;
  std::vector<i32> bin_, order_, place_, first_user_, bin_offset_, cursor_, region_, seed_order_, track_hits_,
      next_user_, kept_, fit_order_, fit_length_;
  std::vector<Track> track_;
};

template <int W>
Columns MkFit<W>::results() const {
  std::vector<i32> seed, first{0}, hit, hits, holes, charge;
  std::vector<float> parameters[6], covariance, chi2, score;
  for (i32 k = 0; k < kept_count_; ++k) {
    const auto t = static_cast<std::size_t>(kept_[static_cast<std::size_t>(k)]);
    const float* row = track_rows_.data() + t * row_floats;
    seed.push_back(static_cast<i32>(t));
    hits.push_back(track_[t].hits);
    holes.push_back(track_[t].holes);
    chi2.push_back(track_[t].chi2);
    score.push_back(track_[t].score);
    charge.push_back(row[6] > 0.f ? 1 : -1);
    for (int i = 0; i < 6; ++i) parameters[i].push_back(row[i]);
    covariance.insert(covariance.end(), row + 8, row + 29);
    // from inside to outside, as indices of the event's hits
    for (i32 i = track_[t].hits - 1; i >= 0; --i)
      hit.push_back(
          order_[static_cast<std::size_t>(track_hits_[t * most_hits + static_cast<std::size_t>(i)])]);
    first.push_back(static_cast<i32>(hit.size()));
  }
  Columns columns;
  const char* const names[] = {"track_x",          "track_y",   "track_z",
                               "track_inverse_pt", "track_phi", "track_theta"};
  for (int i = 0; i < 6; ++i) columns.put(names[i], std::move(parameters[i]));
  columns.put("track_seed", std::move(seed));
  columns.put("track_charge", std::move(charge));
  columns.put("track_hits", std::move(hits));
  columns.put("track_holes", std::move(holes));
  columns.put("track_chi2", std::move(chi2));
  columns.put("track_score", std::move(score));
  columns.put("track_covariance", std::move(covariance));
  columns.put("track_first_hit", std::move(first));
  columns.put("track_hit", std::move(hit));
  columns.put("overflows", std::vector<i32>{static_cast<i32>(builder_->overflows)});
  return columns;
}

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
