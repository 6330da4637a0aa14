// The tracks on a CPU: loops over the stages' items, W of them at a time where lanes pay.
#include "kernels/catracks/results.h"
#include "kernels/catracks/workspace.h"

namespace sitecap::catracks {
namespace {

// One thread's kernel.
template <int W>
class CaTracks final : public Payload {
  using F = typename Types<W>::Float;
  using I = typename Types<W>::Int;

 public:
  CaTracks(Events events, const Settings& settings)
      : events_(std::move(events)),
        space_(events_, limits_of(events_, settings)),
        modules_{events_.frame.data(), events_.layer.data(), events_.has_pixels.data(), events_.modules} {}

  int events() const override { return events_.count(); }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(space_.pool.bytes()); }
  Columns results() const override {
    return with_tracks([](const Found& found) { return columns_of(found); });
  }
  u64 digest() const override {
    return with_tracks([](const Found& found) { return digest_of(found); });
  }

  void process(int event, StageClock* clock) override {
    const i32 begin = events_.offset[event];
    hits_ = Hits{&events_.x[begin],      &events_.y[begin],      &events_.z[begin],
                 &events_.module[begin], &events_.sensor[begin], events_.offset[event + 1] - begin,
                 space_.sensor_start};
    counts_ = Counts{};
    counts_.hits = hits_.count;
    const auto lap = [&](const char* stage) {
      if (clock != nullptr) clock->lap(stage);
    };
    if (clock != nullptr) clock->start();
    find_doublets();
    lap("mini-doublets");
    find_segments();
    lap("segments");
    find_triplets();
    lap("triplets");
    find_quintuplets();
    lap("quintuplets");
    clean();
    lap("cleaning");
  }

 private:
  void find_doublets() {
    const Cuts& cuts = events_.cuts;
    const i32 sensors = 2 * modules_.count;
    for (i32 i = 0; i <= hits_.count; ++i) find_sensor_start(hits_, sensors, i);
    for (i32 i = 0; i < hits_.count; i += W) {
      const F r = radius_of<F>(hits_, i);
      store(space_.hit_r + i, r);
      store(space_.hit_slope + i, slope_of(cuts, r));
    }
    const Doublets& d = space_.found;
    i32 found = 0;
    for (i32 s = 0; s < sensors; s += 2) {
      const i32* start = hits_.sensor_start + s;
      if (start[1] == start[2]) continue;
      const float* frame = modules_.frame + (s / 2) * frame_size;
      for (i32 lower = start[0]; lower < start[1]; ++lower) {
        const LowerHit low =
            lower_hit(cuts, modules_, hits_, lower, space_.hit_r[lower], space_.hit_slope[lower]);
        for (i32 i = start[1]; i < start[2]; i += W) {
          F angle;
          const auto good = are_doublets<F>(frame, low, hits_, i, angle);
          for (u32 bits = lanes_of(good, start[2] - i); bits != 0; bits &= bits - 1) {
            const i32 l = lowest_bit(bits);
            if (found < space_.limit.doublets)
              put_doublet(modules_, hits_, low, lower, i + l, lane(angle, l), d, found++);
            else
              ++counts_.doublets_over;
          }
        }
      }
    }
    counts_.doublets = found;
    // the last vector is filled up with the last one: what is computed from it is never read
    for (i32 i = found; found > 0 && i < found + W - 1; ++i) place_doublet(d, found - 1, d, i);
    for (i32 i = 0; i < found; i += W) finish_doublets<F>(cuts, d, i);
    i32* start = space_.bin_start;
    for (i32 b = 0; b <= cells * phi_bins; ++b) start[b] = 0;
    for (i32 i = 0; i < found; ++i) {
      space_.bin[i] = bin_of(d, i);
      ++start[space_.bin[i]];
    }
    exclusive_scan(start, cells * phi_bins);
    for (i32 b = 0; b < cells * phi_bins; ++b) space_.cursor[b] = start[b];
    for (i32 i = 0; i < found; ++i) place_doublet(d, i, space_.doublets, space_.cursor[space_.bin[i]]++);
  }

