// Super-clusters and pixel hits: the way of an electron or a positron of the super-cluster's energy, from the
// beam line through its place, met by a first hit; then the way through that hit, met by the next ones.
//
// As in CMSSW's TrajSeedMatcher (RecoEgamma/EgammaElectronAlgos): on a circle through the beam line, at the
// distance d from it, the azimuth differs from the starting direction by asin(d / 2 R).
#pragma once
#include "kernels/eseeding/pixel_hits.h"
#include "kernels/eseeding/superclusters.h"

namespace sitecap::eseeding {

// 1 / (2 R) in 1/cm of a unit charge of 1 GeV of transverse momentum in 3.8 T.
inline constexpr float half_turning = 0.5f * 2.99792458e-3f * 3.8f;
inline constexpr float largest_sine = 0.5f;       // arc_sine's range; radii of curvature are above 1.7 m
inline constexpr i32 negative = 1, positive = 2;  // bits of charges

// A super-cluster as the matching sees it, about the beam line.
struct Target {
  float phi, radius_cm, z_cm, energy_gev;
  float turning, end;          // 1 / (2 R), from the beam's middle; its asin at the super-cluster
  float dphi1, dphi2, drz_cm;  // windows
};
SITECAP_FN float window(float at_high_et, float slope, float et_gev, float high_et_gev) {
  return at_high_et + min_of(et_gev - high_et_gev, 0.f) * slope;
}
SITECAP_FN Target target_of(const Superclusters& s, const Beam& beam, const Options& o, i32 k) {
  const float x = s.x[k] - beam.x_cm, y = s.y[k] - beam.y_cm, z = s.z[k], energy = s.energy[k];
  const float radius = square_root(x * x + y * y), dz = z - beam.z_cm;
  const float pt = energy * (radius / square_root(radius * radius + dz * dz));
  const float et = energy * (radius / square_root(radius * radius + z * z));
  const float turning = half_turning / pt;
  return {arc_tangent(y, x),
          radius,
          z,
          energy,
          turning,
          arc_sine(min_of(turning * radius, largest_sine)),
          window(o.first_dphi, o.first_dphi_slope, et, o.first_dphi_et_gev),
          o.next_dphi,
          window(o.next_drz_cm, o.next_drz_slope_cm, et, o.next_drz_et_gev)};
}

// First hits: of which super-cluster, which hit (place), for which charges, how far off for either.
struct Firsts {
  i32 *target, *hit, *charges;
  float *dphi_negative, *dphi_positive;
};

// Items = W hits of a layer: bits of the charges for which each may be the first.
template <class F>
struct FirstMatch {
  F dphi_negative, dphi_positive;
  MaskOf<F> is_negative, is_positive;
};
template <class F>
SITECAP_FN FirstMatch<F> match_first(const Target& t, const Beam& beam, const Options& o, const Hits& h,
                                     bool barrel, i32 base, i32 end) {
  const F r = load<F>(h.r + base), phi = load<F>(h.phi + base), z = load<F>(h.z + base);
  F bent;
  auto good = lane_indices<F>(base) < end;
  if (barrel) {
    bent = arc_sine(smaller(t.turning * r, all_lanes<F>(largest_sine)));
  } else {
    const F path = (z - beam.z_cm) * (t.radius_cm / (t.z_cm - beam.z_cm));
    bent = t.turning * path;
    good = good & (path > 0.f) & (path < t.radius_cm);
  }
  const F vertex = z - r * ((t.z_cm - z) / (t.radius_cm - r));
  good = good & (absolute(vertex - beam.z_cm) < o.largest_z_cm);
  const F off = phi - t.phi, turned = t.end - bent;
  FirstMatch<F> m;
  m.dphi_negative = reduced_angle(off + turned);
  m.dphi_positive = reduced_angle(off - turned);
  m.is_negative = good & (absolute(m.dphi_negative) < t.dphi1);
  m.is_positive = good & (absolute(m.dphi_positive) < t.dphi1);
  return m;
}

// Item = a super-cluster and a layer: counts its first hits or, with a list, writes them from `at` on.
template <class F, bool write>
SITECAP_FN i32 first_hits(const Target& t, const Beam& beam, const Options& o, const Hits& h, i32 layer,
                          i32 target, const Firsts& list, i32 at, i32 capacity) {
  const float reach = t.dphi1 + t.end;
  const Stretches stretches = between(h, layer, t.phi - reach, t.phi + reach);
  i32 count = 0;
  SITECAP_UNROLL
  for (i32 s = 0; s < 2; ++s)
    for (i32 base = stretches.begin[s]; base < stretches.end[s]; base += width_of<F>) {
      const FirstMatch<F> m = match_first<F>(t, beam, o, h, layer < barrel_layers, base, stretches.end[s]);
      const u32 negatives = (o.charges & negative) != 0 ? mask_bits(m.is_negative) : 0u;
      const u32 positives = (o.charges & positive) != 0 ? mask_bits(m.is_positive) : 0u;
      for (u32 bits = negatives | positives; bits != 0; bits &= bits - 1, ++count) {
        if constexpr (write) {
          const i32 l = lowest_bit(bits), k = at + count;
          if (k >= capacity) continue;
          list.target[k] = target;
          list.hit[k] = base + l;
          list.charges[k] =
              static_cast<i32>((negatives >> l & 1u) * negative + (positives >> l & 1u) * positive);
          list.dphi_negative[k] = lane(m.dphi_negative, l);
          list.dphi_positive[k] = lane(m.dphi_positive, l);
        }
      }
    }
  return count;
}

// Layers where a seed may begin: not the outermost on either side.
SITECAP_FN bool may_begin(i32 layer) {
  return layer != 3 && layer != 6 && layer != 9;
}

// The way through the point where the beam line is met and a first hit, by its helix.
struct Way {
  float phi, vertex_cm, slope, turning, begin;
  i32 layer, layers_passed;
};
SITECAP_FN Way way_of(const Target& t, const Hits& h, i32 layer, i32 hit) {
  const float r = h.r[hit], z = h.z[hit];
  Way w;
  w.phi = h.phi[hit];
  w.vertex_cm = z - r * ((t.z_cm - z) / (t.radius_cm - r));
  w.slope = (z - w.vertex_cm) / r;
  w.turning = half_turning * square_root(1.f + w.slope * w.slope) / t.energy_gev;
  w.begin = arc_sine(min_of(w.turning * r, largest_sine));
  w.layer = layer;
  w.layers_passed = 0;
  for (i32 l = 0; l < barrel_layers; ++l)
    if (absolute(w.vertex_cm + w.slope * layer_of(l).middle_cm) < barrel_half_length_cm) ++w.layers_passed;
  for (i32 l = barrel_layers; l < 7; ++l) {
    const float disc = w.slope < 0.f ? -layer_of(l).middle_cm : layer_of(l).middle_cm;
    const float radius = (disc - w.vertex_cm) / w.slope;  // of no slope: infinite, or no number
    if (radius > disc_inner_cm && radius < disc_outer_cm) ++w.layers_passed;
  }
  return w;
}

// Next hits of a first one: `slots` places each, layer by layer outward.
inline constexpr i32 slots = 48;
struct Nexts {
  i32 *count, *layers_passed;
  i32 *hit, *charges, *layer;  // slots * first + place
  float *dphi_negative, *dphi_positive, *drz;
};

template <class F>
struct NextMatch {
  F dphi_negative, dphi_positive, drz;
  MaskOf<F> is_negative, is_positive;
};
template <class F>
SITECAP_FN NextMatch<F> match_next(const Way& w, const Target& t, const Hits& h, bool barrel, i32 base,
                                   i32 end) {
  const F r = load<F>(h.r + base), z = load<F>(h.z + base);
  F angle;
  NextMatch<F> m;
  auto good = lane_indices<F>(base) < end;
  if (barrel) {
    angle = arc_sine(smaller(w.turning * r, all_lanes<F>(largest_sine)));
    m.drz = z - w.vertex_cm - w.slope * (angle / w.turning);
  } else {
    const F path = (z - w.vertex_cm) / w.slope;
    angle = w.turning * path;
    good = good & (path > 0.f);
    F sine, cosine;
    sine_cosine(larger(smaller(angle, all_lanes<F>(8.f)), all_lanes<F>(-8.f)), sine, cosine);
    m.drz = r - sine / w.turning;
  }
  good = good & (absolute(m.drz) < t.drz_cm);
  const F off = load<F>(h.phi + base) - w.phi, turned = w.begin - angle;
  m.dphi_negative = reduced_angle(off + turned);
  m.dphi_positive = reduced_angle(off - turned);
  m.is_negative = good & (absolute(m.dphi_negative) < t.dphi2);
  m.is_positive = good & (absolute(m.dphi_positive) < t.dphi2);
  return m;
}

// The azimuths at which a layer may be met, for the charges that the first hit left; false if it is not met.
struct Arc {
  float low, high;
};
SITECAP_FN bool arc_of(const Way& w, const Target& t, i32 layer, i32 charges, Arc& arc) {
  const Layer place = layer_of(layer);
  float near, far;
  if (layer < barrel_layers) {
    near = arc_sine(min_of(w.turning * place.low_cm, largest_sine));
    far = arc_sine(min_of(w.turning * place.high_cm, largest_sine));
  } else {
    const float side = layer < 7 ? 1.f : -1.f;
    if (!(side * w.slope > 0.f)) return false;
    near = w.turning * ((side * place.low_cm - w.vertex_cm) / w.slope);
    far = w.turning * ((side * place.high_cm - w.vertex_cm) / w.slope);
    if (!(far > 0.f && near < 1.f)) return false;
  }
  // electrons turn towards higher azimuth
  const float low = (charges & negative) != 0 ? near - w.begin : w.begin - far;
  const float high = (charges & negative) != 0 ? far - w.begin : w.begin - near;
  const float other_low = (charges & positive) != 0 ? w.begin - far : low;
  const float other_high = (charges & positive) != 0 ? w.begin - near : high;
  const float room = t.dphi2 * 1.01f + 1e-5f;
  arc = {w.phi + min_of(low, other_low) - room, w.phi + max_of(high, other_high) + room};
  return arc.high - arc.low < 2.f * pi && arc.low > -3.f * pi && arc.high < 3.f * pi;
}

// Item = first hit: fills its slots. What they do not hold is counted.
template <class F>
SITECAP_FN void next_hits(const Way& w, const Target& t, const Hits& h, i32 charges, i32 first,
                          const Nexts& n, i32* overflow) {
  i32 count = 0;
  n.layers_passed[first] = w.layers_passed;
  for (i32 layer = 0; layer < layers; ++layer) {
    const bool beyond =
        w.layer < barrel_layers ? layer > w.layer : layer > w.layer && (layer < 7) == (w.layer < 7);
    Arc arc;
    if (!beyond || !arc_of(w, t, layer, charges, arc)) continue;
    const Stretches stretches = between(h, layer, arc.low, arc.high);
    for (i32 s = 0; s < 2; ++s)
      for (i32 base = stretches.begin[s]; base < stretches.end[s]; base += width_of<F>) {
        const NextMatch<F> m = match_next<F>(w, t, h, layer < barrel_layers, base, stretches.end[s]);
        const u32 negatives = (charges & negative) != 0 ? mask_bits(m.is_negative) : 0u;
        const u32 positives = (charges & positive) != 0 ? mask_bits(m.is_positive) : 0u;
        for (u32 bits = negatives | positives; bits != 0; bits &= bits - 1) {
          if (count == slots) {
            ++*overflow;
            continue;
          }
          const i32 l = lowest_bit(bits);
          const i64 k = static_cast<i64>(first) * slots + count++;
          n.hit[k] = base + l;
          n.layer[k] = layer < 7 ? layer : layer - 3;
          n.charges[k] =
              static_cast<i32>((negatives >> l & 1u) * negative + (positives >> l & 1u) * positive);
          n.dphi_negative[k] = lane(m.dphi_negative, l);
          n.dphi_positive[k] = lane(m.dphi_positive, l);
          n.drz[k] = lane(m.drz, l);
        }
      }
  }
  n.count[first] = count;
}

}  // namespace sitecap::eseeding
