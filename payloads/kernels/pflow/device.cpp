// The kernel on a device: what is launched in which order. Its arrays: device_memory.h.
//
// Nothing waits until the result is fetched: how many clusters, showers and candidates there are stays on the
// device, where scans leave it at the end of their arrays. Only how large the largest event's topological
// clusters are is found when the kernel is opened, by the CPU, as the kernel on a CPU does.
#include "kernels/pflow/device_memory.h"

namespace sitecap::pflow {

namespace {

Channels upload_channels(Device& device, DeviceMemory& memory, const Channels& c) {
  const auto floats = [&](const float* column) { return upload(device, memory, column, c.count); };
  return {floats(c.x_cm),
          floats(c.y_cm),
          floats(c.z_cm),
          floats(c.eta),
          floats(c.phi),
          upload(device, memory, c.layer, c.count),
          upload(device, memory, c.neighbours, i64{8} * c.count),
          c.count};
}

class PflowOnDevice : public SlottedPayload<Slot> {
 public:
  PflowOnDevice(const Columns& columns, const Settings& settings, Device& device, int slots)
      : SlottedPayload(device), o_(options_of(settings)) {
    const Events events(columns);
    const Sizes sizes = Clustering(events).most();
    most_clusters_ = static_cast<i32>(sizes.clusters);
    channels_ = upload_channels(device, shared_, events.channels());
    for (int event = 0; event < events.count(); ++event)
      events_.add({events.cells(event), events.tracks(event)});
    const Most most{channels_.count, events.most_cells(), events.most_tracks(),
                    sizes.clusters,  sizes.slots,         sizes.fractions};
    slots_ =
        open_slots<Slot>(slots, [&] { return std::make_unique<Slot>(device, events_.most_bytes(), most); });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    find_topology(s);
    make_groups(s);
    share_cells(s);
    join_depths(s);
    link_tracks(s);
    join_blocks(s);
    find_candidates(s);
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    Slot::Totals& n = *s.totals;
    const i32 tracks = s.event.tracks.count;
    s.stream.copy_out(&n.shares, s.clusters.share_offset + most_clusters_, 1);
    s.stream.copy_out(&n.clusters, clusters_of(s).written, 1);
    s.stream.copy_out(&n.showers, showers_of(s).written, 1);
    s.stream.copy_out(&n.charged, s.links.kept + tracks, 1);
    s.stream.copy_out(&n.photons, s.photon_number + most_clusters_, 1);
    s.stream.copy_out(&n.neutrals, s.neutral_number + most_clusters_, 1);
    s.stream.wait();
    s.bring_back({n.shares, n.clusters, n.showers, tracks, n.charged + n.photons + n.neutrals, s.clusters,
                  s.showers, s.links.ecal, s.links.hcal, s.candidates},
                 s.output);
    s.stream.wait();
  }

 private:
  // Where scans leave how many there are.
  Count cells_of(const Slot& s) const {  // above threshold
    return {s.grouping.cell_offset + s.event.cells.count, s.event.cells.count};
  }
  Count clusters_of(const Slot& s) const {
    return {s.topology.is_seed + s.event.cells.count, most_clusters_};
  }
  Count groups_of(const Slot& s) const { return {s.grouping.number + s.event.cells.count, most_clusters_}; }
  Count showers_of(const Slot& s) const { return {s.shower_number + most_clusters_, most_clusters_}; }

  void find_topology(Slot& s) const {
    const Cells& cells = s.event.cells;
    const i32 n = cells.count;
    const Grouping& w = s.grouping;
    const Count clusters = clusters_of(s);
    SITECAP_LAUNCH(s.stream, pflow_enter, n, cells, channels_, s.topology);
    SITECAP_LAUNCH(s.stream, pflow_look_around, n, cells, channels_, s.topology);
    SITECAP_LAUNCH(s.stream, pflow_join, n, cells, s.topology);
    SITECAP_LAUNCH(s.stream, pflow_topology_bin, n, cells, s.topology, w.bin);
    s.primitives.sort_by_bin(w.bin, Count{nullptr, n}, n, w.cell_offset, w.cell);
    s.primitives.compact(s.topology.is_seed, n, w.seed_cell);
    SITECAP_LAUNCH(s.stream, pflow_cluster_bins, clusters.at_most, clusters, w);
    s.primitives.sort_by_bin(w.cluster_bin, clusters, n, w.cluster_offset, w.cluster);
  }

  void make_groups(Slot& s) const {
    const Cells& cells = s.event.cells;
    const i32 n = cells.count;
    const Grouping& w = s.grouping;
    const Count clusters = clusters_of(s), groups = groups_of(s), sorted = cells_of(s);
    const Group* made = s.groups;
    SITECAP_LAUNCH(s.stream, pflow_size_groups, n, cells, w);
    s.primitives.compact(w.number, n, w.first_cell);
    s.primitives.exclusive_scan(w.first_slot, n);
    s.primitives.exclusive_scan(w.first_fraction, n);
    SITECAP_LAUNCH(s.stream, pflow_make_groups, groups.at_most, groups, cells, channels_, o_, w, s.fraction,
                   s.groups);
    SITECAP_LAUNCH(s.stream, pflow_put_slots, n, sorted, cells, channels_, w, s.slots);
    SITECAP_LAUNCH(s.stream, pflow_start_clusters, clusters.at_most, clusters, cells, channels_, w, made,
                   s.topology, s.slots, s.places);
  }

