// The kernel on a device: which arrays there are, and what is launched in which order.
//
// Nothing waits until the result is fetched: how many there are of each stays on the device, in Counts.
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/catracks/gpu.cu"
#include "kernels/catracks/results.h"
#include "kernels/catracks/sizes.h"

namespace sitecap::catracks {

namespace {

struct Event {
  Hits hits;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("hit_x", hits.x, hits.count);
    visit("hit_y", hits.y, hits.count);
    visit("hit_z", hits.z, hits.count);
    visit("hit_module", hits.module, hits.count);
    visit("hit_sensor", hits.sensor, hits.count);
  }
};

struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 most_bytes, const Limits& limit, i64 hits, i64 sensors)
      : SlotOf(device, most_bytes),
        primitives(memory, stream, std::max(limit.doublets, points * limit.quintuplets),
                   std::max({hits, i64{cells} * phi_bins, i64{limit.doublets}, i64{limit.segments},
                             i64{limit.triplets}, i64{limit.quintuplets}}) +
                       1) {
    const auto on_device = [&](auto type, i64 count) { return memory.take<decltype(type)>(count); };
    const i64 quints = limit.quintuplets, members = points * quints;
    n = memory.take<Counts>(1);
    sensor_start = on_device(0, sensors + 1);
    first_doublet = on_device(0, hits + 1);
    unsorted = take_doublets(on_device, limit.doublets);
    doublets = take_doublets(on_device, limit.doublets);
    bin = on_device(0, std::max<i64>(limit.doublets, members));
    order = on_device(0, std::max<i64>(limit.doublets, members));
    bin_start = on_device(0, i64{cells} * phi_bins + 2);
    segments = take_pairs<Segments>(on_device, limit.segments, limit.doublets);
    triplets = take_pairs<Triplets>(on_device, limit.triplets, limit.segments);
    first_quintuplet = on_device(0, i64{limit.triplets} + 1);
    quintuplets = take_quintuplets(on_device, quints);
    owners = {on_device(0, hits + 2), on_device(0, members)};
    track = on_device(0, quints);
    tracks = {on_device(0.f, quints), on_device(0.f, quints), on_device(0.f, quints), on_device(0.f, quints),
              on_device(0, quints)};
    for (i32** column : {&kept, &lengths, &path_start}) *column = on_device(0, quints + 1);
    path_point = on_device(0, layers * quints);
    Found most{};
    most.n.doublets = limit.doublets;
    most.n.segments = limit.segments;
    most.n.triplets = limit.triplets;
    most.n.quintuplets = most.n.tracks = limit.quintuplets;
    most.n.path_points = layers * limit.quintuplets;
    output = pinned.take<u8>(packed_bytes(most));
    found_n = pinned.take<Counts>(1);
  }

  Primitives primitives;
  Counts* n;
  i32 *sensor_start, *first_doublet, *bin, *order, *bin_start, *first_quintuplet;
  Doublets unsorted, doublets;  // as modules have them; by cell and phi
  Segments segments;
  Triplets triplets;
  Quintuplets quintuplets;
  Owners owners;
  i32 *track, *kept, *lengths, *path_start, *path_point;
  Tracks tracks;
  // on the host
  Counts* found_n;
  u8* output;
};

