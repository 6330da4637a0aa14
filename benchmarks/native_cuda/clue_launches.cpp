// What clue.cu needs on a device, and its launches: behind the interface of the product's kernels, so that
// events, digests, streams and the clock are the same for both.
#include <vector>

#include "benchmarks/native_cuda/clue.cu"
#include "benchmarks/native_cuda/twins.h"
#include "host/device_slots.h"
#include "kernels/clue/layout.h"
#include "kernels/clue/results.h"

namespace sitecap::native {

namespace {

using namespace clue;

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

// A sheet in three quads, as load_sheet() reads it.
void pack(const Sheet& s, float4* quads) {
  quads[0] = {s.to_units, s.low_u, s.low_v, s.per_u};
  quads[1] = {s.per_v, s.period, __int_as_float(s.rows), __int_as_float(s.tiles)};
  quads[2] = {__int_as_float(s.first_tile), 0.f, 0.f, 0.f};
}

template <class Take>
Clusters take_clusters(const Take& take) {
  return {take(0.f), take(0.f), take(0.f), take(0.f), take(0.f), take(0.f), take(0), take(0), take(0)};
}

struct Slot : SlotOf<Event, Found> {
  Slot(Device& device, i64 input_bytes, i32 cells, i32 tiles) : SlotOf(device, input_bytes) {
    const auto on_device = [&](auto type) { return memory.take<decltype(type)>(cells + 1); };
    const auto on_host = [&](auto type) { return pinned.take<decltype(type)>(cells + 1); };
    for (float4** quads : {&placed, &points, &dense, &member}) *quads = on_device(float4{});
    for (int2** pairs : {&tile, &about}) *pairs = on_device(int2{});
    for (i32** ints :
         {&is_seed, &number, &follows, &cluster, &place, &size, &member_offset, &unordered, &member_cell})
      *ints = on_device(0);
    tile_count = memory.take<i32>(tiles + 1);
    tile_offset = memory.take<i32>(tiles + 1);
    sums = memory.take<i32>(std::max(cells, tiles) / native_clue::scan_tile + 1);
    clusters = take_clusters(on_device);
    found_cluster = on_host(0);
    found_count = pinned.take<i32>(1);
    found_clusters = take_clusters(on_host);
  }

  float4 *placed, *points, *dense, *member;
  int2 *tile, *about;
  i32 *is_seed, *number, *follows, *cluster, *place, *size, *member_offset, *unordered, *member_cell;
  i32 *tile_count, *tile_offset, *sums;
  Clusters clusters;
  // on the host
  i32 *found_cluster, *found_count;
  Clusters found_clusters;
};

Shape blocks(i64 items, int threads) {
  return {static_cast<u32>((items + threads - 1) / threads), static_cast<u32>(threads)};
}
Shape items(i64 count) {
  return blocks(count, native_clue::threads);
}

class Clue final : public SlottedPayload<Slot> {
 public:
  Clue(const Columns& columns, const Settings& settings, Device& device, int slots) : SlottedPayload(device) {
    const Parameters p = parameters_of(settings);
    if (p.link) throw std::invalid_argument("the twin of clue ends with layer clusters: set link to 0");
    const LayerParameters& l = p.layer;
    p_ = {l.threshold_sigma,  l.kappa,       l.critical_gev, l.outlier_factor, l.units_per_gev,
          l.log_weight_floor, l.position_cm2};
    const Events events = events_of(columns, p);
    const Layout layout = lay_out(events, p);
    tiles_ = layout.tiles;
    std::vector<float4> quads(3 * layout.sheets.size());
    for (std::size_t s = 0; s < layout.sheets.size(); ++s) pack(layout.sheets[s], quads.data() + 3 * s);
    sheets_ = upload(device, shared_, quads.data(), static_cast<i64>(quads.size()));
    for (int event = 0; event < events.count; ++event) events_.add({cells_of(events, event)});
    slots_ = open_slots<Slot>(slots, [&] {
      return std::make_unique<Slot>(device, events_.most_bytes(), events.cells.count, tiles_);
    });
  }

