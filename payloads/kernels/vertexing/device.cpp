// Vertexing on a device: which arrays there are, and what is launched in which order.
//
// Nothing waits until the result is fetched. The annealing of a block of tracks is one launch: how often its
// prototypes move, split and merge is decided on the device.
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/vertexing/events.h"
#include "kernels/vertexing/gpu.cu"
#include "kernels/vertexing/workspace.h"

namespace sitecap::vertexing {

namespace {

struct Event {
  EventTracks tracks;

  template <class Visit>
  void each_column(const Visit& visit) {
    EventTracks& t = tracks;
    for (const float** column : {&t.q_over_pt, &t.phi, &t.cot_theta, &t.d0, &t.z0, &t.pt, &t.eta, &t.chi2})
      visit("track", *column, t.count);
    for (const float*& column : t.covariance) visit("track_covariance", column, t.count);
    for (const u8** column : {&t.ndof, &t.layers, &t.pixel_layers}) visit("track", *column, t.count);
  }
};

// Makes the arrays of workspace.h on the device.
struct OnDevice {
  DeviceMemory* memory;
  template <class T>
  T* make(i64 count) {
    return memory->take<T>(count);
  }
};

// All that an event in flight needs, for the largest one.
struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, i32 tracks, const Options& o)
      : SlotOf(device, input_bytes),
        most_clusters(max_of(tracks, prototypes_an_event)),
        primitives(memory, stream, tracks, max_of(most_clusters, z_bins) + 1) {
    OnDevice arrays{&memory};
    for (float** floats : {&weight, &prior}) *floats = memory.take<float>(tracks);
    for (i32** ints : {&bin, &by_index, &order, &members}) *ints = memory.take<i32>(tracks);
    for (i32** ints : {&chosen, &number}) *ints = memory.take<i32>(tracks + 1);
    side = memory.take<u8>(tracks);
    bin_offset = memory.take<i32>(z_bins + 2);
    selected = make_selected(arrays, tracks);
    const i32 blocks = most_blocks(tracks, o);
    block_tracks = make_block_tracks(arrays, i64{blocks} * (o.block_tracks + slots));
    block_prototypes = make_prototypes(arrays, prototypes_a_block, blocks);
    results = make_block_results(arrays, blocks);
    whole_tracks = make_block_tracks(arrays, tracks + slots);
    prototypes = make_prototypes(arrays, prototypes_an_event, 1);
    owner = memory.take<i32>(tracks);
    log_z = memory.take<float>(tracks + slots);
    before = memory.take<i32>(prototypes_an_event + 1);
    density = make_density(arrays, tracks);
    fit = make_fit_tracks(arrays, tracks);
    for (Clustering& one : by) one = make_clustering(arrays, tracks);
    totals = memory.take<Totals>(1);
    found_totals = pinned.take<Totals>(1);
    Found most{};
    most.tracks = tracks;
    most.prototypes = prototypes_an_event;
    most.count[0] = most.count[1] = most_clusters;
    output = pinned.take<u8>(packed_bytes(most));
  }

  i32 most_clusters;
  Primitives primitives;
  float *weight, *prior, *log_z;
  i32 *bin, *by_index, *order, *members, *chosen, *number, *bin_offset, *owner, *before;
  u8* side;
  Selected selected;
  BlockTracks block_tracks, whole_tracks;
  Prototypes block_prototypes, prototypes;
  BlockResults results;
  DensityTracks density;
  FitTracks fit;
  Clustering by[2];  // annealing, density
  Totals* totals;
  // on the host
  Totals* found_totals;
  u8* output;
};

