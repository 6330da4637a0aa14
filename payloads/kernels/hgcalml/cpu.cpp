// The kernel on a CPU: one event in one thread, a few tracksters at a time, so that pictures stay in the
// nearest caches.
#include "kernels/hgcalml/events.h"
#include "kernels/hgcalml/results.h"

namespace sitecap::hgcalml {

namespace {

template <class T>
std::vector<T> room(i64 items) {
  return std::vector<T>(static_cast<std::size_t>(items) + 16, T{});  // lanes may read and write past the last
}

// Buffers for the largest event.
struct Workspace {
  Workspace(i32 clusters, i32 tracksters)
      : best(room<i32>(rows_of_picture * columns_of_picture)),
        filled(room<i32>(rows_of_picture)),
        picture{room<float>(Picture0::floats), room<float>(Picture1::floats), room<float>(Picture2::floats),
                room<float>(Picture3::floats), room<float>(Picture4::floats * tile_places)},
        hidden(room<float>(Hidden::outputs * tile_places)),
        scores(room<float>(i64{head_slots} * (tracksters + tile_places + 16))) {
    for (auto* ints : {&bin, &member}) *ints = room<i32>(clusters);
    for (auto* ints : {&number, &trackster, &offset, &cursor}) *ints = room<i32>(tracksters + 2);
    for (auto* floats : {&energy, &eta, &phi, &cluster_column[0], &cluster_column[1], &cluster_column[2]})
      *floats = room<float>(clusters);
    for (auto* floats :
         {&trackster_eta, &trackster_phi, &probability[0], &probability[1], &probability[2], &probability[3],
          &probability[4], &correction, &answer_gev, &column[0], &column[1], &column[2]})
      *floats = room<float>(tracksters);
    cluster_trackster = room<i32>(clusters);
  }

  std::size_t bytes() const {
    std::size_t words =
        best.size() + filled.size() + hidden.size() + scores.size() + cluster_trackster.size();
    for (const auto& one : picture) words += one.size();
    return 4 * (words + 2 * bin.size() + 4 * number.size() + 6 * energy.size() + 12 * trackster_eta.size());
  }

  std::vector<i32> best, filled, bin, member, number, trackster, offset, cursor, cluster_trackster;
  std::vector<float> picture[5], hidden, scores, energy, eta, phi, cluster_column[3], column[3],
      trackster_eta, trackster_phi, probability[classes], correction, answer_gev;
};

template <class F>
class HgcalMl final : public Payload {
 public:
  HgcalMl(const Columns& columns, const Options& options)
      : events_(columns),
        o_(options),
        weights_(weights_of(columns)),
        w_(events_.most_clusters(), events_.most_tracksters()),
        answers_{{w_.probability[0].data(), w_.probability[1].data(), w_.probability[2].data(),
                  w_.probability[3].data(), w_.probability[4].data()},
                 w_.correction.data(),
                 w_.answer_gev.data()} {}

  int events() const override { return events_.events(); }
  std::size_t workspace_bytes() const override { return w_.bytes() + 4 * weights_.size(); }