class CaTracksOnDevice : public SlottedPayload<Slot> {
 public:
  CaTracksOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device) {
    const Events events = read_events(columns, settings);
    cuts_ = events.cuts;
    limit_ = limits_of(events, settings);
    layout_ = upload(device, shared_, &events.layout, 1);
    modules_ = {upload(device, shared_, events.frame.data(), events.modules * frame_size),
                upload(device, shared_, events.layer.data(), events.modules),
                upload(device, shared_, events.has_pixels.data(), events.modules), events.modules};
    for (int event = 0; event < events.count(); ++event) {
      const i32 begin = events.offset[event];
      events_.add({Hits{events.x.data() + begin, events.y.data() + begin, events.z.data() + begin,
                        events.module.data + begin, events.sensor.data + begin,
                        events.offset[event + 1] - begin, nullptr}});
    }
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), limit_, events.most_hits, sensors());
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    s.event.hits.sensor_start = s.sensor_start;
    s.stream.fill(reinterpret_cast<i32*>(s.n), 0, sizeof(Counts) / sizeof(i32));
    find_doublets(s);
    find_segments(s);
    find_triplets(s);
    find_quintuplets(s);
    clean(s);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    s.stream.copy_out(s.found_n, s.n, 1);
    s.stream.wait();
    s.bring_back({*s.found_n, s.doublets, s.segments, s.triplets, s.quintuplets, s.track, s.path_start,
                  s.path_point, s.tracks},
                 s.output);
    s.stream.wait();
  }

 private:
  i32 sensors() const { return 2 * modules_.count; }
  Count doublets(const Slot& s) const { return {&s.n->doublets, limit_.doublets}; }
  Count segments(const Slot& s) const { return {&s.n->segments, limit_.segments}; }
  Count triplets(const Slot& s) const { return {&s.n->triplets, limit_.triplets}; }
  Count quintuplets(const Slot& s) const { return {&s.n->quintuplets, limit_.quintuplets}; }

  void find_doublets(Slot& s) {
    const Hits& hits = s.event.hits;
    const i64 items = i64{hits.count} + 1;
    const Count found = doublets(s);
    SITECAP_LAUNCH(s.stream, catracks_sensor_start, items, hits, sensors());
    SITECAP_LAUNCH(s.stream, catracks_count_doublets, hits.count, cuts_, modules_, hits, s.first_doublet);
    s.primitives.exclusive_scan(s.first_doublet, hits.count);
    SITECAP_LAUNCH(s.stream, catracks_fill_doublets, items, cuts_, modules_, hits, s.first_doublet,
                   limit_.doublets, s.unsorted, s.n);
    SITECAP_LAUNCH(s.stream, catracks_finish_doublets, found.at_most, cuts_, s.unsorted, found, s.bin);
    s.primitives.sort_by_bin(s.bin, found, cells * phi_bins, s.bin_start, s.order);
    SITECAP_LAUNCH(s.stream, catracks_place_doublets, found.at_most, s.unsorted, s.order, found, s.doublets);
  }

  void find_segments(Slot& s) {
    const Count items = doublets(s);
    SITECAP_LAUNCH(s.stream, catracks_count_segments, items.at_most, cuts_, layout_, s.bin_start, s.doublets,
                   items, s.segments.start);
    s.primitives.exclusive_scan(s.segments.start, items.at_most);
    SITECAP_LAUNCH(s.stream, catracks_fill_segments, i64{items.at_most} + 1, cuts_, layout_, s.bin_start,
                   s.doublets, items, limit_.segments, s.segments, s.n);
  }

  void find_triplets(Slot& s) {
    const Count items = segments(s);
    SITECAP_LAUNCH(s.stream, catracks_count_triplets, items.at_most, cuts_, s.doublets, s.segments, items,
                   s.triplets.start, s.n);
    s.primitives.exclusive_scan(s.triplets.start, items.at_most);
    SITECAP_LAUNCH(s.stream, catracks_fill_triplets, i64{items.at_most} + 1, cuts_, s.doublets, s.segments,
                   items, limit_.triplets, s.triplets, s.n);
  }

  void find_quintuplets(Slot& s) {
    const Count items = triplets(s);
    SITECAP_LAUNCH(s.stream, catracks_count_quintuplets, items.at_most, cuts_, s.doublets, s.segments,
                   s.triplets, items, s.first_quintuplet, s.n);
    s.primitives.exclusive_scan(s.first_quintuplet, items.at_most);
    SITECAP_LAUNCH(s.stream, catracks_fill_quintuplets, i64{items.at_most} + 1, cuts_, s.doublets, s.segments,
                   s.triplets, items, limit_.quintuplets, s.first_quintuplet, s.quintuplets, s.n);
  }

  void clean(Slot& s) {
    const Count items = quintuplets(s), members{&s.n->quintuplet_points, points * items.at_most};
    SITECAP_LAUNCH(s.stream, catracks_bin_points, members.at_most, s.doublets, s.quintuplets, members, s.bin);
    s.primitives.sort_by_bin(s.bin, members, s.event.hits.count, s.owners.start, s.order);
    SITECAP_LAUNCH(s.stream, catracks_own, members.at_most, members, s.order, s.owners);
    SITECAP_LAUNCH(s.stream, catracks_clean, items.at_most, cuts_, s.doublets, s.quintuplets, s.owners, items,
                   s.kept, s.lengths);
    s.primitives.compact(s.kept, items.at_most, s.track);
    s.primitives.exclusive_scan(s.lengths, items.at_most);
    SITECAP_LAUNCH(s.stream, catracks_fill_tracks, i64{items.at_most} + 1, cuts_, s.doublets, s.quintuplets,
                   s.owners, items, s.kept, s.lengths, s.path_start, s.path_point, s.tracks, s.n);
  }

  Cuts cuts_;
  Limits limit_{};
  const Layout* layout_ = nullptr;
  Modules modules_{};
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<CaTracksOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::catracks
