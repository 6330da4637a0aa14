// The kernel on a CPU: one event in one thread.
#include "kernels/pflow/clustering.h"
#include "kernels/pflow/results.h"

namespace sitecap::pflow {

namespace {

// Buffers behind clusters, for the largest event.
struct Workspace {
  Workspace(i64 clusters, i64 shares, i64 tracks) {
    for (auto* floats : {&x, &y, &z, &eta, &phi, &energy, &eta_width2, &phi_width2, &depth, &shower_energy,
                         &shower_eta, &shower_phi, &sheet_eta, &sheet_phi, &photon, &neutral})
      *floats = room<float>(clusters);
    for (auto* ints : {&seed, &layer, &iterations, &parent, &shower, &share_offset, &is_hcal, &member_offset,
                       &member, &bin, &cursor, &sheet_shower, &block, &block_offset, &block_member, &number,
                       &ecal_offset, &block_track_offset})
      *ints = room<i32>(clusters + 2);
    cursor = room<i32>(clusters + 2 * phi_bins + 2);
    sheet_offset = room<i32>(2 * phi_bins + 2);
    share_cell = room<i32>(shares);
    share_cluster = room<i32>(shares);
    share_fraction = room<float>(shares);
    for (auto* floats : {&track_eta, &track_phi, &ecal_distance2, &hcal_distance2})
      *floats = room<float>(tracks);
    for (auto* ints :
         {&track_ecal, &track_hcal, &block_of_track, &kept, &track_bin, &ecal_track, &block_track})
      *ints = room<i32>(tracks + 2);
    for (auto* floats : {&c_pt, &c_eta, &c_phi, &c_energy}) *floats = room<float>(tracks + 2 * clusters);
    for (auto* ints : {&c_kind, &c_track, &c_shower}) *ints = room<i32>(tracks + 2 * clusters);
  }
  std::size_t bytes() const {
    return 4 * (35 * x.size() + 3 * share_cell.size() + 11 * track_eta.size() + 7 * c_pt.size());
  }

  std::vector<float> x, y, z, eta, phi, energy, eta_width2, phi_width2, depth, shower_energy, shower_eta,
      shower_phi, sheet_eta, sheet_phi, photon, neutral, share_fraction, track_eta, track_phi, ecal_distance2,
      hcal_distance2, c_pt, c_eta, c_phi, c_energy;
  std::vector<i32> seed, layer, iterations, parent, shower, share_offset, share_cell, share_cluster, is_hcal,
      member_offset, member, bin, cursor, sheet_shower, sheet_offset, block, block_offset, block_member,
      number, ecal_offset, block_track_offset, track_ecal, track_hcal, block_of_track, kept, track_bin,
      ecal_track, block_track, c_kind, c_track, c_shower;
};

template <class F>
class Pflow : public Payload {
 public:
  Pflow(const Columns& columns, const Settings& settings)
      : columns_(columns),
        o_(options_of(settings)),
        events_(columns_),
        clustering_(events_),
        w_(clustering_.most().clusters, clustering_.most().fractions, events_.most_tracks()),
        clusters_{w_.x.data(),
                  w_.y.data(),
                  w_.z.data(),
                  w_.eta.data(),
                  w_.phi.data(),
                  w_.energy.data(),
                  w_.eta_width2.data(),
                  w_.phi_width2.data(),
                  w_.seed.data(),
                  w_.layer.data(),
                  w_.iterations.data(),
                  w_.parent.data(),
                  w_.shower.data(),
                  w_.share_offset.data(),
                  w_.share_cell.data(),
                  w_.share_cluster.data(),
                  w_.share_fraction.data()},
        showers_{w_.shower_energy.data(), w_.shower_eta.data(), w_.shower_phi.data(), w_.is_hcal.data()},
        links_{w_.track_ecal.data(),     w_.track_hcal.data(), w_.ecal_distance2.data(), w_.block.data(),
               w_.block_of_track.data(), w_.kept.data(),       w_.photon.data(),         w_.neutral.data()},
        candidates_{w_.c_kind.data(), w_.c_track.data(), w_.c_shower.data(), w_.c_pt.data(),
                    w_.c_eta.data(),  w_.c_phi.data(),   w_.c_energy.data()} {}

  int events() const override { return events_.count(); }
  std::size_t workspace_bytes() const override { return clustering_.bytes() + w_.bytes(); }

