// The kernel on a device: which arrays there are, and what is launched in which order.
//
// Nothing waits until the result is fetched: how many points, clusters and tracksters there are stays on the
// device, where scans leave it at the end of their arrays.
#include "host/device_primitives.h"
#include "host/device_slots.h"
#include "kernels/clue/gpu.cu"
#include "kernels/clue/layout.h"
#include "kernels/clue/results.h"

namespace sitecap::clue {

namespace {

struct Event {
  Cells cells;

  template <class Visit>
  void each_column(const Visit& visit) {
    visit("rechit_x", cells.x_cm, cells.count);
    visit("rechit_y", cells.y_cm, cells.count);
    visit("rechit_z", cells.z_cm, cells.count);
    visit("rechit_eta", cells.eta, cells.count);
    visit("rechit_phi", cells.phi, cells.count);
    visit("rechit_energy", cells.energy_gev, cells.count);
    visit("rechit_sigma_noise", cells.sigma_gev, cells.count);
    visit("rechit_layer", cells.plane, cells.count);
    visit("rechit_is_silicon", cells.is_silicon, cells.count);
  }
};

template <class Take>
Clusters take_clusters(const Take& take) {
  return {take(0.f), take(0.f), take(0.f), take(0.f), take(0.f), take(0.f), take(0), take(0), take(0)};
}
template <class Take>
Tracksters take_tracksters(const Take& take) {
  return {take(0.f), take(0.f), take(0.f), take(0.f), take(0), take(0)};
}

// All that an event in flight needs, for the largest one.
struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, i32 cells, i32 tiles, i32 slots)
      : SlotOf(device, input_bytes), primitives(memory, stream, cells, std::max({cells, tiles, slots}) + 1) {
    const auto on_device = [&](auto type) { return memory.take<decltype(type)>(cells + 2); };
    const auto on_host = [&](auto type) { return pinned.take<decltype(type)>(cells + 2); };
    placed = memory.take<Placed>(cells);
    offset = memory.take<i32>(tiles + 2);
    slot_offset = memory.take<i32>(slots + 2);
    for (i32** ints :
         {&bin, &number, &cluster, &member_offset, &member, &slot, &root, &size, &kept, &trackster})
      *ints = on_device(0);
    points = {on_device(0.f), on_device(0.f), on_device(0), on_device(0),   on_device(0),
              on_device(0),   on_device(0),   on_device(0), on_device(0.f), on_device(0)};
    nodes = {on_device(0.f), on_device(0.f), on_device(0.f), on_device(0.f), on_device(0), on_device(0),
             on_device(0),   on_device(0.f), on_device(0),   on_device(0.f), on_device(0)};
    clusters = take_clusters(on_device);
    tracksters = take_tracksters(on_device);
    found_cluster = on_host(0);
    found_trackster = on_host(0);
    counts = pinned.take<i32>(2);
    found_clusters = take_clusters(on_host);
    found_tracksters = take_tracksters(on_host);
  }

  Primitives primitives;
  Placed* placed;
  i32 *offset, *slot_offset;
  i32 *bin, *number, *cluster, *member_offset, *member, *slot, *root, *size, *kept, *trackster;
  Points points;
  Nodes nodes;
  Clusters clusters;
  Tracksters tracksters;
  // on the host
  i32 *found_cluster, *found_trackster, *counts;
  Clusters found_clusters;
  Tracksters found_tracksters;
};