  // Bits of the first `count` lanes of a mask.
  static u32 lanes_of(MaskOf<F> mask, i32 count) {
    const u32 bits = mask_bits(mask);
    return count < W ? bits & ((1u << count) - 1u) : bits;
  }

  void find_segments() {
    const Doublets& d = space_.doublets;
    const Segments& s = space_.segments;
    i32 found = 0;
    for (i32 a = 0; a < counts_.doublets; ++a) {
      s.start[a] = found;
      const Inner in = inner_of(d, a);
      each_outer_range(events_.cuts, events_.layout, space_.bin_start, in, d.layer[a],
                       [&](bool disc, i32 first, i32 last) {
                         for (i32 i = first; i < last; i += W) {
                           const auto good = are_segments<F>(events_.cuts, in, disc, d, i);
                           for (u32 bits = lanes_of(good, last - i); bits != 0; bits &= bits - 1) {
                             if (found == space_.limit.segments) {
                               ++counts_.segments_over;
                               continue;
                             }
                             s.inner[found] = a;
                             s.outer[found++] = i + lowest_bit(bits);
                           }
                         }
                       });
    }
    s.start[counts_.doublets] = found;
    counts_.segments = found;
  }

  // Calls `take(inner, outer, lanes)` with W pairs at a time of an item and one of the items that follow it;
  // the last vector is filled up with its first pair.
  template <class First, class Last, class Take>
  static i32 each_pair(i32 items, const First& first, const Last& last, const Take& take) {
    alignas(64) i32 inner[W], outer[W];
    i32 filled = 0, pairs = 0;
    for (i32 a = 0; a < items; ++a)
      for (i32 b = first(a), end = last(a); b < end; ++b) {
        inner[filled] = a;
        outer[filled++] = b;
        ++pairs;
        if (filled == W) {
          take(inner, outer, W);
          filled = 0;
        }
      }
    if (filled > 0) {
      for (i32 l = filled; l < W; ++l) inner[l] = inner[0], outer[l] = outer[0];
      take(inner, outer, filled);
    }
    return pairs;
  }

  void find_triplets() {
    const Segments& s = space_.segments;
    const Triplets& t = space_.triplets;
    i32 found = 0;
    for (i32 k = 0; k <= counts_.segments; ++k) t.start[k] = 0;
    counts_.pairs_of_segments = each_pair(
        counts_.segments, [&](i32 a) { return s.start[s.outer[a]]; },
        [&](i32 a) { return s.start[s.outer[a] + 1]; },
        [&](const i32* inner, const i32* outer, i32 lanes) {
          const I one = load<I>(inner), other = load<I>(outer);
          const auto good = are_triplets<F>(events_.cuts, space_.doublets, gather(s.inner, one),
                                            gather(s.outer, one), gather(s.outer, other));
          for (u32 bits = lanes_of(good, lanes); bits != 0; bits &= bits - 1) {
            if (found == space_.limit.triplets) {
              ++counts_.triplets_over;
              continue;
            }
            const i32 l = lowest_bit(bits);
            t.inner[found] = inner[l];
            t.outer[found++] = outer[l];
            ++t.start[inner[l]];
          }
        });
    exclusive_scan(t.start, counts_.segments);
    counts_.triplets = found;
  }

