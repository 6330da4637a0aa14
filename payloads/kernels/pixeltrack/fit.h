// n-tuplets to tracks: a reference circle through three hits, a broken line about it, parameters at the beam
// line.
#pragma once
#include "kernels/pixeltrack/broken_line.h"
#include "kernels/pixeltrack/views.h"
#include "sitecap/maths.h"

namespace sitecap::pixeltrack {

// A circle in the plane, seen from a point on it: unit tangent (tx, ty), its left normal is (-ty, tx).
template <class F>
struct Circle {
  F x, y, tx, ty;
  F curvature;  // 1/cm, positive if it turns left
};

// Through three points, seen from the first.
template <class F>
SITECAP_FN Circle<F> circle_through(F x0, F y0, F x1, F y1, F x2, F y2) {
  const F ax = x1 - x0, ay = y1 - y0, bx = x2 - x0, by = y2 - y0;
  const F cx = x2 - x1, cy = y2 - y1;
  const F b = square_root(bx * bx + by * by);
  const F a2c2 = (ax * ax + ay * ay) * (cx * cx + cy * cy);
  const F curvature = 2.f * (ax * by - ay * bx) / (b * square_root(a2c2));
  // the tangent lies half the turn before the chord
  const F sine = 0.5f * curvature * b;
  const F cosine = square_root(larger(1.f - sine * sine, all_lanes<F>(0.f)));
  const F ux = bx / b, uy = by / b;
  return Circle<F>{x0, y0, ux * cosine + uy * sine, uy * cosine - ux * sine, curvature};
}

// A point as the circle sees it.
template <class F>
struct Seen {
  F left;    // of the circle, cm
  F tx, ty;  // tangent where the circle is closest
  F length;  // along the circle to there, cm; negative behind
};
template <class F>
SITECAP_FN Seen<F> seen_from(const Circle<F>& circle, F x, F y) {
  const F dx = x - circle.x, dy = y - circle.y;
  const F k = circle.curvature;
  const F u = dx * circle.tx + dy * circle.ty;
  const F v = dy * circle.tx - dx * circle.ty;
  const F w = v - 0.5f * k * (u * u + v * v);
  const F radial = square_root(1.f - 2.f * k * w);  // distance from the centre, in radii
  Seen<F> seen;
  seen.left = 2.f * w / (1.f + radial);
  const F cosine = (1.f - k * v) / radial, sine = k * u / radial;
  seen.tx = cosine * circle.tx - sine * circle.ty;
  seen.ty = cosine * circle.ty + sine * circle.tx;
  // chord from the circle's point to the closest one, and the arc over it (series of the arc sine)
  const F pu = u + seen.left * sine, pv = v - seen.left * cosine;
  const F chord = square_root(pu * pu + pv * pv);
  const F h = 0.5f * k * chord;
  const F h2 = h * h;
  const F arc = chord * (1.f + h2 * (1.f / 6.f + h2 * (3.f / 40.f + h2 * (15.f / 336.f))));
  seen.length = select(u < 0.f, -arc, arc);
  return seen;
}

// Variance of the angle in space after that many radiation lengths (Highland and Lynch-Dahl, PDG), beta = 1.
template <class F>
SITECAP_FN F scattering(F radiation_lengths, F momentum2_gev2) {
  const F correction = 1.f + 0.038f * logarithm(radiation_lengths);
  return 0.0136f * 0.0136f * radiation_lengths * correction * correction / momentum2_gev2;
}

// What is known in both planes; scattering turns a track by the same angle in each.
template <class F>
struct Forms {
  BendForm<F> bend;
  LineForm<F> line;
  F one_cot2;  // 1 + cot^2 of the polar angle