class ClueOnDevice : public SlottedPayload<Slot> {
 public:
  ClueOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device),
        p_(parameters_of(settings)),
        most_slots_(p_.link ? towers() * p_.trackster.layers : 0) {
    const Events events = events_of(columns, p_);
    const Layout layout = lay_out(events, p_);
    tiles_ = layout.tiles;
    sheets_ = upload(device, shared_, layout.sheets.data(), static_cast<i64>(layout.sheets.size()));
    for (int event = 0; event < events.count; ++event) events_.add({cells_of(events, event)});
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), events.cells.count, tiles_, most_slots_);
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const i32 cells = s.event.cells.count;
    // where scans leave their totals
    const Count points{s.offset + tiles_, cells}, clusters{s.number + cells, cells},
        nodes{s.slot_offset + most_slots_, cells}, tracksters{s.kept + cells, cells};
    cluster_cells(s, points, clusters);
    if (p_.link) link_clusters(s, clusters, nodes, tracksters);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    const i32 cells = s.event.cells.count;
    s.counts[1] = 0;
    s.stream.copy_out(s.counts, s.number + cells, 1);
    if (p_.link) s.stream.copy_out(s.counts + 1, s.kept + cells, 1);
    s.stream.copy_out(s.found_cluster, s.cluster, cells);
    s.stream.wait();
    copy_clusters(s, s.counts[0]);
    if (p_.link) copy_tracksters(s, s.counts[0], s.counts[1]);
    s.stream.wait();
    s.found = {cells,
               s.counts[0],
               s.counts[1],
               s.found_cluster,
               s.found_clusters,
               s.found_trackster,
               s.found_tracksters,
               p_.link};
  }

 private:
  void cluster_cells(Slot& s, Count points, Count clusters) {
    const i32 cells = s.event.cells.count;
    const Count all{nullptr, cells};
    const i32* offset = s.offset;
    SITECAP_LAUNCH(s.stream, clue_place, cells, s.event.cells, sheets_, p_.layer, tiles_, s.placed, s.bin);
    s.primitives.sort_by_bin(s.bin, all, tiles_, s.offset, s.points.cell);
    SITECAP_LAUNCH(s.stream, clue_take, cells, points, s.event.cells, s.placed, s.points);
    SITECAP_LAUNCH(s.stream, clue_density, cells, points, sheets_, offset, s.points);
    SITECAP_LAUNCH(s.stream, clue_nearest_denser, cells, points, sheets_, offset, p_.layer, s.points);
    s.stream.fill(s.number, 0, cells);
    s.stream.fill(s.cluster, none, cells);
    SITECAP_LAUNCH(s.stream, clue_decide, cells, points, s.points, s.number);
    s.primitives.compact(s.number, cells, s.clusters.seed);
    SITECAP_LAUNCH(s.stream, clue_label, cells, points, s.points, s.number, s.cluster);
    group(s, all, s.cluster);
    SITECAP_LAUNCH(s.stream, clue_measure, cells, clusters, s.member_offset, s.member, s.event.cells,
                   p_.layer, s.clusters);
  }

  void link_clusters(Slot& s, Count clusters, Count nodes, Count tracksters) {
    const i32 cells = s.event.cells.count;
    const i32* offset = s.slot_offset;
    SITECAP_LAUNCH(s.stream, clue_place_clusters, cells, clusters, s.clusters, p_.trackster, most_slots_,
                   s.slot);
    s.primitives.sort_by_bin(s.slot, clusters, most_slots_, s.slot_offset, s.nodes.cluster);
    SITECAP_LAUNCH(s.stream, clue_take_clusters, cells, nodes, s.clusters, p_.trackster, s.slot, s.nodes);
    SITECAP_LAUNCH(s.stream, clue_density_3d, cells, nodes, offset, p_.trackster, s.nodes);
    SITECAP_LAUNCH(s.stream, clue_nearest_denser_3d, cells, nodes, offset, p_.trackster, s.nodes);
    SITECAP_LAUNCH(s.stream, clue_decide_3d, cells, nodes, p_.trackster, s.nodes);
    s.stream.fill(s.root, none, cells);
    s.stream.fill(s.size, 0, cells);
    s.stream.fill(s.kept, 0, cells);
    SITECAP_LAUNCH(s.stream, clue_root_3d, cells, nodes, s.nodes, s.root, s.size);
    SITECAP_LAUNCH(s.stream, clue_keep, cells, clusters, p_.trackster, s.size, s.kept);
    s.primitives.compact(s.kept, cells, s.tracksters.seed);
    SITECAP_LAUNCH(s.stream, clue_number_tracksters, cells, clusters, p_.trackster, s.root, s.size, s.kept,
                   s.trackster);
    group(s, clusters, s.trackster);
    SITECAP_LAUNCH(s.stream, clue_measure_3d, cells, tracksters, s.member_offset, s.member, s.clusters,
                   s.tracksters);
  }

  // Members by group in rising order; there are at most as many groups as cells, and those of no group are
  // left out.
  void group(Slot& s, Count items, const i32* group_of) {
    const i32 last = s.event.cells.count;
    SITECAP_LAUNCH(s.stream, clue_bins_of_groups, items.at_most, items, last, group_of, s.bin);
    s.primitives.sort_by_bin(s.bin, items, last, s.member_offset, s.member);
  }

  void copy_clusters(Slot& s, i32 count) {
    const Clusters &from = s.clusters, &to = s.found_clusters;
    s.stream.copy_out(to.x_cm, from.x_cm, count);
    s.stream.copy_out(to.y_cm, from.y_cm, count);
    s.stream.copy_out(to.z_cm, from.z_cm, count);
    s.stream.copy_out(to.eta, from.eta, count);
    s.stream.copy_out(to.phi, from.phi, count);
    s.stream.copy_out(to.energy_gev, from.energy_gev, count);
    s.stream.copy_out(to.cells, from.cells, count);
    s.stream.copy_out(to.plane, from.plane, count);
    s.stream.copy_out(to.seed, from.seed, count);
  }

  void copy_tracksters(Slot& s, i32 clusters, i32 count) {
    const Tracksters &from = s.tracksters, &to = s.found_tracksters;
    s.stream.copy_out(s.found_trackster, s.trackster, clusters);
    s.stream.copy_out(to.x_cm, from.x_cm, count);
    s.stream.copy_out(to.y_cm, from.y_cm, count);
    s.stream.copy_out(to.z_cm, from.z_cm, count);
    s.stream.copy_out(to.energy_gev, from.energy_gev, count);
    s.stream.copy_out(to.clusters, from.clusters, count);
    s.stream.copy_out(to.seed, from.seed, count);
  }

  Parameters p_;
  i32 most_slots_, tiles_ = 0;
  const Sheet* sheets_ = nullptr;
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<ClueOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::clue
