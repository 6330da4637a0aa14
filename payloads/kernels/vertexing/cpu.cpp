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
    overflow_ = arena_.make<i32>(1);
    weight_ = arena_.make<float>(tracks);
    prior_ = arena_.make<float>(tracks);
    bin_ = arena_.make<i32>(tracks);
    order_ = arena_.make<i32>(tracks);
    bin_offset_ = arena_.make<i32>(z_bins + 2);
    bin_cursor_ = arena_.make<i32>(z_bins + 2);
    selected_ = make_selected(arena_, tracks);
    block_ = make_annealer<F>(arena_, o_.block_tracks, prototypes_a_block, overflow_, o_);
    whole_ = make_annealer<F>(arena_, tracks, prototypes_an_event, overflow_, o_);
    blocks_ = make_block_results(arena_, max_of(1, tracks / o_.block_step + 1));
    chained_ = arena_.make<i32>(prototypes_an_event);
    owner_ = arena_.make<i32>(tracks + slots);
    log_z_ = arena_.make<float>(tracks + slots);
    members_ = arena_.make<i32>(tracks + slots);
    side_ = arena_.make<u8>(tracks + slots);
    id_ = arena_.make<i32>(tracks + slots + 1);
    density_ = make_density(arena_, tracks);
    fit_ = make_fit_tracks(arena_, tracks);
    for (Found& found : found_) found = make_found(arena_, tracks);
  }

  int events() const override { return events_.events(); }
  std::size_t workspace_bytes() const override { return arena_.bytes(); }

  void process(int event, StageClock* clock) override {
    tracks_ = events_.event(event);
    *overflow_ = 0;
    block_.team.clock = whole_.team.clock = clock;
    const auto lap = [&](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    select();
    lap("select");
    anneal_blocks();
    anneal_whole();
    lap("annealing: assign");
    cluster_annealed();
    lap("annealing: clusters");
    fit(found_[0]);
    lap("annealing: fit");
    cluster_by_density();
    lap("density: clusters");
    fit(found_[1]);
    lap("density: fit");
  }

  Columns results() const override;
  u64 digest() const override;

 private:
  void select() {
    const i32 n = tracks_.count;
    for (i32 i = 0; i < n; ++i) {
      weigh_track(tracks_, events_.beam(), o_, i, weight_, prior_);
      bin_[i] = weight_[i] > 0.f ? z_bin(tracks_.z0[i]) : z_bins;
    }
    counting_sort(bin_, n, z_bins + 1, bin_offset_, bin_cursor_, order_);
    count_ = bin_offset_[z_bins];
    for (i32 b = 0; b < z_bins; ++b) order_bin(tracks_.z0, bin_offset_[b], bin_offset_[b + 1], order_);
    for (i32 at = 0; at < count_; ++at) place_track(tracks_, weight_, prior_, order_, at, selected_);
  }

  void anneal_blocks() {
    const i32 blocks = blocks_of(count_, o_);
    updates_ = 0;
    beta_ = 1.f / o_.t_stop;
    for (i32 b = 0; b < blocks; ++b) {
      block_.take(selected_, block_begin(b, o_), block_end(b, count_, o_));
      block_.updates = 0;
      beta_ = anneal(block_);
      updates_ += block_.updates;
      const i32 n = *block_.p.count;
      blocks_.count[b] = n;
      blocks_.prior[b] = block_.inverse_prior > 0.f ? 1.f / block_.inverse_prior : 0.f;
      for (i32 k = 0; k < n; ++k) {
        blocks_.z[b * blocks_.capacity + k] = block_.p.z[k];
        blocks_.rho[b * blocks_.capacity + k] = block_.p.rho[k];
      }
    }
  }

  void anneal_whole() {
    whole_.take(selected_, 0, count_);
    join_blocks(blocks_, selected_, blocks_of(count_, o_), count_, whole_.inverse_prior, o_, whole_.p);
    for (i32 at = 0; at < count_; ++at) owner_[at] = -1;
    free_energy_ = 0.f;
    if (*whole_.p.count == 0) return;
    whole_.updates = 0;
    settle(whole_, beta_);
    updates_ += whole_.updates;
    const float log_outlier = outlier_term(o_, beta_, whole_.outlier_density());
    Sums<float, 1> energy;
    energy.clear();
    for (i32 i = 0; i < whole_.t.padded; ++i) {
      assign_track(whole_.t, whole_.p, beta_, log_outlier, i, owner_, log_z_);
      energy.add(0, i, log_z_[i]);
    }
    free_energy_ = -energy.total(0) / beta_;
  }

  void cluster_annealed() {
    Found& found = found_[0];
    found.clusters = chain_prototypes(whole_.p, o_, chained_);
    for (i32 at = 0; at < count_; ++at) found.cluster_of[at] = owner_[at] < 0 ? -1 : chained_[owner_[at]];
  }

  void cluster_by_density();
  void list_members();
  void fit(Found& found);

  Events events_;
  Options o_;
  Arena arena_;
  EventTracks tracks_{};
  float *weight_, *prior_, *log_z_;
  i32 *bin_, *order_, *bin_offset_, *bin_cursor_, *chained_, *owner_, *members_, *id_, *overflow_;
  u8* side_;
  Selected selected_;
  i32 count_ = 0;
  Annealer<F, Timed> block_{}, whole_{};
  BlockResults blocks_;
  DensityTracks density_;
  FitTracks fit_;
  Found found_[2];  // by annealing, by density
  float beta_ = 0.f, free_energy_ = 0.f;
  i32 updates_ = 0;
};