class VertexingOnDevice : public SlottedPayload<Slot> {
 public:
  VertexingOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), o_(options_of(settings)) {
    const Events events(columns);
    beam_ = events.beam();
    for (int event = 0; event < events.events(); ++event) events_.add({events.event(event)});
    slots_ = open_slots<Slot>(
        slots, [&] { return std::make_unique<Slot>(device, events_.most_bytes(), events.largest(), o_); });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const i32 tracks = s.event.tracks.count;
    // where scans leave their totals
    const Count selected{s.bin_offset + z_bins, tracks}, dense{s.chosen + tracks, tracks};
    select(s, selected);
    anneal(s, selected);
    const Count annealed{s.before + prototypes_an_event, prototypes_an_event};
    fit(s, selected, annealed, s.by[0], s.totals->vertices);
    cluster_by_density(s, selected, dense);
    const Count pieces{s.by[1].pieces + tracks, tracks};
    fit(s, selected, pieces, s.by[1], s.totals->vertices + 1);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    s.stream.copy_out(s.found_totals, s.totals, 1);
    s.stream.wait();
    s.bring_back(found_in(s.event.tracks.count, *s.found_totals, s.totals, s.by, s.prototypes), s.output);
    s.stream.wait();
  }

 private:
  void select(Slot& s, Count selected) const {
    const EventTracks& t = s.event.tracks;
    SITECAP_LAUNCH(s.stream, vertexing_weigh, t.count, t, beam_, o_, s.weight, s.prior, s.bin);
    s.primitives.sort_by_bin(s.bin, Count{nullptr, t.count}, z_bins, s.bin_offset, s.by_index);
    SITECAP_LAUNCH(s.stream, vertexing_order_bins, t.count, selected, t, s.bin, s.bin_offset, s.by_index,
                   s.order);
    SITECAP_LAUNCH(s.stream, vertexing_place, t.count, selected, t, s.weight, s.prior, s.order, s.selected);
  }

  void anneal(Slot& s, Count selected) const {
    const i32 tracks = s.event.tracks.count;
    const u32 threads = s.stream.device().block_threads();
    const Shape a_block_each{static_cast<u32>(most_blocks(tracks, o_)), threads};
    SITECAP_LAUNCH_BLOCKS(s.stream, vertexing_anneal, a_block_each, selected, s.selected, s.block_tracks,
                          s.block_prototypes, o_, s.results);
    // alone with all tracks: as many threads as its registers allow
    const Shape one_block{1, std::max(threads, 512u)};
    SITECAP_LAUNCH_BLOCKS(s.stream, vertexing_settle, one_block, selected, s.selected, s.whole_tracks,
                          s.prototypes, o_, s.results, s.block_prototypes.overflow, s.totals);
    s.stream.fill(s.owner, -1, tracks);
    SITECAP_LAUNCH(s.stream, vertexing_assign, i64{tracks} + vertexing::slots, selected, s.whole_tracks,
                   s.prototypes, o_, s.results, s.owner, s.log_z);
    SITECAP_LAUNCH_BLOCKS(s.stream, vertexing_free_energy, (Shape{1, vertexing::slots}), selected,
                          s.prototypes, o_, s.results, s.whole_tracks, s.log_z, s.totals);
    SITECAP_LAUNCH(s.stream, vertexing_begin_clusters, prototypes_an_event, s.prototypes, o_, s.before);
    s.primitives.exclusive_scan(s.before, prototypes_an_event);
    SITECAP_LAUNCH(s.stream, vertexing_number_owners, tracks, selected, s.owner, s.before,
                   s.by[0].cluster_of);
  }

  void cluster_by_density(Slot& s, Count selected, Count dense) const {
    const i32 tracks = s.event.tracks.count;
    Clustering& found = s.by[1];
    const DensityTracks& t = s.density;
    const Count seeds{s.number + tracks, tracks};
    SITECAP_LAUNCH(s.stream, vertexing_choose, tracks, selected, s.selected, o_, s.chosen);
    s.primitives.compact(s.chosen, tracks, t.place);
    SITECAP_LAUNCH(s.stream, vertexing_take, tracks, dense, s.selected, t);
    SITECAP_LAUNCH(s.stream, vertexing_neighbours, tracks, dense, t, o_);
    SITECAP_LAUNCH(s.stream, vertexing_parents, tracks, dense, t, o_);
    s.stream.fill(s.number, 0, tracks);
    SITECAP_LAUNCH(s.stream, vertexing_seeds, tracks, dense, t, o_, s.number);
    s.primitives.exclusive_scan(s.number, tracks);
    SITECAP_LAUNCH(s.stream, vertexing_number_seeds, tracks, dense, t, s.number, tracks, s.bin);
    s.primitives.sort_by_bin(s.bin, dense, tracks, found.offset, s.members);
    s.stream.fill(found.pieces, 0, tracks);
    SITECAP_LAUNCH(s.stream, vertexing_split, tracks, seeds, t, o_, s.members, found.offset, found.start_z,
                   s.side, found.pieces);
    s.primitives.exclusive_scan(found.pieces, tracks);
    s.stream.fill(found.cluster_of, -1, tracks);
    SITECAP_LAUNCH(s.stream, vertexing_place_pieces, tracks, dense, t, found.pieces, s.side,
                   found.cluster_of);
  }

  // `vertices` becomes their number.
  void fit(Slot& s, Count selected, Count clusters, Clustering& found, i32* vertices) const {
    const EventTracks& t = s.event.tracks;
    const i32 last = clusters.at_most;
    const Count used{found.offset + last, t.count};
    SITECAP_LAUNCH(s.stream, vertexing_bins_of_clusters, t.count, selected, found.cluster_of, last, s.bin);
    s.primitives.sort_by_bin(s.bin, selected, last, found.offset, s.fit.place);
    SITECAP_LAUNCH(s.stream, vertexing_gather, t.count, used, t, s.selected, beam_, s.fit);
    if (last > 0)
      SITECAP_LAUNCH_BLOCKS(s.stream, vertexing_fit, (Shape{static_cast<u32>(last), vertexing::slots}),
                            clusters, s.fit, s.selected, beam_, o_, found.offset, found.unordered);
    SITECAP_LAUNCH(s.stream, vertexing_rank, last, clusters, found.unordered, found.vertices,
                   found.vertex_of_cluster, vertices);
    SITECAP_LAUNCH(s.stream, vertexing_forget_tracks, t.count, t, found.track_vertex, found.track_weight);
    SITECAP_LAUNCH(s.stream, vertexing_tell_tracks, t.count, used, s.fit, s.selected, found.cluster_of,
                   found.vertex_of_cluster, found.track_vertex, found.track_weight);
  }

  Options o_;
  BeamSpot beam_{};
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<VertexingOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::vertexing
