// Vertexing on a CPU: the loops over items, W lanes each.
#include "kernels/vertexing/events.h"
#include "kernels/vertexing/workspace.h"

namespace sitecap::vertexing {

namespace {

template <class F>
class Vertexing final : public Payload {
 public:
  Vertexing(const Columns& columns, const Settings& settings) : events_(columns), o_(options_of(settings)) {
    const i32 tracks = events_.largest();
    weight_ = arena_.make<float>(tracks);
    prior_ = arena_.make<float>(tracks);
    bin_ = arena_.make<i32>(tracks);
    order_ = arena_.make<i32>(tracks);
    bin_offset_ = arena_.make<i32>(z_bins + 2);
    for (Clustering& found : found_) found = make_clustering(arena_, tracks);
    cursor_ = arena_.make<i32>(max_of(z_bins, found_[0].capacity) + 2);
    selected_ = make_selected(arena_, tracks);
    block_ = make_annealer<F>(arena_, o_.block_tracks, prototypes_a_block, o_);
    whole_ = make_annealer<F>(arena_, tracks, prototypes_an_event, o_);
    blocks_ = make_block_results(arena_, most_blocks(tracks, o_));
    chained_ = arena_.make<i32>(prototypes_an_event);
    owner_ = arena_.make<i32>(tracks + slots);
    log_z_ = arena_.make<float>(tracks + slots);
    members_ = arena_.make<i32>(tracks + slots);
    side_ = arena_.make<u8>(tracks + slots);
    id_ = arena_.make<i32>(tracks + slots + 1);
    density_ = make_density(arena_, tracks);
    fit_ = make_fit_tracks(arena_, tracks);
  }

  int events() const override { return events_.events(); }
  std::size_t workspace_bytes() const override { return arena_.bytes(); }

