// The kernel on a CPU: one event in one thread.
#include "kernels/clue/layout.h"
#include "kernels/clue/results.h"

namespace sitecap::clue {

namespace {

template <class T>
std::vector<T> room(i32 items) {
  return std::vector<T>(static_cast<std::size_t>(items) + 16, T{});  // lanes may read past the last
}

// Buffers for the largest event; no cluster, trackster or tile can be more than there is room for.
struct Workspace {
  Workspace(i32 cells, i32 tiles, i32 slots)
      : offset(room<i32>(tiles + 3)), slot_offset(room<i32>(slots + 3)), placed(room<Placed>(cells)) {
    for (auto* ints : {&bin,
                       &point_cell,
                       &weight,
                       &critical,
                       &sheet,
                       &density,
                       &nearest,
                       &follows,
                       &number,
                       &cluster,
                       &member_offset,
                       &member,
                       &cluster_cells,
                       &cluster_plane,
                       &cluster_seed,
                       &slot,
                       &node_layer,
                       &node_tower,
                       &node_cluster,
                       &node_nearest,
                       &node_follows,
                       &root,
                       &trackster,
                       &trackster_clusters,
                       &trackster_seed,
                       &size})
      *ints = room<i32>(cells + 2);
    for (auto* floats : {&u, &v, &distance2, &cluster_x, &cluster_y, &cluster_z, &cluster_eta, &cluster_phi,
                         &cluster_energy, &node_r, &node_slope, &node_phi, &node_energy, &node_density,
                         &node_distance2, &trackster_x, &trackster_y, &trackster_z, &trackster_energy})
      *floats = room<float>(cells);
  }

  std::size_t bytes() const {
    return 4 * (offset.size() + slot_offset.size() + 26 * bin.size() + 19 * u.size()) +
           sizeof(Placed) * placed.size();
  }

  std::vector<i32> offset, slot_offset;
  std::vector<Placed> placed;
  std::vector<i32> bin, point_cell, weight, critical, sheet, density, nearest, follows, number, cluster,
      member_offset, member, cluster_cells, cluster_plane, cluster_seed, slot, node_layer, node_tower,
      node_cluster, node_nearest, node_follows, root, trackster, trackster_clusters, trackster_seed, size;
  std::vector<float> u, v, distance2, cluster_x, cluster_y, cluster_z, cluster_eta, cluster_phi,
      cluster_energy, node_r, node_slope, node_phi, node_energy, node_density, node_distance2, trackster_x,
      trackster_y, trackster_z, trackster_energy;
};

template <class F>
class Clue : public Payload {
 public:
  Clue(const Columns& columns, const Parameters& parameters)
      : columns_(columns),
        p_(parameters),
        events_(events_of(columns_, p_)),
        layout_(lay_out(events_, p_)),
        slots_(p_.link ? towers() * p_.trackster.layers : 0),
        w_(events_.cells.count, layout_.tiles + 1, slots_ + 1),
        points_{w_.u.data(),          w_.v.data(),      w_.weight.data(),  w_.critical.data(),
                w_.point_cell.data(), w_.sheet.data(),  w_.density.data(), w_.nearest.data(),
                w_.distance2.data(),  w_.follows.data()},
        clusters_{w_.cluster_x.data(),     w_.cluster_y.data(),     w_.cluster_z.data(),
                  w_.cluster_eta.data(),   w_.cluster_phi.data(),   w_.cluster_energy.data(),
                  w_.cluster_cells.data(), w_.cluster_plane.data(), w_.cluster_seed.data()},
        nodes_{w_.node_r.data(),         w_.node_slope.data(),   w_.node_phi.data(),
               w_.node_energy.data(),    w_.node_layer.data(),   w_.node_tower.data(),
               w_.node_cluster.data(),   w_.node_density.data(), w_.node_nearest.data(),
               w_.node_distance2.data(), w_.node_follows.data()},
        tracksters_{w_.trackster_x.data(),      w_.trackster_y.data(),        w_.trackster_z.data(),
                    w_.trackster_energy.data(), w_.trackster_clusters.data(), w_.trackster_seed.data()} {}

