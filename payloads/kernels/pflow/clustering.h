// Host: cells to clusters on a CPU, with its buffers; one event after another.
#pragma once
#include <vector>

#include "kernels/pflow/events.h"
#include "sitecap/order.h"

namespace sitecap::pflow {

template <class T>
std::vector<T> room(i64 items, T value = T{}) {
  return std::vector<T>(static_cast<std::size_t>(items) + 16, value);  // lanes may pass the last
}

// Sharing takes at most eight lanes: topological clusters are small.
template <class F>
using SharingLanes = typename Types<(width_of<F> < partial_sums ? width_of<F> : partial_sums)>::Float;

// A most: what the largest event of a set needs.
struct Sizes {
  i64 slots = 0, clusters = 0, fractions = 0;
};

class Clustering {
 public:
  explicit Clustering(const Events& events)
      : cell_at_(room<i32>(events.channels().count, none)), channels_(events.channels()) {
    const i32 cells = events.most_cells();
    for (auto* ints : {&root_, &seed_flag_, &bin_, &order_, &offset_, &cursor_, &cluster_offset_,
                       &cluster_bin_, &cluster_order_, &seed_cell_, &slot_of_cell_})
      *ints = room<i32>(cells + 2);
    beside_ = room<i32>(8 * static_cast<i64>(cells));
    topology_ = {cell_at_.data(), beside_.data(), root_.data(), seed_flag_.data()};
    for (int event = 0; event < events.count(); ++event) {
      find_topology(events.cells(event));
      const Sizes s = sizes();
      most_ = {max_of(most_.slots, s.slots), max_of(most_.clusters, s.clusters),
               max_of(most_.fractions, s.fractions)};
      if (s.fractions > most_fractions)
        refuse("event " + std::to_string(event) +
               " has too large topological clusters, most channels are above threshold: make the event set "
               "again");
    }
    for (auto* floats : {&slot_x_, &slot_y_, &slot_z_, &slot_energy_, &slot_inverse_})
      *floats = room<float>(most_.slots);
    slot_owner_ = room<i32>(most_.slots);
    slot_cell_ = room<i32>(most_.slots);
    for (auto* floats : {&place_x_, &place_y_, &place_z_, &place_energy_})
      *floats = room<float>(most_.clusters);
    place_seed_ = room<i32>(most_.clusters);
    iterations_ = room<i32>(most_.clusters);
    near_ = room<i32>(partial_sums * most_.clusters);
    fraction_ = room<float>(most_.fractions);
    slots_ = {slot_x_.data(),     slot_y_.data(),    slot_z_.data(),      slot_energy_.data(),
              slot_owner_.data(), slot_cell_.data(), slot_inverse_.data()};
    places_ = {place_x_.data(),    place_y_.data(), place_z_.data(),   place_energy_.data(),
               place_seed_.data(), near_.data(),    iterations_.data()};
  }

  const Sizes& most() const { return most_; }
  std::size_t bytes() const {
    return 4 * (cell_at_.size() + beside_.size() + 11 * root_.size() + 7 * slot_x_.size() +
                6 * place_x_.size() + near_.size() + fraction_.size());
  }

  // Topological clusters of an event, with at least one seed or not; clusters numbered in the order of seeds.
  void find_topology(const Cells& cells) {
    cells_ = cells;
    const i32 count = cells.count;
    for (i32 i = 0; i < count; ++i) enter(i, cells, channels_, topology_);
    for (i32 i = 0; i < count; ++i) look_around(i, cells, channels_, topology_);
    for (i32 i = 0; i < count; ++i) join(i, topology_);
    for (i32 i = 0; i < count; ++i) bin_[at(i)] = topology_bin(i, topology_, count);
    for (i32 i = 0; i < count; ++i) leave(i, cells, topology_);
    counting_sort(bin_.data(), count, count + 1, offset_.data(), cursor_.data(), order_.data());
    clusters_ = 0;
    for (i32 i = 0; i < count; ++i) {
      if (seed_flag_[at(i)] == 0) continue;
      seed_cell_[at(clusters_)] = i;
      cluster_bin_[at(clusters_++)] = bin_[at(i)];
    }
    counting_sort(cluster_bin_.data(), clusters_, count, cluster_offset_.data(), cursor_.data(),
                  cluster_order_.data());
  }