  void find_quintuplets() {
    const Segments& s = space_.segments;
    const Triplets& t = space_.triplets;
    const Quintuplets& q = space_.quintuplets;
    i32 found = 0;
    const auto middle = [&](i32 a) { return s.outer[t.outer[a]]; };
    counts_.pairs_of_triplets = each_pair(
        counts_.triplets, [&](i32 a) { return t.start[s.start[middle(a)]]; },
        [&](i32 a) { return t.start[s.start[middle(a) + 1]]; },
        [&](const i32* inner, const i32* outer, i32 lanes) {
          const I one = load<I>(inner), other = load<I>(outer);
          const I a = gather(t.inner, one), b = gather(t.outer, one);
          const I point[points] = {gather(s.inner, a), gather(s.outer, a), gather(s.outer, b),
                                   gather(s.outer, gather(t.inner, other)),
                                   gather(s.outer, gather(t.outer, other))};
          Helix<F> helix;
          const auto good = are_quintuplets<F>(events_.cuts, space_.doublets, point, helix);
          for (u32 bits = lanes_of(good, lanes); bits != 0; bits &= bits - 1) {
            if (found == space_.limit.quintuplets) {
              ++counts_.quintuplets_over;
              continue;
            }
            const i32 l = lowest_bit(bits);
            q.inner[found] = inner[l];
            q.outer[found] = outer[l];
            for (int k = 0; k < points; ++k) q.point[points * found + k] = lane(point[k], l);
            q.curvature[found] = lane(helix.curvature, l);
            q.direction[found] = lane(helix.direction, l);
            q.cotangent[found] = lane(helix.cotangent, l);
            q.chi2_bend[found] = lane(helix.chi2_bend, l);
            q.chi2_rz[found++] = lane(helix.chi2_rz, l);
          }
        });
    counts_.quintuplets = found;
  }

  void clean() {
    const Doublets& d = space_.doublets;
    const Quintuplets& q = space_.quintuplets;
    const Owners& owners = space_.owners;
    for (i32 h = 0; h <= hits_.count; ++h) owners.start[h] = 0;
    for (i32 i = 0; i < points * counts_.quintuplets; ++i) ++owners.start[d.lower[q.point[i]]];
    exclusive_scan(owners.start, hits_.count);
    for (i32 h = 0; h < hits_.count; ++h) space_.owner_cursor[h] = owners.start[h];
    for (i32 i = 0; i < points * counts_.quintuplets; ++i)
      owners.member[space_.owner_cursor[d.lower[q.point[i]]]++] = i / points;
    i32 at = 0;
    for (i32 k = 0; k < counts_.quintuplets; ++k) {
      if (!is_track(events_.cuts, d, q, owners, k)) continue;
      const Path path = path_of(events_.cuts, d, q, owners, k);
      space_.track[counts_.tracks] = k;
      space_.path_start[counts_.tracks++] = at;
      for (i32 i = 0; i < path.length; ++i) space_.path_point[at++] = path.point[i];
    }
    space_.path_start[counts_.tracks] = counts_.path_points = at;
  }

  // Calls work(found) with the tracks' columns: they are no part of what is timed.
  template <class Work>
  auto with_tracks(const Work& work) const {
    Pool pool;
    const auto take = [&](auto value) { return pool.take<decltype(value)>(counts_.tracks); };
    const Tracks tracks{take(0.f), take(0.f), take(0.f), take(0.f), take(0)};
    for (i32 k = 0; k < counts_.tracks; ++k)
      put_track(tracks, k, track_of(events_.cuts, space_.doublets, space_.quintuplets, space_.track[k]));
    return work(Found{counts_, space_.doublets, space_.segments, space_.triplets, space_.quintuplets,
                      space_.track, space_.path_start, space_.path_point, tracks});
  }

  Events events_;
  Workspace space_;
  Modules modules_;
  Hits hits_{};
  Counts counts_;
};

}  // namespace

std::unique_ptr<Payload> open(const Columns& columns, const Settings& settings, int lanes) {
  Events events = read_events(columns, settings);
  if (lanes == 1) return std::make_unique<CaTracks<1>>(std::move(events), settings);
  return std::make_unique<CaTracks<SITECAP_LANES_WIDE>>(std::move(events), settings);
}

}  // namespace sitecap::catracks