  void process(int event, StageClock* clock) override {
    const auto lap = [clock](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    cells_ = events_.cells(event);
    tracks_ = events_.tracks(event);
    clustering_.find_topology(cells_);
    lap("topology");
    clustering_.share_all<F>(o_);
    lap("sharing");
    share_count_ = clustering_.finish(clusters_);
    cluster_count_ = clustering_.clusters();
    lap("clusters");
    join_depths();
    lap("showers");
    link_tracks();
    lap("links");
    find_candidates();
    lap("candidates");
  }

  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

 private:
  static std::size_t at(i32 i) { return static_cast<std::size_t>(i); }

  void join_depths() {
    const i32 count = cluster_count_;
    i32 from = 0;  // the first of the hadron calorimeter
    while (from < count && w_.layer[at(from)] < ecal_layers) ++from;
    for (i32 c = 0; c < count; c += width_of<F>) directions<F>(c, clusters_);
    for (i32 c = 0; c < count; ++c) {
      w_.depth[at(c)] = static_cast<float>(layer_of(w_.layer[at(c)]).depth);
      w_.parent[at(c)] = none;
      widths(c, cells_, events_.channels(), clusters_);
    }
    for (i32 c = from; c < count; c += width_of<F>)
      choose_parent<F>(c, from, count, w_.depth.data(), o_, clusters_);
    for (i32 c = 0; c < count; ++c) w_.number[at(c)] = w_.parent[at(c)] == none ? 1 : 0;
    shower_count_ = exclusive_scan(w_.number.data(), count);
    for (i32 c = 0; c < count; ++c) w_.shower[at(c)] = w_.number[at(first_of_shower(c, clusters_))];
    sort(w_.shower, count, shower_count_, w_.member_offset, w_.member);
    for (i32 s = 0; s < shower_count_; ++s) {
      const i32 first = w_.member_offset[at(s)];
      measure(s, w_.member.data() + first, w_.member_offset[at(s + 1)] - first, cells_, events_.channels(),
              clusters_, showers_);
    }
  }

  void link_tracks() {
    for (i32 s = 0; s < shower_count_; ++s)
      w_.bin[at(s)] = phi_bin(w_.shower_phi[at(s)]) + (w_.is_hcal[at(s)] != 0 ? phi_bins : 0);
    sort(w_.bin, shower_count_, 2 * phi_bins, w_.sheet_offset, w_.sheet_shower);
    for (i32 j = 0; j < shower_count_; ++j) {
      w_.sheet_eta[at(j)] = w_.shower_eta[at(w_.sheet_shower[at(j)])];
      w_.sheet_phi[at(j)] = w_.shower_phi[at(w_.sheet_shower[at(j)])];
    }
    link_to(ecal_front(), o_.ecal_window, 0, w_.track_ecal, w_.ecal_distance2);
    link_to(hcal_front(), o_.hcal_window, phi_bins, w_.track_hcal, w_.hcal_distance2);
  }
  void link_to(const Front& front, float window, i32 first_bin, std::vector<i32>& shower,
               std::vector<float>& distance2) {
    for (i32 t = 0; t < tracks_.count; t += width_of<F>)
      arrive<F>(t, tracks_, front, o_, w_.track_eta.data(), w_.track_phi.data());
    const Sheet sheet{w_.sheet_eta.data(), w_.sheet_phi.data(), w_.sheet_shower.data(),
                      w_.sheet_offset.data() + first_bin};
    for (i32 t = 0; t < tracks_.count; ++t)
      link<F>(t, w_.track_eta.data(), w_.track_phi.data(), window, sheet, shower.data(), distance2.data());
  }

  void find_candidates() {
    const i32 showers = shower_count_, tracks = tracks_.count;
    group_tracks(w_.track_ecal, w_.ecal_offset, w_.ecal_track);
    for (i32 s = 0; s < showers; ++s) {
      const i32 first = w_.ecal_offset[at(s)];
      join_block(s, w_.ecal_track.data() + first, w_.ecal_offset[at(s + 1)] - first, links_);
    }
    for (i32 t = 0; t < tracks; ++t) join_track(t, links_);
    sort(w_.block, showers, showers, w_.block_offset, w_.block_member);
    group_tracks(w_.block_of_track, w_.block_track_offset, w_.block_track);
    for (i32 b = 0; b < showers; ++b) {
      w_.photon[at(b)] = w_.neutral[at(b)] = 0.f;
      if (w_.block[at(b)] != b) continue;
      const i32 first = w_.block_offset[at(b)], first_track = w_.block_track_offset[at(b)];
      decide(b, w_.block_member.data() + first, w_.block_offset[at(b + 1)] - first,
             w_.block_track.data() + first_track, w_.block_track_offset[at(b + 1)] - first_track, showers_,
             tracks_, o_, links_);
    }
    candidate_count_ = 0;
    for (i32 t = 0; t < tracks; ++t)
      if (w_.kept[at(t)] != 0) put_charged(candidate_count_++, t, tracks_, links_, candidates_);
    for (i32 b = 0; b < showers; ++b)
      if (w_.photon[at(b)] > 0.f)
        put_neutral(candidate_count_++, b, photon, w_.photon[at(b)], showers_, candidates_);
    for (i32 b = 0; b < showers; ++b)
      if (w_.neutral[at(b)] > 0.f)
        put_neutral(candidate_count_++, b, neutral, w_.neutral[at(b)], showers_, candidates_);
  }
  // Tracks by shower; those without one come last.
  void group_tracks(const std::vector<i32>& shower, std::vector<i32>& offset, std::vector<i32>& order) {
    for (i32 t = 0; t < tracks_.count; ++t)
      w_.track_bin[at(t)] = shower[at(t)] == none ? shower_count_ : shower[at(t)];
    sort(w_.track_bin, tracks_.count, shower_count_ + 1, offset, order);
  }
  void sort(const std::vector<i32>& bin, i32 items, i32 bins, std::vector<i32>& offset,
            std::vector<i32>& order) {
    counting_sort(bin.data(), items, bins, offset.data(), w_.cursor.data(), order.data());
  }

  Found found() const {
    return {share_count_, cluster_count_, shower_count_, tracks_.count, candidate_count_,
            clusters_,    showers_,       links_.ecal,   links_.hcal,   candidates_};
  }

  Columns columns_;
  Options o_;
  Events events_;
  Clustering clustering_;
  Workspace w_;
  Clusters clusters_;
  Showers showers_;
  Links links_;
  Candidates candidates_;
  Cells cells_{};
  Tracks tracks_{};
  i32 share_count_ = 0, cluster_count_ = 0, shower_count_ = 0, candidate_count_ = 0;
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& events, const Settings& settings, int lanes) {
  if (lanes == 1) return std::make_unique<Pflow<float>>(events, settings);
  return std::make_unique<Pflow<Types<SITECAP_LANES_WIDE>::Float>>(events, settings);
}

}  // namespace sitecap::pflow
