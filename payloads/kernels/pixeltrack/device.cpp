// The pixel tracks on a device: which arrays there are, and what is launched in which order.
//
// Nothing waits until the result is fetched: numbers of clusters, doublets, links and n-tuplets stay on the
// device, at the end of the arrays in which they were summed.
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/pixeltrack/gpu.cu"
#include "kernels/pixeltrack/results.h"
#include "kernels/pixeltrack/workspace.h"

namespace sitecap::pixeltrack {

namespace {

struct Event {
  Digis digis;

  template <class Visit>
  void each_column(const Visit& visit) {
    for (const u16** column : {&digis.module, &digis.row, &digis.column, &digis.adc})
      visit("digi", *column, digis.count);
  }
};

// What all events read, on the device.
struct Shared {
  const Topology* topology;
  Frames frames;
  Matrix matrix;
  i32 buckets, digi_bins, hit_bins;
};

// All that an event in flight needs, for the largest one.
struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, const Limits& limits, const Shared& shared)
      : SlotOf(device, input_bytes),
        limit(limits),
        primitives(
            memory, stream, limit.clusters,
            std::max({limit.clusters, limit.doublets, limit.tuples, shared.digi_bins, shared.hit_bins}) + 1) {
    const i32 digis = limit.clusters;
    for (i32** ints : {&bin, &order, &join.parent, &join.first, &join.electrons, &label})
      *ints = memory.take<i32>(digis);
    number = memory.take<i32>(digis + 1);
    digi_offset = memory.take<i32>(shared.digi_bins + 2);
    hit_offset = memory.take<i32>(shared.hit_bins + 2);
    clusters = take_clusters(memory, limit.clusters);
    measured = take_hits(memory, limit.clusters);
    hits = take_hits(memory, limit.clusters);
    doublets = take_doublets(memory, limit);
    links = take_links(memory, limit);
    for (u8** bytes : {&killed, &continued}) *bytes = memory.take<u8>(limit.doublets);
    for (i32** ints : {&tuple_first, &hit_first}) *ints = memory.take<i32>(limit.doublets + 1);
    tuples = take_tuples(memory, limit);
    fitted = memory.take<i32>(limit.tuples + 1);
    which = memory.take<i32>(limit.tuples);
    tracks = take_tracks(memory, limit.tuples);
    best_of_doublet = memory.take<u64>(limit.doublets);
    best_of_hit = memory.take<u64>(limit.clusters);
    end = memory.take<i32>(1);
    counts = memory.take<Counts>(1);
    found_counts = pinned.take<Counts>(1);
    const Counts most{limit.clusters, 0, 0, limit.tuples, limit.tuple_hits, 0, 0, 0};
    output = pinned.take<u8>(packed_bytes(view(digis, most)));
  }

  Found view(i32 digis, const Counts& n) const {
    return {digis, n, label, clusters, measured, hits, tuples, tracks};
  }

  Limits limit;
  Primitives primitives;
  i32 *bin, *order, *label, *number, *digi_offset, *hit_offset, *tuple_first, *hit_first, *fitted, *which;
  JoinWork join;
  Clusters clusters;
  Hits measured, hits;
  Doublets doublets;
  Links links;
  u8 *killed, *continued;
  Tuples tuples;
  Tracks tracks;
  u64 *best_of_doublet, *best_of_hit;
  i32* end;
  Counts* counts;
  // on the host
  Counts* found_counts;
  u8* output;
};