  SITECAP_FN void move_back(F length) {
    bend.move_back(length);
    line.move_back(length);
  }
  SITECAP_FN void kink(F variance) {
    bend.kink(variance * one_cot2);
    line.kink(variance * one_cot2 * one_cot2);
  }
};

// Item: lanes of n-tuplets `which[0 ..)`, for which numbers must be there in every lane.
template <class F>
SITECAP_FN void fit_tracks(const Topology& t, const Frames& frames, const Hits& hits, const Tuples& tuples,
                           const i32* which, const Tracks& tracks) {
  using I = IntOf<F>;
  const I tuple = load<I>(which);
  const I start = gather(tuples.start, tuple);
  const I count = gather(tuples.start, tuple + 1) - start;
  i32 longest = 3;
  for (int l = 0; l < width_of<F>; ++l) longest = max_of(longest, lane(count, l));
  const I first = gather(tuples.hit, start);
  const I middle = gather(tuples.hit, start + (count >> 1));
  const I last = gather(tuples.hit, start + count - 1);
  const F x0 = gather(hits.x, first), y0 = gather(hits.y, first), z0 = gather(hits.z, first);
  const Circle<F> circle = circle_through(x0, y0, gather(hits.x, middle), gather(hits.y, middle),
                                          gather(hits.x, last), gather(hits.y, last));
  const Seen<F> end = seen_from(circle, gather(hits.x, last), gather(hits.y, last));
  const F cot = (gather(hits.z, last) - z0) / end.length;
  const F one_cot2 = 1.f + cot * cot;
  const F to_pt = all_lanes<F>(1.f / t.radius_per_pt_cm_per_gev);
  // momenta below what the doublets asked for come from hits that do not belong together
  const F pt_reference = to_pt / larger(absolute(circle.curvature), all_lanes<F>(1e-6f));
  const F pt_scatter = larger(pt_reference, all_lanes<F>(0.2f));
  const F momentum2 = pt_scatter * pt_scatter * one_cot2;
  const F inverse_momentum = 1.f / square_root(one_cot2);

  const F zero = all_lanes<F>(0.f), one = all_lanes<F>(1.f);
  Forms<F> track{{}, {}, one_cot2};
  F length_after = end.length;
  // where the track leaves the barrel, if it does
  const F steep = larger(absolute(cot), all_lanes<F>(1e-3f));
  const F barrel_end = (t.barrel_end_cm - select(cot < 0.f, -z0, z0)) / steep;
  const F end_variance =
      scattering(t.barrel_end_radiation_lengths * square_root(one_cot2) / steep, momentum2);
  for (i32 k = longest - 1; k >= 0; --k) {
    const auto there = count > k;
    const I hit = gather(tuples.hit, start + select(there, I{} + k, I{}));
    const Seen<F> seen = seen_from(circle, gather(hits.x, hit), gather(hits.y, hit));
    const I module = gather(hits.module, hit);
    const I base = module * frame_size;
    const F xx = gather(frames.frame, base + 3), xy = gather(frames.frame, base + 4),
            xz = gather(frames.frame, base + 5);
    const F yx = gather(frames.frame, base + 6), yy = gather(frames.frame, base + 7),
            yz = gather(frames.frame, base + 8);
    const F nx = gather(frames.frame, base + 9), ny = gather(frames.frame, base + 10),
            nz = gather(frames.frame, base + 11);
    const F var_x = gather(hits.var_x, hit), var_y = gather(hits.var_y, hit);
    const F matter = gather(frames.matter, module);
    // A displacement within the module is seen after sliding along the track back to the plane across it: its
    // part to the left, and its z at fixed length.
    const F left_x = xy * seen.tx - xx * seen.ty, left_y = yy * seen.tx - yx * seen.ty;
    const F up_x = xz - cot * (xx * seen.tx + xy * seen.ty), up_y = yz - cot * (yx * seen.tx + yy * seen.ty);
    const F weight_left = select(there, 1.f / (left_x * left_x * var_x + left_y * left_y * var_y), zero);
    const F weight_up = select(there, 1.f / (up_x * up_x * var_x + up_y * up_y * var_y), zero);
    const F here = select(there, seen.length, length_after);
    const F between = smaller(larger(barrel_end, here), length_after);
    track.move_back(length_after - between);
    // only a track that passes the end of the barrel between these two hits scatters there
    track.kink(select((between > here) & (between < length_after), end_variance, zero));
    track.move_back(between - here);
    length_after = here;
    track.bend.measure(seen.left, weight_left);
    track.line.measure(gather(hits.z, hit) - (z0 + cot * seen.length), weight_up);
    const F slant = absolute(nx * seen.tx + ny * seen.ty + nz * cot) * inverse_momentum;
    track.kink(select(there, scattering(matter / larger(slant, all_lanes<F>(0.1f)), momentum2), zero));
  }

  // back to the beam line, through the beam pipe on the way if the first hit lies outside it
  const Seen<F> beam = seen_from(circle, all_lanes<F>(0.f), all_lanes<F>(0.f));
  const F radius = square_root(x0 * x0 + y0 * y0);
  const F outside = smaller(larger((radius - t.beam_pipe_radius_cm) / radius, zero), one);
  const F pipe = length_after + (beam.length - length_after) * outside;
  const F inside = smaller(larger(barrel_end, pipe), length_after);  // a first hit on a disc
  track.move_back(length_after - inside);
  track.kink(select((inside > pipe) & (inside < length_after), end_variance, zero));
  track.move_back(inside - pipe);
  track.kink(scattering(t.beam_pipe_radiation_lengths * square_root(one_cot2), momentum2));
  track.move_back(pipe - beam.length);
  const Bend<F> b = minimum(track.bend);
  const Line<F> s = minimum(track.line);

  const F curvature = circle.curvature + b.k;
  const F size = larger(absolute(curvature), all_lanes<F>(1e-7f));
  const F pt = to_pt / size;
  const F phi = reduced_angle(arc_tangent(beam.ty, beam.tx) + b.a);
  for (int l = 0; l < width_of<F>; ++l) {
    const i32 track = lane(tuple, l);
    tracks.pt[track] = lane(pt, l);
    tracks.phi[track] = lane(phi, l);
    tracks.tip[track] = lane(b.e, l) - lane(beam.left, l);
    tracks.zip[track] = lane(z0, l) + lane(cot, l) * lane(beam.length, l) + lane(s.z, l);
    tracks.cot[track] = lane(cot, l) + lane(s.t, l);
    tracks.pt_error[track] = lane(pt, l) * square_root(lane(b.var_k, l)) / lane(size, l);
    tracks.phi_error[track] = square_root(lane(b.var_a, l));
    tracks.tip_error[track] = square_root(lane(b.var_e, l));
    tracks.zip_error[track] = square_root(lane(s.var_z, l));
    tracks.cot_error[track] = square_root(lane(s.var_t, l));
    tracks.chi2[track] = lane(b.chi2, l) + lane(s.chi2, l);
    tracks.charge[track] = lane(curvature, l) > 0.f ? -1 : 1;
  }
}

}  // namespace sitecap::pixeltrack