  void process(int event, StageClock* clock) override {
    clock_ = clock;
    tracksters_ = events_.tracksters(event);
    clusters_ = events_.clusters(event);
    tell();
    lap("features");
    sort();
    lap("sort");
    for (i32 first = 0; first < count_; first += tile_places) {
      for (i32 i = 0; i < tile_places && first + i < count_; ++i) see(first + i, i);
      for (i32 block = 0; block < hidden_blocks<F>; ++block)
        hide<F>(weights_.data(), w_.picture[4].data(), 0, block, w_.hidden.data());
      for (i32 i = 0; i < tile_places; ++i)
        for (i32 block = 0; block < head_blocks<F>; ++block)
          head<F>(weights_.data(), w_.hidden.data(), i, block, w_.scores.data() + i64{first} * head_slots);
      lap("dense layers");
    }
    for (i32 i = 0; i < count_; i += width_of<F>)
      answer<F>(w_.scores.data(), w_.trackster.data(), tracksters_.energy_gev, i, answers_);
    lap("answers");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

 private:
  void lap(const char* stage) {
    if (clock_ != nullptr) clock_->lap(stage);
  }

  template <class Work>
  static void by_lanes(i32 count, Work&& work) {
    for (i32 i = 0; i < count; i += width_of<F>) work(i);
  }

  void tell() {
    // copies with room for the lanes of the last item
    const auto copy = [](const auto* from, i32 count, auto& to) {
      std::copy(from, from + count, to.begin());
    };
    const float* const of_tracksters[] = {tracksters_.x_cm, tracksters_.y_cm, tracksters_.z_cm};
    for (int a = 0; a < 3; ++a) copy(of_tracksters[a], tracksters_.count, w_.column[a]);
    const float* const of_clusters[] = {clusters_.energy_gev, clusters_.eta, clusters_.phi};
    for (int a = 0; a < 3; ++a) copy(of_clusters[a], clusters_.count, w_.cluster_column[a]);
    copy(clusters_.trackster, clusters_.count, w_.cluster_trackster);
    for (i32 i = clusters_.count; i < clusters_.count + 16; ++i)
      w_.cluster_trackster[static_cast<std::size_t>(i)] = none;
    const Tracksters t{tracksters_.count, w_.column[0].data(), w_.column[1].data(), w_.column[2].data(),
                       tracksters_.energy_gev};
    const Clusters c{clusters_.count,
                     w_.cluster_column[0].data(),
                     w_.cluster_column[1].data(),
                     w_.cluster_column[2].data(),
                     clusters_.layer,
                     w_.cluster_trackster.data()};
    by_lanes(t.count, [&](i32 i) { direct<F>(t, i, w_.trackster_eta.data(), w_.trackster_phi.data()); });
    by_lanes(c.count,
             [&](i32 i) { describe<F>(c, i, w_.trackster_eta.data(), w_.trackster_phi.data(), features()); });
  }

  void sort() {
    const i32 n = tracksters_.count;
    for (i32 i = 0; i < n; ++i)
      w_.number[static_cast<std::size_t>(i)] = is_chosen(tracksters_, o_.least_energy_gev, i);
    count_ = exclusive_scan(w_.number.data(), n);
    for (i32 i = 0; i < n; ++i)
      if (w_.number[static_cast<std::size_t>(i)] != w_.number[static_cast<std::size_t>(i + 1)])
        w_.trackster[static_cast<std::size_t>(w_.number[static_cast<std::size_t>(i)])] = i;
    for (i32 i = count_; i < count_ + 16; ++i) w_.trackster[static_cast<std::size_t>(i)] = 0;
    for (i32 i = 0; i < clusters_.count; ++i)
      w_.bin[static_cast<std::size_t>(i)] = bin_of(clusters_, w_.number.data(), n, i);
    counting_sort(w_.bin.data(), clusters_.count, count_ + 1, w_.offset.data(), w_.cursor.data(),
                  w_.member.data());
  }

  Features features() { return {w_.energy.data(), w_.eta.data(), w_.phi.data()}; }

  template <class Layer>
  void convolve_all(const float* in, float* out) {
    for (i32 tile = 0; tile < convolution_tiles<Layer>; ++tile)
      for (i32 block = 0; block < convolution_blocks<F, Layer>; ++block)
        convolve<F, Layer>(weights_.data(), in, first_place<Layer>(tile), block, out);
  }

  // All convolutions of one trackster.
  void see(i32 item, i32 slot) {
    const i32 from = w_.offset[static_cast<std::size_t>(item)],
              to = w_.offset[static_cast<std::size_t>(item + 1)];
    draw(w_.member.data() + from, to - from, clusters_, features(), w_.best.data(), w_.filled.data(),
         w_.picture[0].data());
    lap("pictures");
    convolve_all<Convolution1>(w_.picture[0].data(), w_.picture[1].data());
    lap("convolution 1");
    convolve_all<Convolution2>(w_.picture[1].data(), w_.picture[2].data());
    lap("convolution 2");
    convolve_all<Convolution3>(w_.picture[2].data(), w_.picture[3].data());
    lap("convolution 3");
    convolve_all<Convolution4>(w_.picture[3].data(), w_.picture[4].data() + slot * Picture4::floats);
    lap("convolution 4");
  }

  Found found() const { return {count_, w_.trackster.data(), answers_}; }

  Events events_;
  Options o_;
  std::vector<float> weights_;
  Workspace w_;
  Answers answers_;
  Tracksters tracksters_{};
  Clusters clusters_{};
  i32 count_ = 0;
  StageClock* clock_ = nullptr;
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  const Options options = options_of(settings);
  if (lanes == 1) return std::make_unique<HgcalMl<float>>(events, options);
  return std::make_unique<HgcalMl<Types<SITECAP_LANES_WIDE>::Float>>(events, options);
}

}  // namespace sitecap::hgcalml
