// The kernel on a device: which arrays there are, and what is launched in which order.
//
// Nothing waits until the result is fetched: how many tracksters have an answer stays on the device.
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/hgcalml/events.h"
#include "kernels/hgcalml/gpu.cu"
#include "kernels/hgcalml/results.h"

namespace sitecap::hgcalml {

namespace {

struct Event {
  Clusters clusters;
  Tracksters tracksters;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("cluster_energy", clusters.energy_gev, clusters.count);
    visit("cluster_eta", clusters.eta, clusters.count);
    visit("cluster_phi", clusters.phi, clusters.count);
    visit("cluster_layer", clusters.layer, clusters.count);
    visit("cluster_trackster", clusters.trackster, clusters.count);
    visit("trackster_x", tracksters.x_cm, tracksters.count);
    visit("trackster_y", tracksters.y_cm, tracksters.count);
    visit("trackster_z", tracksters.z_cm, tracksters.count);
    visit("trackster_energy", tracksters.energy_gev, tracksters.count);
  }
};

// All that an event in flight needs, for the largest one.
struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, i32 clusters, i32 tracksters)
      : SlotOf(device, input_bytes),
        primitives(memory, stream, std::max(clusters, tracksters), i64{tracksters} * rows_of_picture + 1) {
    const i64 rows = i64{tracksters} * rows_of_picture;
    for (float** floats : {&features.energy, &features.eta, &features.phi})
      *floats = memory.take<float>(clusters);
    for (i32** ints : {&bin, &member}) *ints = memory.take<i32>(clusters);
    for (float** floats : {&eta, &phi, &answers.correction, &answers.energy_gev})
      *floats = memory.take<float>(tracksters);
    for (float*& floats : answers.probability) floats = memory.take<float>(tracksters);
    number = memory.take<i32>(tracksters + 1);
    trackster = memory.take<i32>(tracksters);
    offset = memory.take<i32>(rows + 2);
    best = memory.take<i32>(rows * columns_of_picture);
    filled = memory.take<i32>(rows);
    const i64 floats[] = {Picture0::floats, Picture1::floats, Picture2::floats, Picture3::floats,
                          Picture4::floats};
    for (int k = 0; k < 5; ++k) {
      picture[k] = memory.take<float>(floats[k] * tracksters);
      // borders, which nothing writes to, and what is not drawn
      stream.fill(reinterpret_cast<i32*>(picture[k]), 0, floats[k] * tracksters);
    }
    stream.fill(filled, 0, rows);
    hidden = memory.take<float>(i64{Hidden::outputs} * tracksters);
    scores = memory.take<float>(i64{head_slots} * tracksters);
    count = pinned.take<i32>(1);
    output = pinned.take<u8>(packed_bytes(Found{tracksters, trackster, answers}));
  }

  Primitives primitives;
  Features features;
  i32 *bin, *member, *number, *trackster, *offset, *best, *filled;
  float *eta, *phi, *picture[5], *hidden, *scores;
  Answers answers;
  // on the host
  i32* count;
  u8* output;
};

class HgcalMlOnDevice : public SlottedPayload<Slot> {
 public:
  HgcalMlOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), o_(options_of(settings)) {
    const Events events(columns);
    const std::vector<float> weights = weights_of(columns);
    weights_ = upload(device, shared_, weights.data(), static_cast<i64>(weights.size()));
    for (int event = 0; event < events.events(); ++event)
      events_.add({events.clusters(event), events.tracksters(event)});
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), events.most_clusters(),
                                    events.most_tracksters());
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const i32 tracksters = s.event.tracksters.count;
    const Count chosen{s.number + tracksters, tracksters};  // where the scan leaves the total
    draw_pictures(s, chosen);
    infer(s, chosen);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    s.stream.copy_out(s.count, s.number + s.event.tracksters.count, 1);
    s.stream.wait();
    s.bring_back({*s.count, s.trackster, s.answers}, s.output);
    s.stream.wait();
  }

 private:
  void draw_pictures(Slot& s, Count chosen) const {
    const auto& [c, t] = s.event;
    const i32 rows = t.count * rows_of_picture;
    SITECAP_LAUNCH(s.stream, hgcalml_direct, t.count, t, s.eta, s.phi);
    SITECAP_LAUNCH(s.stream, hgcalml_describe, c.count, c, s.eta, s.phi, s.features);
    SITECAP_LAUNCH(s.stream, hgcalml_choose, t.count, t, o_.least_energy_gev, s.number);
    s.primitives.compact(s.number, t.count, s.trackster);
    SITECAP_LAUNCH(s.stream, hgcalml_row_bins, c.count, c, s.number, t.count, s.bin);
    s.primitives.sort_by_bin(s.bin, Count{nullptr, c.count}, rows, s.offset, s.member);
    SITECAP_LAUNCH(s.stream, hgcalml_draw, rows, chosen, s.offset, s.member, c, s.features, s.best, s.filled,
                   s.picture[0]);
  }

  void infer(Slot& s, Count chosen) const {
    const i64 most = chosen.at_most;
    SITECAP_LAUNCH(s.stream, hgcalml_convolve_1, most * convolution_items<Convolution1>, chosen, weights_,
                   s.picture[0], s.picture[1]);
    SITECAP_LAUNCH(s.stream, hgcalml_convolve_2, most * convolution_items<Convolution2>, chosen, weights_,
                   s.picture[1], s.picture[2]);
    SITECAP_LAUNCH(s.stream, hgcalml_convolve_3, most * convolution_items<Convolution3>, chosen, weights_,
                   s.picture[2], s.picture[3]);
    SITECAP_LAUNCH(s.stream, hgcalml_convolve_4, most * convolution_items<Convolution4>, chosen, weights_,
                   s.picture[3], s.picture[4]);
    SITECAP_LAUNCH(s.stream, hgcalml_hide, most * Hidden::outputs, chosen, weights_, s.picture[4], s.hidden);
    SITECAP_LAUNCH(s.stream, hgcalml_head, most * heads, chosen, weights_, s.hidden, s.scores);
    SITECAP_LAUNCH(s.stream, hgcalml_answer, most, chosen, s.scores, s.trackster,
                   s.event.tracksters.energy_gev, s.answers);
  }

  Options o_;
  const float* weights_ = nullptr;
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<HgcalMlOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::hgcalml