class PixelTrackOnDevice : public SlottedPayload<Slot> {
 public:
  PixelTrackOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device) {
    const Events events = read_events(columns, settings);
    share(device, events);
    for (int event = 0; event < events.count(); ++event) events_.add({digis_of(events, event)});
    const Limits limits = limits_of(events, settings);
    slots_ = open_slots<Slot>(
        slots, [&] { return std::make_unique<Slot>(device, events_.most_bytes(), limits, shared_views_); });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const i32 digis = s.event.digis.count;
    const Count clusters{s.number + digis, digis}, doublets{s.doublets.of_outer + digis, s.limit.doublets},
        tuples{s.tuple_first + s.limit.doublets, s.limit.tuples};
    s.stream.fill(reinterpret_cast<i32*>(s.counts), 0, sizeof(Counts) / sizeof(i32));
    cluster(s);
    measure(s, clusters);
    seek_doublets(s, clusters);
    link(s, doublets);
    build(s, doublets);
    fit(s, tuples);
    clean(s, tuples);
    SITECAP_LAUNCH_BLOCKS(s.stream, pixeltrack_count_up, (Shape{1, 1}), clusters.written, doublets.written,
                          s.links.start + s.limit.doublets, tuples.written, s.hit_first + s.limit.doublets,
                          s.counts);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    s.stream.copy_out(s.found_counts, s.counts, 1);
    s.stream.wait();
    s.bring_back(s.view(s.event.digis.count, *s.found_counts), s.output);
    s.stream.wait();
  }

 private:
  void share(Device& device, const Events& events) {
    const auto on_device = [&](const auto* values, i64 count) {
      return upload(device, shared_, values, count);
    };
    const Detector& d = events.detector;
    const i64 modules = events.modules;
    Shared& v = shared_views_;
    v.topology = on_device(&d.topology, 1);
    const Frames f = frames_of(events);
    v.frames = {on_device(f.frame, modules * frame_size), on_device(f.layer, modules),
                on_device(f.matter, modules), on_device(f.region, modules), events.modules};
    v.matrix = matrix_of(d);
    v.matrix.row_edge_cm = on_device(v.matrix.row_edge_cm, d.rows + 1);
    v.matrix.column_edge_cm = on_device(v.matrix.column_edge_cm, d.columns + 1);
    v.buckets = buckets_of(d.columns);
    v.digi_bins = events.modules * v.buckets;
    v.hit_bins = d.topology.layers * phi_bins;
  }

  void cluster(Slot& s) const {
    const Digis& digis = s.event.digis;
    const i32 n = digis.count;
    const Shared& v = shared_views_;
    SITECAP_LAUNCH(s.stream, pixeltrack_place_digis, n, digis, v.buckets, s.join, s.bin);
    s.primitives.sort_by_bin(s.bin, Count{nullptr, n}, v.digi_bins, s.digi_offset, s.order);
    SITECAP_LAUNCH(s.stream, pixeltrack_join_digis, n, digis, s.digi_offset, s.order, v.buckets,
                   s.join.parent);
    SITECAP_LAUNCH(s.stream, pixeltrack_sum_digis, n, v.topology, digis, v.frames, s.join);
    SITECAP_LAUNCH(s.stream, pixeltrack_choose_clusters, n, v.topology, digis, v.frames, s.join, s.number);
    s.primitives.exclusive_scan(s.number, n);
    SITECAP_LAUNCH(s.stream, pixeltrack_begin_clusters, n, digis, s.join, s.number, s.clusters);
    SITECAP_LAUNCH(s.stream, pixeltrack_fill_clusters, n, digis, s.join, s.number, s.clusters, s.label);
    SITECAP_LAUNCH(s.stream, pixeltrack_fill_ends, n, v.topology, digis, v.frames, s.label, s.clusters);
  }

  void measure(Slot& s, Count clusters) const {
    const Shared& v = shared_views_;
    SITECAP_LAUNCH(s.stream, pixeltrack_measure, clusters.at_most, clusters, s.clusters, v.frames, v.matrix,
                   s.measured, s.bin);
    s.primitives.sort_by_bin(s.bin, clusters, v.hit_bins, s.hit_offset, s.order);
    SITECAP_LAUNCH(s.stream, pixeltrack_place, clusters.at_most, clusters, s.measured, s.order, s.hits);
  }

  void seek_doublets(Slot& s, Count clusters) const {
    const Shared& v = shared_views_;
    const i32 n = clusters.at_most;
    i32* const first = s.doublets.of_outer;
    SITECAP_LAUNCH(s.stream, pixeltrack_count_doublets, n, clusters, v.topology, v.frames, s.hits,
                   s.hit_offset, first, &s.counts->doublets_over);
    s.primitives.exclusive_scan(first, n);
    SITECAP_LAUNCH(s.stream, pixeltrack_find_end, n + 1, n, first, s.limit.doublets,
                   static_cast<const i32*>(nullptr), 0, s.end, &s.counts->doublets_over);
    cut(s, n, first);
    SITECAP_LAUNCH(s.stream, pixeltrack_fill_doublets, n, clusters, v.topology, v.frames, s.hits,
                   s.hit_offset, s.doublets);
  }

  void link(Slot& s, Count doublets) const {
    const Topology* t = shared_views_.topology;
    const Doublets& d = s.doublets;
    const i32 n = doublets.at_most;
    SITECAP_LAUNCH(s.stream, pixeltrack_count_links, n, doublets, t, s.hits, d, s.links.start,
                   &s.counts->links_over);
    s.primitives.exclusive_scan(s.links.start, n);
    SITECAP_LAUNCH(s.stream, pixeltrack_find_end, n + 1, n, s.links.start, s.limit.links,
                   static_cast<const i32*>(nullptr), 0, s.end, &s.counts->links_over);
    cut(s, n, s.links.start);
    SITECAP_LAUNCH(s.stream, pixeltrack_fill_links, n, doublets, t, s.hits, d, s.links);
    SITECAP_LAUNCH(s.stream, pixeltrack_find_repeated, n, doublets, t, s.hits, d, s.killed);
    SITECAP_LAUNCH(s.stream, pixeltrack_kill, n, doublets, d, s.killed, s.continued);
    SITECAP_LAUNCH(s.stream, pixeltrack_find_continued, n, doublets, d, s.links, s.continued);
  }

  void build(Slot& s, Count doublets) const {
    const Topology* t = shared_views_.topology;
    const i32 n = doublets.at_most;
    SITECAP_LAUNCH(s.stream, pixeltrack_count_tuples, n, doublets, t, s.doublets, s.links, s.continued,
                   s.tuple_first, s.hit_first, &s.counts->tuples_over);
    s.primitives.exclusive_scan(s.tuple_first, n);
    s.primitives.exclusive_scan(s.hit_first, n);
    SITECAP_LAUNCH(s.stream, pixeltrack_find_end, n + 1, n, s.tuple_first, s.limit.tuples, s.hit_first,
                   s.limit.tuple_hits, s.end, &s.counts->tuples_over);
    cut(s, n, s.tuple_first);
    cut(s, n, s.hit_first);
    SITECAP_LAUNCH(s.stream, pixeltrack_fill_tuples, n, doublets, t, s.doublets, s.links, s.continued,
                   s.tuple_first, s.hit_first, s.tuples);
  }

  void fit(Slot& s, Count tuples) const {
    const Shared& v = shared_views_;
    const i32 n = tuples.at_most;
    no_bids(s, s.best_of_doublet, s.limit.doublets);
    SITECAP_LAUNCH(s.stream, pixeltrack_bid_length, n, tuples, s.tuples, s.best_of_doublet);
    SITECAP_LAUNCH(s.stream, pixeltrack_drop_shorter, n, tuples, s.tuples, s.best_of_doublet, s.tracks,
                   s.fitted);
    s.primitives.compact(s.fitted, n, s.which);
    SITECAP_LAUNCH(s.stream, pixeltrack_fit, n, (Count{s.fitted + n, n}), v.topology, v.frames, s.hits,
                   s.tuples, s.which, s.tracks);
  }

  void clean(Slot& s, Count tuples) const {
    const i32 n = tuples.at_most;
    no_bids(s, s.best_of_doublet, s.limit.doublets);
    SITECAP_LAUNCH(s.stream, pixeltrack_bid, n, tuples, s.tuples, s.tracks, s.tuples.doublet, 0,
                   s.best_of_doublet);
    SITECAP_LAUNCH(s.stream, pixeltrack_drop_worse, n, tuples, s.tuples, s.tracks, s.best_of_doublet);
    no_bids(s, s.best_of_hit, s.limit.clusters);
    SITECAP_LAUNCH(s.stream, pixeltrack_bid, n, tuples, s.tuples, s.tracks, s.tuples.hit, 1, s.best_of_hit);
    SITECAP_LAUNCH(s.stream, pixeltrack_drop_sharing, n, tuples, shared_views_.topology, s.tuples, s.tracks,
                   s.best_of_hit);
  }

  static void cut(Slot& s, i32 n, i32* start) {
    SITECAP_LAUNCH(s.stream, pixeltrack_cut, n + 1, n, s.end, start);
  }
  static void no_bids(Slot& s, u64* best, i64 count) {
    static_assert(no_bid == ~u64{0}, "all bits are set");
    s.stream.fill(reinterpret_cast<i32*>(best), -1, 2 * count);
  }

  Shared shared_views_{};
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<PixelTrackOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::pixeltrack
