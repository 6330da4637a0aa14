// The Kalman step alone on a device. Host only.
#pragma once
#include "kernels/mkfit/bare.h"
#include "kernels/mkfit/device_memory.h"

namespace sitecap::mkfit {

struct BareFound {
  i32 seed_count;
  const float* covariance;  // 21 of each seed

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("covariance", covariance, 21 * i64{seed_count});
  }
};
inline Columns columns_of(const BareFound&) {
  return {};
}
inline u64 digest_of(const BareFound& found) {
  Digest digest;
  for (i64 i = 0; i < found.seed_count; ++i) digest.add(found.covariance + 21 * i, 21);
  return digest.value();
}

struct BareSlot : SlotOf<Event, BareFound> {
  BareSlot(Device& device, i64 most_bytes, i64 seeds)
      : SlotOf(device, most_bytes),
        covariance(memory.take<float>(21 * seeds)),
        output(pinned.take<u8>(packed_bytes(BareFound{static_cast<i32>(seeds), nullptr}))) {}

  float* covariance;
  float* points = nullptr;  // of the event that is in flight
  u8* output;
};

class BareOnDevice : public SlottedPayload<BareSlot> {
 public:
  BareOnDevice(const Events& events, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), cylinders_(bare_cylinders(settings)) {
    for (int event = 0; event < events.count(); ++event) {
      const i32 seed = events.seed_offset[event], seeds = events.seed_offset[event + 1] - seed;
      events_.add({{}, raw_seeds(events, seed), 0, seeds});
      points_.push_back(shared_.take<float>(i64{cylinders_} * seeds * point_floats));
    }
    slots_ = open_slots<BareSlot>(
        slots, [&] { return std::make_unique<BareSlot>(device, events_.most_bytes(), events.most_seeds); });
    for (int event = 0; event < events_.count(); ++event) place(event);
  }

  void bring(int slot, int event) override {
    SlottedPayload::bring(slot, event);
    at(slot).points = points_[static_cast<std::size_t>(event)];
  }
  void reconstruct(int slot) override {
    BareSlot& s = at(slot);
    const i32 seeds = s.event.seed_count;
    SITECAP_LAUNCH(s.stream, mkfit_fly, seeds, s.event.seeds, seeds, cylinders_, s.points, s.covariance);
  }
  void fetch(int slot) override {
    BareSlot& s = at(slot);
    s.bring_back({s.event.seed_count, s.covariance}, s.output);
    s.stream.wait();
  }

 private:
  // The hits of an event's seeds, once.
  void place(int event) {
    bring(0, event);
    BareSlot& s = at(0);
    const i32 seeds = s.event.seed_count;
    SITECAP_LAUNCH(s.stream, mkfit_place_points, seeds, s.event.seeds, seeds, cylinders_, s.points);
    s.stream.wait();
  }

  i32 cylinders_;
  std::vector<float*> points_;  // of each event
};

}  // namespace sitecap::mkfit