  void process(int event, StageClock* clock) override {
    tracks_ = events_.event(event);
    totals_ = {};
    *block_.p.overflow = *whole_.p.overflow = 0;
    block_.team.clock = whole_.team.clock = clock;
    const auto lap = [&](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    select();
    lap("select");
    anneal_blocks();
    anneal_whole();
    lap("annealing: assign");
    const i32 annealed = cluster_annealed();
    lap("annealing: clusters");
    totals_.vertices[0] = fit(found_[0], annealed);
    lap("annealing: fit");
    const i32 by_density = cluster_by_density();
    lap("density: clusters");
    totals_.vertices[1] = fit(found_[1], by_density);
    lap("density: fit");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

 private:
  void select() {
    const i32 n = tracks_.count;
    for (i32 i = 0; i < n; ++i) {
      weigh_track(tracks_, events_.beam(), o_, i, weight_, prior_);
      bin_[i] = weight_[i] > 0.f ? z_bin(tracks_.z0[i]) : z_bins;
    }
    counting_sort(bin_, n, z_bins + 1, bin_offset_, cursor_, order_);
    count_ = bin_offset_[z_bins];
    for (i32 b = 0; b < z_bins; ++b) order_bin(tracks_.z0, bin_offset_[b], bin_offset_[b + 1], order_);
    for (i32 at = 0; at < count_; ++at) place_track(tracks_, weight_, prior_, order_, at, selected_);
  }

  void anneal_blocks() {
    const i32 blocks = blocks_of(count_, o_);
    beta_ = 1.f / o_.t_stop;
    for (i32 b = 0; b < blocks; ++b) {
      block_.take(selected_, block_begin(b, o_), block_end(b, count_, o_));
      beta_ = anneal(block_);
      keep_block(block_, beta_, b, blocks_);
      totals_.updates += block_.updates;
    }
  }

  void anneal_whole() {
    whole_.take(selected_, 0, count_);
    join_blocks(blocks_, selected_, blocks_of(count_, o_), count_, whole_.inverse_prior, o_, whole_.p);
    for (i32 at = 0; at < count_; ++at) owner_[at] = -1;
    totals_.overflow = *block_.p.overflow + *whole_.p.overflow;
    if (*whole_.p.count == 0) return;
    settle(whole_, beta_);
    totals_.updates += whole_.updates;
    totals_.prototypes = *whole_.p.count;
    const float log_outlier = outlier_term(o_, beta_, whole_.outlier_density());
    Sums<float, 1> energy;
    energy.clear();
    for (i32 i = 0; i < whole_.t.padded; ++i) {
      assign_track(whole_.t, whole_.p, beta_, log_outlier, i, owner_, log_z_);
      energy.add(0, i, log_z_[i]);
    }
    totals_.free_energy = -energy.total(0) / beta_;
  }

  // Both give the number of clusters.
  i32 cluster_annealed() {
    i32 clusters = 0;
    for (i32 k = 0; k < totals_.prototypes; ++k) {
      clusters += begins_cluster(whole_.p, o_, k) ? 1 : 0;
      chained_[k] = clusters - 1;
    }
    for (i32 at = 0; at < count_; ++at) found_[0].cluster_of[at] = owner_[at] < 0 ? -1 : chained_[owner_[at]];
    return clusters;
  }
  i32 cluster_by_density();

  void list_members(i32 clusters);
  i32 fit(Clustering& found, i32 clusters);

  Found found() const { return found_in(tracks_.count, totals_, &totals_, found_, whole_.p); }

  Events events_;
  Options o_;
  Arena arena_;
  EventTracks tracks_{};
  float *weight_, *prior_, *log_z_;
  i32 *bin_, *order_, *bin_offset_, *cursor_, *chained_, *owner_, *members_, *id_;
  u8* side_;
  Selected selected_;
  i32 count_ = 0;
  Annealer<F, Timed> block_{}, whole_{};
  BlockResults blocks_;
  DensityTracks density_;
  FitTracks fit_;
  Clustering found_[2];  // by annealing, by density
  float beta_ = 0.f;
  Totals totals_{};
};

// Tracks of each cluster of the density, in the order of z; noise after the last cluster.
template <class F>
void Vertexing<F>::list_members(i32 clusters) {
  for (i32 i = 0; i < density_.count; ++i) id_[i] = density_.cluster[i] < 0 ? clusters : density_.cluster[i];
  counting_sort(id_, density_.count, clusters + 1, found_[1].offset, cursor_, members_);
}

template <class F>
i32 Vertexing<F>::cluster_by_density() {
  DensityTracks& t = density_;
  Clustering& found = found_[1];
  i32 n = 0;
  for (i32 at = 0; at < count_; ++at) {
    found.cluster_of[at] = -1;
    if (!(selected_.pt[at] > o_.least_pt_gev)) continue;
    t.place[n] = at;
    take_dense(selected_, n++, t);
  }
  t.count = n;
  for (i32 i = n; i < n + slots; ++i) {
    t.z[i] = t.error2[i] = 0.f;
    t.neighbours[i] = 0;
  }
  for (i32 i = 0; i < n; ++i) find_window(t, o_, i);
  for (i32 i = 0; i < n; ++i) count_neighbours<F>(t, o_, i);
  for (i32 i = 0; i < n; ++i) find_parent<F>(t, o_, i);
  for (i32 i = 0; i < n; ++i) find_seed(t, o_, i);
  // seeds become clusters, numbered in the order of z
  for (i32 i = 0; i < n; ++i) id_[i] = t.cluster[i] == i ? 1 : 0;
  const i32 clusters = exclusive_scan(id_, n);
  for (i32 i = 0; i < n; ++i) number_cluster(t, id_, i);
  list_members(clusters);
  for (i32 c = 0; c < clusters; ++c) {
    const i32 *members = members_ + found.offset[c], size = found.offset[c + 1] - found.offset[c];
    found.pieces[c] = fit_and_split(t, o_, members, size, found.start_z[c], side_);
  }
  const i32 pieces = exclusive_scan(found.pieces, clusters);
  for (i32 i = 0; i < n; ++i) place_in_piece(t, found.pieces, side_, i, found.cluster_of);
  return pieces;
}

// Gives the number of vertices.
template <class F>
i32 Vertexing<F>::fit(Clustering& found, i32 n) {
  for (i32 at = 0; at < count_; ++at) bin_[at] = found.cluster_of[at] < 0 ? n : found.cluster_of[at];
  counting_sort(bin_, count_, n + 1, found.offset, cursor_, fit_.place);
  const i32 used = found.offset[n];
  for (i32 at = 0; at < used; ++at) gather_track(tracks_, selected_, events_.beam(), fit_, at);
  if (used > 0)  // lanes beyond the last track repeat it, with weight 0
    for (i32 c = 0; c < fit_columns; ++c)
      for (i32 at = used; at < used + slots; ++at) fit_.column(c)[at] = fit_.column(c)[used - 1];
  for (i32 c = 0; c < n; ++c)
    found.unordered[c] = fit_cluster<F>(FitsAlone{}, fit_, selected_, events_.beam(), o_, found.offset[c],
                                        found.offset[c + 1]);
  i32 vertices = 0;
  for (i32 c = 0; c < n; ++c)
    vertices += place_vertex(found.unordered, n, c, found.vertices, found.vertex_of_cluster) ? 1 : 0;
  for (i32 i = 0; i < tracks_.count; ++i) {
    found.track_vertex[i] = -1;
    found.track_weight[i] = 0.f;
  }
  for (i32 at = 0; at < used; ++at)
    tell_track(fit_, selected_, found.cluster_of, found.vertex_of_cluster, at, found.track_vertex,
               found.track_weight);
  return vertices;
}

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  if (lanes == 1) return std::make_unique<Vertexing<float>>(events, settings);
  return std::make_unique<Vertexing<Types<SITECAP_LANES_WIDE>::Float>>(events, settings);
}

}  // namespace sitecap::vertexing