  void share_cells(Slot& s) const {
    const Cells& cells = s.event.cells;
    const Grouping& w = s.grouping;
    const Count clusters = clusters_of(s), groups = groups_of(s);
    const Group* made = s.groups;
    const Shape shape{static_cast<u32>(groups.at_most),
                      std::min(s.stream.device().block_threads(), static_cast<u32>(share_threads))};
    if (groups.at_most > 0)
      SITECAP_LAUNCH_BLOCKS(s.stream, pflow_share, shape, groups, made, o_, s.slots, s.places);
    s.stream.fill(s.clusters.share_offset, 0, clusters.at_most);
    SITECAP_LAUNCH(s.stream, pflow_count_shares, clusters.at_most, clusters, w, made,
                   s.clusters.share_offset);
    s.primitives.exclusive_scan(s.clusters.share_offset, clusters.at_most);
    SITECAP_LAUNCH(s.stream, pflow_put_clusters, clusters.at_most, clusters, cells, channels_, w, made,
                   s.slots, s.places, s.clusters);
  }

  void join_depths(Slot& s) const {
    const Cells& cells = s.event.cells;
    const Count clusters = clusters_of(s), showers = showers_of(s);
    const i32 most = most_clusters_;
    SITECAP_LAUNCH(s.stream, pflow_shapes, most, clusters, cells, channels_, s.depth, s.clusters);
    SITECAP_LAUNCH(s.stream, pflow_find_hcal, most + 1, clusters, s.clusters, s.first_of_hcal);
    SITECAP_LAUNCH(s.stream, pflow_choose_parents, most, clusters, s.first_of_hcal, s.depth, o_, s.clusters);
    s.stream.fill(s.shower_number, 0, most);
    SITECAP_LAUNCH(s.stream, pflow_first_clusters, most, clusters, s.clusters, s.shower_number);
    s.primitives.exclusive_scan(s.shower_number, most);
    SITECAP_LAUNCH(s.stream, pflow_number_showers, most, clusters, s.clusters, s.shower_number);
    s.primitives.sort_by_bin(s.clusters.shower, clusters, most, s.member_offset, s.member);
    SITECAP_LAUNCH(s.stream, pflow_measure, most, showers, s.member_offset, s.member, cells, channels_,
                   s.clusters, s.showers);
  }

  void link_tracks(Slot& s) const {
    const Tracks& tracks = s.event.tracks;
    const Count showers = showers_of(s);
    SITECAP_LAUNCH(s.stream, pflow_sheet_bins, showers.at_most, showers, s.showers, s.sheet_bin);
    s.primitives.sort_by_bin(s.sheet_bin, showers, 2 * phi_bins, s.sheet_offset, s.sheet.shower);
    Sheet sheet = s.sheet;
    sheet.offset = s.sheet_offset;
    SITECAP_LAUNCH(s.stream, pflow_fill_sheets, showers.at_most, showers, s.showers, sheet);
    SITECAP_LAUNCH(s.stream, pflow_link, tracks.count, tracks, 0, o_, sheet, s.track_eta, s.track_phi,
                   s.links.ecal, s.links.ecal_distance2);
    sheet.offset = s.sheet_offset + phi_bins;
    SITECAP_LAUNCH(s.stream, pflow_link, tracks.count, tracks, 1, o_, sheet, s.track_eta, s.track_phi,
                   s.links.hcal, s.hcal_distance2);
  }

  void join_blocks(Slot& s) const {
    const Tracks& tracks = s.event.tracks;
    const Count showers = showers_of(s);
    group_tracks(s, s.links.ecal, s.ecal_offset, s.ecal_track);
    SITECAP_LAUNCH(s.stream, pflow_join_blocks, showers.at_most, showers, s.ecal_offset, s.ecal_track,
                   s.links);
    SITECAP_LAUNCH(s.stream, pflow_join_tracks, tracks.count, tracks, s.links);
    s.primitives.sort_by_bin(s.links.block, showers, most_clusters_, s.block_offset, s.block_shower);
    group_tracks(s, s.links.block_of_track, s.block_track_offset, s.block_track);
  }
  void group_tracks(Slot& s, const i32* shower, i32* offset, i32* order) const {
    const Tracks& tracks = s.event.tracks;
    SITECAP_LAUNCH(s.stream, pflow_track_bins, tracks.count, tracks, most_clusters_, shower, s.track_bin);
    s.primitives.sort_by_bin(s.track_bin, Count{nullptr, tracks.count}, most_clusters_, offset, order);
  }

  void find_candidates(Slot& s) const {
    const Tracks& tracks = s.event.tracks;
    const Count showers = showers_of(s);
    const i32 most = most_clusters_;
    SITECAP_LAUNCH(s.stream, pflow_decide, most, showers, s.block_offset, s.block_shower,
                   s.block_track_offset, s.block_track, s.showers, tracks, o_, s.links);
    s.stream.fill(s.photon_number, 0, most);
    s.stream.fill(s.neutral_number, 0, most);
    SITECAP_LAUNCH(s.stream, pflow_flag_neutrals, most, showers, s.links, s.photon_number, s.neutral_number);
    s.primitives.exclusive_scan(s.links.kept, tracks.count);
    s.primitives.exclusive_scan(s.photon_number, most);
    s.primitives.exclusive_scan(s.neutral_number, most);
    SITECAP_LAUNCH(s.stream, pflow_put_charged, tracks.count, tracks, s.links, s.candidates);
    SITECAP_LAUNCH(s.stream, pflow_put_neutrals, most, showers, s.links.kept + tracks.count,
                   s.photon_number + most, s.photon_number, s.neutral_number, s.showers, s.links,
                   s.candidates);
  }

  Options o_;
  Channels channels_{};
  i32 most_clusters_ = 0;
};

}  // namespace

std::unique_ptr<DevicePayload> open_on_device(const Columns& events, const Settings& settings, Device& device,
                                              int slots) {
  return std::make_unique<PflowOnDevice>(events, settings, device, slots);
}

}  // namespace sitecap::pflow
