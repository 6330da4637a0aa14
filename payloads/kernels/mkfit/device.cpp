// The kernel on a device: what is launched in which order.
//
// All seeds meet the layers of their regions together, place by place of the regions' plans. Nothing waits
// until the result is fetched: how many seeds meet a layer, and how many pairs they have, stays on the
// device.
#include "kernels/mkfit/bare_device.h"
#include "kernels/mkfit/device_memory.h"
#include "kernels/mkfit/settings.h"

namespace sitecap::mkfit {

namespace {

class MkFitOnDevice : public SlottedPayload<Slot> {
 public:
  MkFitOnDevice(const Events& events, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), p_(parameters_of(settings)) {
    layers_ = static_cast<i32>(events.layers.size());
    for (const i32 count : events.plan.count) places_ = std::max(places_, count);
    tracker_ = {upload(device, shared_, events.layers.data(), layers_),
                upload(device, shared_, &events.plan, 1)};
    for (int event = 0; event < events.count(); ++event) {
      const i32 hit = events.hit_offset[event], seed = events.seed_offset[event];
      events_.add({raw_hits(events, hit), raw_seeds(events, seed), events.hit_offset[event + 1] - hit,
                   events.seed_offset[event + 1] - seed});
    }
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), events.most_event_hits, events.most_seeds,
                                    layers_, places_);
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const Hits hits{s.points, s.sorted_phi, s.sorted_along, s.bin_offset};
    s.stream.fill(s.counts, 0, 2 * i64{places_} + 1);
    sort_hits(s);
    begin(s);
    for (i32 place = 0; place < places_; ++place) meet_layer(s, hits, place);
    end(s);
    clean(s);
  }

  // One wait: not many fewer than all tracks are kept.
  void fetch(int slot) override {
    Slot& s = at(slot);
    const auto [hits, seeds] = std::pair(s.event.hit_count, s.event.seed_count);
    s.stream.copy_out(s.found_counts, s.numbers + seeds, 1);
    s.stream.copy_out(s.found_counts + 1, overflows(s), 1);
    s.bring_back({hits, seeds, 0, 0, s.kept, s.tracks.track, s.tracks.rows, s.tracks.hits, s.hit_order},
                 s.output);
    s.stream.wait();
    s.found.kept_count = s.found_counts[0];
    s.found.overflows = s.found_counts[1];
  }

 private:
  i32* overflows(Slot& s) const { return s.counts + 2 * i64{places_}; }

  void sort_hits(Slot& s) {
    const i32 hits = s.event.hit_count;
    SITECAP_LAUNCH(s.stream, mkfit_bin_hits, hits, s.event.hits, tracker_.layers, hits, s.phi, s.along,
                   s.inverse_radius, s.hit_bin);
    s.primitives.sort_by_bin(s.hit_bin, Count{nullptr, hits}, layers_ * phi_bins, s.bin_offset, s.hit_order);
    SITECAP_LAUNCH(s.stream, mkfit_place_hits, hits, s.event.hits, s.hit_order, hits, s.phi, s.along,
                   s.inverse_radius, s.hit_place, s.points, s.sorted_phi, s.sorted_along);
  }

  // Seeds of a region and a sector side by side: threads of a block then do the same at the same layers.
  void begin(Slot& s) {
    const i32 seeds = s.event.seed_count;
    SITECAP_LAUNCH(s.stream, mkfit_direct_seeds, seeds, s.event.seeds, seeds, s.direction);
    s.primitives.sort_by_bin(s.direction, Count{nullptr, seeds}, directions, s.small_offset, s.seed_order);
    SITECAP_LAUNCH(s.stream, mkfit_begin, seeds, s.event.seeds, s.event.hits.layer, tracker_, seeds,
                   s.building);
  }

  void meet_layer(Slot& s, const Hits& hits, i32 place) {
    const i32 seeds = s.event.seed_count;
    i32 *met = s.counts + 2 * i64{place}, *found = met + 1;
    const Count count{met, seeds}, pairs{found, seeds * most_pairs};
    const Building& b = s.building;
    const i64 candidates = i64{seeds} * most_candidates;
    const i32* list = s.met;
    SITECAP_LAUNCH(s.stream, mkfit_meet, seeds, b, tracker_, place, seeds, met, s.met);
    SITECAP_LAUNCH(s.stream, mkfit_cross, candidates, b, p_, tracker_, place, count, list);
    SITECAP_LAUNCH(s.stream, mkfit_search, seeds, b, hits, tracker_, place, count, list, found, s.pair_list,
                   overflows(s));
    SITECAP_LAUNCH(s.stream, mkfit_try_pairs, i64{seeds} * most_pairs, b, p_, hits, tracker_, place, pairs,
                   s.pair_list);
    SITECAP_LAUNCH(s.stream, mkfit_choose, seeds, b, p_, count, list, overflows(s));
    SITECAP_LAUNCH(s.stream, mkfit_go_on, candidates, b, hits, tracker_, place, count, list);
    SITECAP_LAUNCH(s.stream, mkfit_take_overlaps, seeds, b, p_, hits, tracker_, place, count, list);
  }

  void end(Slot& s) {
    const i32 seeds = s.event.seed_count;
    SITECAP_LAUNCH(s.stream, mkfit_end, seeds, s.event.seeds, s.building, seeds, s.tracks, s.shortness);
    s.primitives.sort_by_bin(s.shortness, Count{nullptr, seeds}, most_hits + 1, s.small_offset, s.fit_order);
    SITECAP_LAUNCH(s.stream, mkfit_fit, seeds, s.tracks, s.fit_order, s.points, s.event.hits.layer,
                   s.hit_order, tracker_.layers, seeds);
  }

  void clean(Slot& s) {
    const i32 hits = s.event.hit_count, seeds = s.event.seed_count;
    const Count places{nullptr, seeds * most_hits}, used{s.user_offset + hits, places.at_most};
    SITECAP_LAUNCH(s.stream, mkfit_bin_users, places.at_most, p_, s.tracks, seeds, hits, s.user_bin);
    s.primitives.sort_by_bin(s.user_bin, places, hits, s.user_offset, s.user_order);
    SITECAP_LAUNCH(s.stream, mkfit_link_users, places.at_most, used, s.tracks, s.user_offset, s.user_order,
                   s.users);
    SITECAP_LAUNCH(s.stream, mkfit_keep, seeds, p_, s.tracks, s.users, seeds, s.numbers);
    s.primitives.compact(s.numbers, seeds, s.kept);
  }

  Parameters p_;
  i32 layers_ = 0, places_ = 0;
  Tracker tracker_{};
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& columns, const Settings& settings,
                                              Device& device, int slots) {
  const Events events(columns);
  if (setting(settings, "bare_layers", 0) > 0)
    return std::make_unique<BareOnDevice>(events, settings, device, slots);
  return std::make_unique<MkFitOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::mkfit