  void reconstruct(int slot) override {
    Slot& s = at(slot);
    const i32 count = s.event.cells.count;
    const native_clue::Cells cells = cells_on_device(s);
    const i32 *points = s.tile_offset + tiles_, *clusters = s.number + count;  // where scans leave totals
    const i32* known = nullptr;
    s.stream.fill(s.tile_count, 0, tiles_ + 1);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_place, items(count + 1), cells, sheets_, p_, s.placed, s.tile,
                          s.tile_count, s.is_seed, s.cluster, s.size);
    scan(s, s.tile_count, tiles_ + 1, known, s.tile_offset);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_scatter, items(count), cells, s.placed, s.tile, s.tile_offset,
                          s.points, s.about);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_density, items(count), points, sheets_, s.tile_offset, s.points,
                          s.about, s.dense);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_follow, items(count), points, sheets_, s.tile_offset, s.dense,
                          s.about, p_.outlier_factor, s.follows, s.is_seed);
    const Shape tiles_of_cells = blocks(count + 1, native_clue::scan_tile);
    const Shape scan_blocks{tiles_of_cells.blocks, native_clue::scan_threads};
    SITECAP_LAUNCH_BLOCKS(s.stream, native_scan_sums, scan_blocks, s.is_seed, count + 1, known, s.sums);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_number_seeds, scan_blocks, s.is_seed, count + 1, s.sums, s.number,
                          s.clusters.seed);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_label, items(count), points, s.follows, s.dense, s.number,
                          s.cluster, s.place, s.size);
    scan(s, s.size, count + 1, clusters, s.member_offset);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_scatter_members, items(count), count, s.cluster, s.place,
                          s.member_offset, s.unordered);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_gather_members, items(count), cells, clusters, s.cluster,
                          s.member_offset, s.unordered, s.member, s.member_cell);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_measure, items(count), cells, clusters, s.member_offset, s.member,
                          s.member_cell, p_, clusters_on_device(s));
  }

  void fetch(int slot) override {
    Slot& s = at(slot);
    const i32 cells = s.event.cells.count;
    s.stream.copy_out(s.found_count, s.number + cells, 1);
    s.stream.copy_out(s.found_cluster, s.cluster, cells);
    s.stream.wait();
    const i32 count = s.found_count[0];
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
    s.stream.wait();
    s.found = {cells, count, 0, s.found_cluster, to, nullptr, Tracksters{}, false};
  }

 private:
  static native_clue::Cells cells_on_device(const Slot& s) {
    const Cells& c = s.event.cells;
    return {c.x_cm, c.y_cm, c.z_cm, c.eta, c.phi, c.energy_gev, c.sigma_gev, c.plane, c.is_silicon, c.count};
  }
  static native_clue::Clusters clusters_on_device(const Slot& s) {
    const Clusters& c = s.clusters;
    return {c.x_cm, c.y_cm, c.z_cm, c.eta, c.phi, c.energy_gev, c.cells, c.plane, c.seed};
  }
  // offset[i] = sum of the counts before i.
  static void scan(Slot& s, const i32* counts, i32 n, const i32* written, i32* offset) {
    const Shape shape{blocks(n, native_clue::scan_tile).blocks, native_clue::scan_threads};
    SITECAP_LAUNCH_BLOCKS(s.stream, native_scan_sums, shape, counts, n, written, s.sums);
    SITECAP_LAUNCH_BLOCKS(s.stream, native_scan, shape, counts, n, written, s.sums, offset);
  }

  native_clue::Parameters p_{};
  i32 tiles_ = 0;
  const float4* sheets_ = nullptr;
};

}  // namespace

std::unique_ptr<DevicePayload> open_clue(const Columns& events, const Settings& settings, Device& device,
                                         int slots) {
  return std::make_unique<Clue>(events, settings, device, slots);
}

}  // namespace sitecap::native