  template <class F>
  void share_all(const Options& o) {
    i64 slot = 0, fraction = 0;
    for (i32 r = 0; r < cells_.count; ++r) {
      if (clusters_of(r) == 0) continue;
      Group g =
          group_of(cells_of(r), clusters_of(r), cluster_offset_[at(r)], cells_.channel[r], channels_, o);
      g.first_slot = static_cast<i32>(slot);
      g.fraction = fraction_.data() + fraction;
      fill(r, g);
      share<SharingLanes<F>>(g, o, slots_, places_);
      slot += padded(g.cells);
      fraction += static_cast<i64>(padded(g.cells)) * g.clusters;
    }
  }

  // What the clusters keep of their cells; returns the number of shares.
  i32 finish(const Clusters& k) {
    for (i32 i = 0; i < clusters_; ++i) k.share_offset[i] = 0;
    each_cluster([&](i32 c, i32, const float* share, const i32*, i32 cells, i32) {
      k.share_offset[c] = count_shares(share, cells);
    });
    const i32 shares = exclusive_scan(k.share_offset, clusters_);
    each_cluster([&](i32 c, i32 place, const float* share, const i32* cell, i32 cells, i32 first) {
      const i32 channel = cells_.channel[first];
      k.seed[c] = seed_cell_[at(c)];
      k.layer[c] = channels_.layer[channel];
      put_cluster(c, place, share, cell, cells, channel, cells_, channels_, places_, k);
    });
    return shares;
  }
  i32 clusters() const { return clusters_; }

 private:
  static constexpr i64 most_fractions = i64{1} << 26;  // 256 MiB
  static std::size_t at(i32 i) { return static_cast<std::size_t>(i); }

  i32 cells_of(i32 r) const { return offset_[at(r + 1)] - offset_[at(r)]; }
  i32 clusters_of(i32 r) const { return cluster_offset_[at(r + 1)] - cluster_offset_[at(r)]; }
  Sizes sizes() const {
    Sizes s;
    s.clusters = clusters_;
    for (i32 r = 0; r < cells_.count; ++r) {
      if (clusters_of(r) == 0) continue;
      s.slots += padded(cells_of(r));
      s.fractions += static_cast<i64>(padded(cells_of(r))) * clusters_of(r);
    }
    return s;
  }

  void fill(i32 r, const Group& g) {
    const i32 origin = cells_.channel[r];
    for (i32 k = 0; k < padded(g.cells); ++k)
      put_slot(g.first_slot + k, k < g.cells ? order_[at(offset_[at(r)] + k)] : none, origin, cells_,
               channels_, slots_);
    for (i32 k = 0; k < g.cells; ++k) slot_of_cell_[at(slots_.cell[g.first_slot + k])] = k;
    for (i32 c = 0; c < g.clusters; ++c) {
      const i32 place = g.first_place + c, seed = seed_cell_[at(cluster_order_[at(place)])];
      start_cluster(c, seed, slot_of_cell_.data(), considered(channels_.layer[origin]), g, topology_, slots_,
                    places_);
    }
  }
  // Calls visit(cluster, place, fractions, cells of slots, number of cells, first cell).
  template <class Visit>
  void each_cluster(Visit&& visit) const {
    i64 slot = 0, fraction = 0;
    for (i32 r = 0; r < cells_.count; ++r) {
      const i32 number = clusters_of(r), cells = cells_of(r);
      if (number == 0) continue;
      for (i32 c = 0; c < number; ++c) {
        const i32 place = cluster_offset_[at(r)] + c;
        visit(cluster_order_[at(place)], place, fraction_.data() + fraction, slot_cell_.data() + slot, cells,
              r);
        fraction += padded(cells);
      }
      slot += padded(cells);
    }
  }

  std::vector<i32> cell_at_, beside_, root_, seed_flag_, bin_, order_, offset_, cursor_, cluster_offset_,
      cluster_bin_, cluster_order_, seed_cell_, slot_of_cell_, slot_owner_, slot_cell_, place_seed_,
      iterations_, near_;
  std::vector<float> slot_x_, slot_y_, slot_z_, slot_energy_, slot_inverse_, place_x_, place_y_, place_z_,
      place_energy_, fraction_;
  Channels channels_;
  Topology topology_{};
  Slots slots_{};
  Places places_{};
  Sizes most_;
  Cells cells_{};
  i32 clusters_ = 0;
};

}  // namespace sitecap::pflow