  int events() const override { return events_.count; }
  std::size_t workspace_bytes() const override { return w_.bytes(); }

  void process(int event, StageClock* clock) override {
    const auto lap = [clock](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    const Cells cells = cells_of(events_, event);
    cell_count_ = cells.count;
    sort_cells(cells);
    lap("sort");
    by_rows([&](i32 first, i32 valid, const Sheet& sheet) {
      clue::density<F>(first, valid, sheet, w_.offset.data(), points_);
    });
    lap("density");
    by_rows([&](i32 first, i32 valid, const Sheet& sheet) {
      nearest_denser<F>(first, valid, sheet, w_.offset.data(), p_.layer, points_);
    });
    lap("nearest");
    label_cells();
    lap("label");
    measure_clusters(cells);
    lap("layer clusters");
    trackster_count_ = 0;
    if (p_.link) link();
    lap("tracksters");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

 private:
  void sort_cells(const Cells& cells) {
    const i32 dropped = layout_.tiles;
    for (i32 i = 0; i < cells.count; ++i)
      place(i, cells, layout_.sheets.data(), p_.layer, dropped, w_.placed.data(), w_.bin.data());
    sort_by_bin(w_.bin.data(), cells.count, dropped + 1, w_.offset.data(), w_.point_cell.data());
    point_count_ = w_.offset[static_cast<std::size_t>(dropped)];
    for (i32 k = 0; k < point_count_; ++k) take(k, cells, w_.placed.data(), points_);
  }

  // Calls work(first, valid, sheet) for lanes of neighbouring points of one row.
  template <class Work>
  void by_rows(Work&& work) {
    for (const Sheet& sheet : layout_.sheets) {
      if (sheet.per_u == 0.f) continue;  // no cells
      for (i32 row = 0; row < sheet.rows; ++row) {
        const i32 tile = sheet.first_tile + row * sheet.tiles;
        const i32 to = w_.offset[static_cast<std::size_t>(tile + sheet.tiles)];
        for (i32 first = w_.offset[static_cast<std::size_t>(tile)]; first < to; first += width_of<F>)
          work(first, min_of(width_of<F>, to - first), sheet);
      }
    }
  }

  void label_cells() {
    for (i32 i = 0; i < cell_count_; ++i) w_.number[static_cast<std::size_t>(i)] = 0;
    for (i32 i = 0; i < cell_count_; ++i) w_.cluster[static_cast<std::size_t>(i)] = none;
    for (i32 k = 0; k < point_count_; ++k) decide(k, points_, w_.number.data());
    cluster_count_ = exclusive_scan(w_.number.data(), cell_count_);
    for (i32 k = 0; k < point_count_; ++k) label(k, points_, w_.number.data(), w_.cluster.data());
    for (i32 k = 0; k < point_count_; ++k)
      if (points_.follows[k] == k)
        clusters_.seed[w_.number[static_cast<std::size_t>(points_.cell[k])]] = points_.cell[k];
  }

  void measure_clusters(const Cells& cells) {
    group(w_.cluster.data(), cell_count_, cluster_count_);
    for (i32 c = 0; c < cluster_count_; ++c) {
      const i32 first = w_.member_offset[static_cast<std::size_t>(c)];
      measure(c, w_.member.data() + first, w_.member_offset[static_cast<std::size_t>(c + 1)] - first, cells,
              p_.layer, clusters_);
    }
    for (i32 c = 0; c < cluster_count_; c += width_of<F>) angles<F>(c, clusters_);
  }

  // Members by group in rising order; items of group -1 come last.
  void group(const i32* group_of, i32 items, i32 groups) {
    i32* bin = w_.bin.data();
    for (i32 i = 0; i < items; ++i) bin[i] = group_of[i] == none ? groups : group_of[i];
    sort_by_bin(bin, items, groups + 1, w_.member_offset.data(), w_.member.data());
  }

  void link() {
    for (i32 c = 0; c < cluster_count_; ++c)
      place_cluster(c, clusters_, p_.trackster, slots_, w_.slot.data());
    sort_by_bin(w_.slot.data(), cluster_count_, slots_ + 1, w_.slot_offset.data(), w_.node_cluster.data());
    node_count_ = w_.slot_offset[static_cast<std::size_t>(slots_)];
    for (i32 k = 0; k < node_count_; ++k) take_cluster(k, clusters_, p_.trackster, w_.slot.data(), nodes_);
    by_towers([&](i32 first, i32 valid) {
      density_3d<F>(first, valid, w_.slot_offset.data(), p_.trackster, nodes_);
    });
    by_towers([&](i32 first, i32 valid) {
      nearest_denser_3d<F>(first, valid, w_.slot_offset.data(), p_.trackster, nodes_);
    });
    for (i32 k = 0; k < node_count_; ++k) decide_3d(k, p_.trackster, nodes_);
    number_tracksters();
    group(w_.trackster.data(), cluster_count_, trackster_count_);
    for (i32 t = 0; t < trackster_count_; ++t) {
      const i32 first = w_.member_offset[static_cast<std::size_t>(t)];
      measure_3d(t, w_.member.data() + first, w_.member_offset[static_cast<std::size_t>(t + 1)] - first,
                 clusters_, tracksters_);
    }
  }

  template <class Work>
  void by_towers(Work&& work) {
    for (i32 first = 0; first < node_count_;) {
      i32 to = first + 1;
      while (to < node_count_ && to < first + width_of<F> && nodes_.tower[to] == nodes_.tower[first]) ++to;
      work(first, to - first);
      first = to;
    }
  }

  // Tracksters are numbered in the order of their seeds; those of too few clusters are dropped.
  void number_tracksters() {
    i32 *root = w_.root.data(), *size = w_.size.data(), *number = w_.number.data();
    for (i32 c = 0; c < cluster_count_; ++c) {
      root[c] = none;
      size[c] = 0;
    }
    for (i32 k = 0; k < node_count_; ++k) root_3d(k, nodes_, root);
    for (i32 c = 0; c < cluster_count_; ++c)
      if (root[c] != none) ++size[root[c]];
    for (i32 c = 0; c < cluster_count_; ++c) number[c] = size[c] >= p_.trackster.least_clusters ? 1 : 0;
    trackster_count_ = exclusive_scan(number, cluster_count_);
    for (i32 c = 0; c < cluster_count_; ++c) {
      const bool kept = root[c] != none && size[root[c]] >= p_.trackster.least_clusters;
      w_.trackster[static_cast<std::size_t>(c)] = kept ? number[root[c]] : none;
      if (kept && root[c] == c) tracksters_.seed[number[c]] = c;
    }
  }

  Found found() const {
    return {cell_count_, cluster_count_,      trackster_count_, w_.cluster.data(),
            clusters_,   w_.trackster.data(), tracksters_,      p_.link};
  }

  Columns columns_;
  Parameters p_;
  Events events_;
  Layout layout_;
  i32 slots_;
  Workspace w_;
  Points points_;
  Clusters clusters_;
  Nodes nodes_;
  Tracksters tracksters_;
  i32 cell_count_ = 0, point_count_ = 0, cluster_count_ = 0, node_count_ = 0, trackster_count_ = 0;
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  const Parameters parameters = parameters_of(settings);
  if (lanes == 1) return std::make_unique<Clue<float>>(events, parameters);
  return std::make_unique<Clue<Types<SITECAP_LANES_WIDE>::Float>>(events, parameters);
}

}  // namespace sitecap::clue