// Tracks of each cluster of the density, in the order of z; noise after the last cluster.
template <class F>
void Vertexing<F>::list_members() {
  Found& found = found_[1];
  for (i32 i = 0; i < density_.count; ++i)
    id_[i] = density_.cluster[i] < 0 ? found.clusters : density_.cluster[i];
  counting_sort(id_, density_.count, found.clusters + 1, found.offset, found.cursor, members_);
}

template <class F>
void Vertexing<F>::cluster_by_density() {
  DensityTracks& t = density_;
  Found& found = found_[1];
  i32 n = 0;
  for (i32 at = 0; at < count_; ++at) {
    found.cluster_of[at] = -1;
    if (!(selected_.pt[at] > o_.least_pt_gev)) continue;
    t.z[n] = selected_.z[at];
    t.error2[n] = selected_.error2[at];
    t.place[n++] = at;
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
  found.clusters = exclusive_scan(id_, n);
  for (i32 i = 0; i < n; ++i) t.cluster[i] = t.cluster[i] < 0 ? -1 : id_[t.cluster[i]];
  list_members();
  for (i32 c = 0; c < found.clusters; ++c) {
    const i32 *members = members_ + found.offset[c], size = found.offset[c + 1] - found.offset[c];
    found.cursor[c] = fit_and_split(t, o_, members, size, found.start_z[c], side_);
  }
  const i32 old = found.clusters;
  found.clusters = exclusive_scan(found.cursor, old);
  for (i32 i = 0; i < n; ++i) {
    if (t.cluster[i] >= 0) {
      const i32 c = t.cluster[i], pieces = found.cursor[c + 1] - found.cursor[c];
      t.cluster[i] = found.cursor[c] + (pieces == 2 ? side_[i] : 0);
    }
    found.cluster_of[t.place[i]] = t.cluster[i];
  }
}

template <class F>
void Vertexing<F>::fit(Found& found) {
  const i32 n = found.clusters;
  for (i32 at = 0; at < count_; ++at) bin_[at] = found.cluster_of[at] < 0 ? n : found.cluster_of[at];
  counting_sort(bin_, count_, n + 1, found.offset, found.cursor, fit_.place);
  const i32 used = found.offset[n];
  for (i32 at = 0; at < used; ++at) gather_track(tracks_, selected_, events_.beam(), fit_, at);
  if (used > 0)  // lanes beyond the last track repeat it, with weight 0
    for (i32 c = 0; c < fit_columns; ++c)
      for (i32 at = used; at < used + slots; ++at) fit_.column(c)[at] = fit_.column(c)[used - 1];
  for (i32 c = 0; c < n; ++c)
    found.unordered[c] =
        fit_cluster<F>(fit_, selected_, events_.beam(), o_, found.offset[c], found.offset[c + 1]);
  found.count = 0;
  for (i32 c = 0; c < n; ++c) {
    found.vertex_of_cluster[c] = -1;
    if (!(found.unordered[c].ndof > 0.f)) continue;
    const i32 rank = rank_of(found.unordered, n, c);
    found.vertex_of_cluster[c] = rank;
    found.vertices[rank] = found.unordered[c];
    ++found.count;
  }
  for (i32 i = 0; i < tracks_.count; ++i) {
    found.track_vertex[i] = -1;
    found.track_weight[i] = 0.f;
  }
  for (i32 at = 0; at < used; ++at) {
    const i32 i = selected_.source[fit_.place[at]];
    const i32 vertex = found.vertex_of_cluster[found.cluster_of[fit_.place[at]]];
    found.track_vertex[i] = vertex;
    found.track_weight[i] = vertex < 0 ? 0.f : fit_.weight[at];
  }
}

template <class T>
std::vector<T> copied(const T* values, i32 count) {
  return std::vector<T>(values, values + count);
}

template <class F>
Columns Vertexing<F>::results() const {
  static const char* const fields[] = {"x",  "y",  "z",  "xx",   "yx",   "yy",
                                       "zx", "zy", "zz", "chi2", "ndof", "sum_pt2"};
  Columns columns;
  for (int f = 0; f < 2; ++f) {
    const Found& found = found_[f];
    const std::string prefix = f == 0 ? "annealing_" : "density_";
    for (int c = 0; c < 12; ++c) {
      std::vector<float> column;
      for (i32 i = 0; i < found.count; ++i)
        column.push_back(reinterpret_cast<const float*>(found.vertices + i)[c]);
      columns.put(prefix + "vertex_" + fields[c], std::move(column));
    }
    columns.put(prefix + "track_vertex", copied(found.track_vertex, tracks_.count));
    columns.put(prefix + "track_weight", copied(found.track_weight, tracks_.count));
  }
  columns.put("annealing_prototype_z", copied(whole_.p.z, *whole_.p.count));
  columns.put("annealing_prototype_rho", copied(whole_.p.rho, *whole_.p.count));
  columns.put("annealing_free_energy", std::vector<float>{free_energy_});
  columns.put("annealing_updates", std::vector<i32>{updates_});
  columns.put("overflow", std::vector<i32>{*overflow_});
  return columns;
}

template <class F>
u64 Vertexing<F>::digest() const {
  Digest digest;
  for (const Found& found : found_) {
    digest.add(reinterpret_cast<const float*>(found.vertices), static_cast<i64>(found.count) * 12);
    digest.add(found.track_vertex, tracks_.count);
    digest.add(found.track_weight, tracks_.count);
  }
  digest.add(whole_.p.z, *whole_.p.count);
  digest.add(whole_.p.rho, *whole_.p.count);
  digest.add(&free_energy_, 1);
  digest.add(&updates_, 1);
  digest.add(overflow_, 1);
  return digest.value();
}

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  if (lanes == 1) return std::make_unique<Vertexing<float>>(events, settings);
  return std::make_unique<Vertexing<Types<SITECAP_LANES_WIDE>::Float>>(events, settings);
}

}  // namespace sitecap::vertexing
