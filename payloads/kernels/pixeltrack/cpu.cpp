// The pixel tracks on a CPU: loops over the stages' items, W of them at a time where lanes pay.
#include "host/payload.h"
#include "kernels/pixeltrack/results.h"
#include "kernels/pixeltrack/stages.h"
#include "kernels/pixeltrack/workspace.h"
#include "sitecap/order.h"

namespace sitecap::pixeltrack {
namespace {

// One thread's kernel.
template <int W>
class PixelTrack final : public Payload {
  using F = typename Types<W>::Float;
  using I = typename Types<W>::Int;

 public:
  PixelTrack(Events events, const Settings& settings)
      : events_(std::move(events)),
        space_(events_, limits_of(events_, settings)),
        topology_(events_.detector.topology),
        frames_(frames_of(events_)),
        matrix_(matrix_of(events_.detector)) {}

  int events() const override { return events_.count(); }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(space_.pool.bytes()); }
  Columns results() const override { return columns_of(found()); }
  u64 digest() const override { return digest_of(found()); }

  void process(int event, StageClock* clock) override {
    digis_ = digis_of(events_, event);
    counts_ = Counts{};
    const auto lap = [&](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    if (clock != nullptr) clock->start();
    cluster();
    lap("clusters");
    measure();
    lap("hits");
    seek_doublets();
    lap("doublets");
    link();
    lap("links");
    build();
    lap("ntuplets");
    fit();
    lap("fit");
    clean();
    lap("cleaning");
  }

 private:
  void cluster() {
    for (i32 i = 0; i <= digis_.count; ++i)
      find_module_start(digis_, events_.modules, i, space_.module_start);
    i32 bucket[max_column_buckets + 1];
    for (i32 m = 0; m < events_.modules; ++m) {
      const bool first = frames_.layer[m] == 0;
      const i32 found =
          link_module(topology_, digis_, space_.module_start, space_.work, m, matrix_.columns, first, bucket);
      fill_module(topology_, digis_, space_.module_start, space_.work, m, first, counts_.clusters,
                  space_.clusters, space_.digi_cluster);
      counts_.clusters += found;
    }
  }

  void measure() {
    const i32 n = counts_.clusters;
    const Clusters& c = space_.clusters;
    // the last vector is filled up with the last cluster: what is computed from it is never read
    for (i32 i = n; n > 0 && i < n + W - 1; ++i)
      for (i32* column : {c.module, c.min_row, c.max_row, c.min_column, c.max_column, c.first_row_electrons,
                          c.last_row_electrons, c.first_column_electrons, c.last_column_electrons})
        column[i] = column[n - 1];
    for (i32 i = 0; i < n; i += W) measure_hits<F>(c, frames_, matrix_, i, space_.measured);
    const i32 bins = topology_.layers * phi_bins;
    i32* start = space_.bin_start;
    for (i32 b = 0; b <= bins; ++b) start[b] = 0;
    for (i32 i = 0; i < n; ++i) {
      space_.bin[i] = bin_of(frames_, c.module[i], space_.measured.phi[i]);
      ++start[space_.bin[i]];
    }
    exclusive_scan(start, bins);
    for (i32 b = 0; b < bins; ++b) space_.cursor[b] = start[b];
    for (i32 i = 0; i < n; ++i) place_hit(space_.measured, i, space_.cursor[space_.bin[i]]++, space_.hits);
  }

  void seek_doublets() {
    const Hits& hits = space_.hits;
    const Doublets& d = space_.doublets;
    i32 found = 0;
    for (i32 o = 0; o < counts_.clusters; ++o) {
      d.of_outer[o] = found;
      const OuterHit outer{hits.z[o], hits.r[o], hits.phi[o], hits.length[o]};
      each_inner_range(topology_, space_.bin_start, frames_.layer[hits.module[o]], outer,
                       [&](i32 p, i32 first, i32 last) {
                         if (found + (last - first) > space_.limit.doublets) {
                           counts_.doublets_over += last - first;  // at most so many
                           return;
                         }
                         const i32 before = found;
                         const DoubletCuts cuts = doublet_cuts(topology_, topology_.pair[p], outer);
                         for (i32 i = first; i < last; i += W) {
                           const auto good = are_doublets<F>(cuts, hits, i);
                           if (!any(good)) continue;
                           const i32 lanes = min_of(W, last - i);
                           for (i32 l = 0; l < lanes; ++l) {
                             d.inner[found] = i + l;
                             found += lane(good, l) ? 1 : 0;
                           }
                         }
                         for (i32 k = before; k < found; ++k) fill_doublet(hits, p, d.inner[k], o, k, d);
                       });
    }
    d.of_outer[counts_.clusters] = found;
    for (i32 k = found; k < found + W; ++k) d.pair[k] = 0;  // read by the last vector
    counts_.doublets = found;
  }

  void link() {
    const Hits& hits = space_.hits;
    const Doublets& d = space_.doublets;
    const Links& links = space_.links;
    float max_dca_of_pair[max_pairs];
    for (i32 p = 0; p < topology_.pairs; ++p)
      max_dca_of_pair[p] = topology_.layer[topology_.pair[p].inner].max_dca_cm;
    i32 found = 0;
    for (i32 k = 0; k < counts_.doublets; ++k) {
      links.start[k] = found;
      const i32 middle = d.inner[k], outer = d.outer[k];
      const i32 first = d.of_outer[middle], last = d.of_outer[middle + 1];
      if (first == last) continue;
      if (found + (last - first) > space_.limit.links) {
        counts_.links_over += last - first;
        continue;
      }
      const i32 middle_layer = topology_.pair[d.pair[k]].inner;
      const OuterPart part{d.inner_x[k],  d.inner_y[k],  d.inner_z[k],
                           d.inner_r[k],  hits.x[outer], hits.y[outer],
                           hits.z[outer], hits.r[outer], topology_.layer[middle_layer].max_misalignment};
      const i32 before = found;
      for (i32 i = first; i < last; i += W) {
        const F max_dca = gather(max_dca_of_pair, load<I>(d.pair + i));
        const auto good = are_linked<F>(topology_, d, i, max_dca, part);
        if (!any(good)) continue;
        const i32 lanes = min_of(W, last - i);
        for (i32 l = 0; l < lanes; ++l) {
          links.inner[found] = i + l;
          found += lane(good, l) ? 1 : 0;
        }
      }
      if (found > before) d.flags[k] |= flag_used;
      for (i32 i = before; i < found; ++i) d.flags[links.inner[i]] |= flag_used;
    }
    links.start[counts_.doublets] = found;
    counts_.links = found;
    // both read flags that the same pass must not write: kill by "used", continue by "killed"
    for (i32 k = 0; k < counts_.doublets; ++k)
      if ((d.flags[k] & flag_used) && is_repeated(topology_, hits, d, k)) d.flags[k] |= flag_killed;
    for (i32 k = 0; k < counts_.doublets; ++k)
      if (!(d.flags[k] & flag_killed))
        for (i32 i = links.start[k]; i < links.start[k + 1]; ++i) d.flags[links.inner[i]] |= flag_continued;
  }

  void build() {
    const Doublets& d = space_.doublets;
    const Tuples& tuples = space_.tuples;
    i32 found = 0, at = 0;
    for (i32 k = 0; k < counts_.doublets; ++k) {
      if (d.flags[k] != flag_used || space_.links.start[k] == space_.links.start[k + 1]) continue;
      walk_inwards(topology_, d, space_.links, k, [&](const i32* path, i32 length) {
        if (found == space_.limit.tuples || at + length + 1 > space_.limit.tuple_hits) {
          ++counts_.tuples_over;
          return;
        }
        fill_tuple(d, path, length, found++, at, tuples);
        at += length + 1;
      });
    }
    tuples.start[found] = at;
    counts_.tuples = found;
    counts_.tuple_hits = at;
  }

  Found found() const {
    return {digis_.count,    counts_,     space_.digi_cluster, space_.clusters,
            space_.measured, space_.hits, space_.tuples,       space_.tracks};
  }

  // Calls with each doublet of a tuple.
  template <class Visit>
  void each_doublet(i32 tuple, const Visit& visit) {
    for (i32 i = space_.tuples.start[tuple]; i < space_.tuples.start[tuple + 1] - 1; ++i)
      visit(space_.tuples.doublet[i]);
  }
  i32 hits_of(i32 tuple) const { return space_.tuples.start[tuple + 1] - space_.tuples.start[tuple]; }

  void fit() {
    u64* best = space_.best_of_doublet;
    const i32 n = counts_.tuples;
    for (i32 k = 0; k < n; ++k) each_doublet(k, [&](i32 doublet) { best[doublet] = no_bid; });
    for (i32 k = 0; k < n; ++k)
      each_doublet(k, [&](i32 doublet) { lower_to(best + doublet, bid_of_length(hits_of(k))); });
    // by length, so that the lanes of a vector end together
    i32 length_start[max_hits_on_track + 2] = {};
    for (i32 k = 0; k < n; ++k) {
      const bool longest = is_longest(space_.tuples, best, k);
      space_.tracks.quality[k] = longest ? quality_bad_fit : quality_shorter;
      if (longest) ++length_start[hits_of(k)];
    }
    const i32 fits = exclusive_scan(length_start, max_hits_on_track + 1);
    for (i32 k = 0; k < n; ++k)
      if (space_.tracks.quality[k] == quality_bad_fit) space_.fit_order[length_start[hits_of(k)]++] = k;
    for (i32 k = fits; fits > 0 && k < fits + W - 1; ++k) space_.fit_order[k] = space_.fit_order[fits - 1];
    for (i32 k = 0; k < fits; k += W)
      fit_tracks<F>(topology_, frames_, space_.hits, space_.tuples, space_.fit_order + k, space_.tracks);
    fits_ = fits;
  }

  u64 bid(i32 tuple) const { return bid_of(hits_of(tuple), space_.tracks.chi2[tuple], tuple); }

  void clean() {
    const Tracks& tracks = space_.tracks;
    const Tuples& tuples = space_.tuples;
    const i32* which = space_.fit_order;
    u64 *of_doublet = space_.best_of_doublet, *of_hit = space_.best_of_hit;
    const i32 n = fits_;
    for (i32 k = 0; k < n; ++k)
      tracks.quality[which[k]] = quality_of_fit(topology_, tracks, hits_of(which[k]), which[k]);
    const auto each_good = [&](const auto& visit) {
      for (i32 k = 0; k < n; ++k)
        if (tracks.quality[which[k]] == quality_good) visit(which[k]);
    };
    each_good([&](i32 k) { each_doublet(k, [&](i32 doublet) { of_doublet[doublet] = no_bid; }); });
    each_good([&](i32 k) { each_doublet(k, [&](i32 doublet) { lower_to(of_doublet + doublet, bid(k)); }); });
    each_good([&](i32 k) {
      if (!is_best_of_doublets(tuples, of_doublet, k, bid(k))) tracks.quality[k] = quality_duplicate;
    });
    each_good([&](i32 k) {
      for (i32 i = tuples.start[k]; i < tuples.start[k + 1]; ++i) of_hit[tuples.hit[i]] = no_bid;
    });
    each_good([&](i32 k) {
      for (i32 i = tuples.start[k]; i < tuples.start[k + 1]; ++i) lower_to(of_hit + tuples.hit[i], bid(k));
    });
    each_good([&](i32 k) {
      if (hits_lost(tuples, of_hit, k, bid(k)) > most_lost_hits(topology_, hits_of(k)))
        tracks.quality[k] = quality_duplicate;
    });
  }

  Events events_;
  Workspace space_;
  Topology topology_;
  Frames frames_;
  Matrix matrix_;
  Digis digis_{};
  Counts counts_{};
  i32 fits_ = 0;
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& columns, const Settings& settings, int lanes) {
  Events events = read_events(columns, settings);
  if (lanes == 1) return std::make_unique<PixelTrack<1>>(std::move(events), settings);
  return std::make_unique<PixelTrack<SITECAP_LANES_WIDE>>(std::move(events), settings);
}

}  // namespace sitecap::pixeltrack
