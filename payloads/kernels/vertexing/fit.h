// The adaptive fit of a vertex in three dimensions with the beam spot as a prior: weighted least squares on
// impact parameters, weights by annealing (R. Fruehwirth, W. Waltenberger, P. Vanlaer, J. Phys. G 34 (2007)
// N343; CMSSW RecoVertex/AdaptiveVertexFit).
//
// A track's residual is its transverse and its longitudinal distance at the closest approach to the vertex.
// Its momentum is free, so this equals Billoir's fit of vertex and momenta to the five parameters (P.
// Billoir, R. Fruehwirth, M. Regler, NIM A 241 (1985) 115), to first order, with two numbers a track instead
// of five.
#pragma once
#include "kernels/vertexing/tracks.h"

namespace sitecap::vertexing {

// Columns of tracks in the order of clusters; column c begins at data + c * capacity. Padded with 16 entries.
struct FitTracks {
  i64 capacity;
  float* data;
  float* weight;  // of the fit, 0 .. 1
  i32* place;     // index among the selected tracks
  SITECAP_FN float* column(i32 c) const { return data + c * capacity; }
};

// Item = place among the cluster's tracks.
SITECAP_FN void gather_track(const EventTracks& e, const Selected& s, const BeamSpot& beam,
                             const FitTracks& f, i32 at) {
  const i32 i = s.source[f.place[at]];
  float sine, cosine;
  sine_cosine(e.phi[i], sine, cosine);
  f.column(column_curvature)[at] = curvature_per_inverse_gev * e.q_over_pt[i];
  f.column(column_sine)[at] = sine;
  f.column(column_cosine)[at] = cosine;
  f.column(column_cot)[at] = e.cot_theta[i];
  f.column(column_x)[at] = beam.x_cm - e.d0[i] * sine;
  f.column(column_y)[at] = beam.y_cm + e.d0[i] * cosine;
  f.column(column_z0)[at] = e.z0[i];
  const i32 packed[] = {2, 4, 5, 7, 8, 9, 11, 12, 13, 14};
  for (i32 c = 0; c < 10; ++c) f.column(column_phi_phi + c)[at] = e.covariance[packed[c]][i];
  f.column(column_pt)[at] = e.pt[i];
}

// Where the fit of a cluster begins: the mean of its tracks in z.
SITECAP_FN float start_of(const Selected& s, const FitTracks& f, i32 begin, i32 end) {
  float weight = 0.f, moment = 0.f;
  const float origin = f.column(column_z0)[begin];
  for (i32 at = begin; at < end; ++at) {
    const float w = s.weight[f.place[at]];
    weight += w;
    moment += w * (f.column(column_z0)[at] - origin);
  }
  return origin + moment / weight;
}

struct Vertex {
  float x, y, z;                 // cm
  float xx, yx, yy, zx, zy, zz;  // covariance, cm^2
  float chi2, ndof, sum_pt2;     // GeV^2
};

// A track seen from a point: residuals, their derivatives by the point, the inverse of their covariance.
template <class F>
struct Residual {
  F across, along;                         // cm
  F across_x, across_y, along_x, along_y;  // along_z is -1
  F w_aa, w_al, w_ll;                      // 1/cm^2
  SITECAP_FN F chi2() const {
    return w_aa * across * across + 2.f * w_al * across * along + w_ll * along * along;
  }
};

template <class F>
SITECAP_FN Residual<F> residual_at(const FitTracks& f, const BeamSpot& beam, i32 at, float x, float y,
                                   float z) {
  const auto c = [&](i32 column) { return load<F>(f.column(column) + at); };
  const F curvature = c(column_curvature), sine = c(column_sine), cosine = c(column_cosine),
          cot = c(column_cot);
  // from the track's point at the beam line to the vertex
  const F dx = x - c(column_x), dy = y - c(column_y);
  const F vx = curvature * dx + sine, vy = curvature * dy - cosine;
  const F length = square_root(vx * vx + vy * vy);
  const F inverse = 1.f / length;
  const F new_sine = vx * inverse, new_cosine = -(vy * inverse);
  const F way = (dx * cosine + dy * sine) * inverse;  // the arc, to third order in way * curvature
  Residual<F> r;
  r.across = (curvature * (dx * dx + dy * dy) + 2.f * (sine * dx - cosine * dy)) / (1.f + length);
  r.along = c(column_z0) - z + cot * way;
  r.across_x = new_sine;
  r.across_y = -new_cosine;
  r.along_x = cot * new_cosine;
  r.along_y = cot * new_sine;
  // derivatives by phi: (way, turn), by cot theta: (0, way), by d0: (1, 0), by z0: (0, 1)
  const F turn = cot * ((y - beam.y_cm) * cosine - (x - beam.x_cm) * sine);
  const F pp = c(column_phi_phi), cp = c(column_cot_phi), cc = c(column_cot_cot);
  const F dp = c(column_d0_phi), dc = c(column_d0_cot), zp = c(column_z0_phi), zc = c(column_z0_cot);
  const F c_aa = c(column_d0_d0) + way * (2.f * dp + way * pp);
  const F c_ll =
      c(column_z0_z0) + way * (2.f * zc + way * cc) + turn * (2.f * zp + turn * pp + 2.f * way * cp);
  const F c_al = c(column_z0_d0) + way * (zp + dc + turn * pp + way * cp) + turn * dp;
  const F inverse_determinant = 1.f / (c_aa * c_ll - c_al * c_al);
  r.w_aa = c_ll * inverse_determinant;
  r.w_al = -(c_al * inverse_determinant);
  r.w_ll = c_aa * inverse_determinant;
  return r;
}

// Sums of one step, in this order: the normal matrix xx yx yy zx zy zz, its right-hand side x y z, chi2,
// weights.
SITECAP_CONST i32 step_sums = 11;

// Inverse of a positive definite matrix xx yx yy zx zy zz.
SITECAP_FN bool invert(const float* h, float* c) {
  const float a = h[2] * h[5] - h[4] * h[4], b = h[4] * h[3] - h[1] * h[5], d = h[1] * h[4] - h[2] * h[3];
  const float determinant = h[0] * a + h[1] * b + h[3] * d;
  if (!(determinant > 0.f)) return false;
  const float inverse = 1.f / determinant;
  c[0] = a * inverse;
  c[1] = b * inverse;
  c[2] = (h[0] * h[5] - h[3] * h[3]) * inverse;
  c[3] = d * inverse;
  c[4] = (h[1] * h[3] - h[0] * h[4]) * inverse;
  c[5] = (h[0] * h[2] - h[1] * h[1]) * inverse;
  return true;
}

// One thread that fits alone.
struct FitsAlone {
  SITECAP_FN bool leads() const { return true; }
  // totals[n] of what part(base, add) adds by add(n, value) for tracks [begin, end), W of them at a time.
  template <class F, class Part>
  SITECAP_FN void sum(i32 begin, i32 end, const Part& part, float* totals) const {
    Sums<F, step_sums> sums;
    sums.clear();
    for (i32 base = begin; base < end; base += width_of<F>)
      part(base, [&](i32 n, F value) { sums.add(n, base - begin, value); });
    for (i32 n = 0; n < step_sums; ++n) totals[n] = sums.total(n);
  }
};

// Item = cluster of tracks [begin, end): its vertex; ndof = 0 if there is none. All members of a team get the
// same, but for sum_pt2, which only its leader has.
template <class F, class Team>
SITECAP_FN Vertex fit_vertex(const Team& team, const FitTracks& f, const BeamSpot& beam, const Options& o,
                             i32 begin, i32 end, float start_z) {
  Vertex v{};
  v.x = beam.x_cm;
  v.y = beam.y_cm;
  v.z = start_z;
  const float prior_x = 1.f / (beam.width_x_cm * beam.width_x_cm),
              prior_y = 1.f / (beam.width_y_cm * beam.width_y_cm);
  const float prior_z = 1.f / (beam.length_z_cm * beam.length_z_cm);
  const float cut2 = o.fit_cut * o.fit_cut;
  float t = o.fit_t_start;
  for (i32 step = 0; step < o.fit_steps; ++step) {
    const float half_beta = 0.5f / t;
    const auto part = [&](i32 base, const auto& add) {
      const Residual<F> r = residual_at<F>(f, beam, base, v.x, v.y, v.z);
      const F chi2 = r.chi2();
      const auto inside = lane_indices<F>(base) < end;
      const F w = select(inside, 1.f / (1.f + exponential((chi2 - cut2) * half_beta)), all_lanes<F>(0.f));
      const F x_a = r.across_x * r.w_aa + r.along_x * r.w_al, x_l = r.across_x * r.w_al + r.along_x * r.w_ll;
      const F y_a = r.across_y * r.w_aa + r.along_y * r.w_al, y_l = r.across_y * r.w_al + r.along_y * r.w_ll;
      add(0, w * (x_a * r.across_x + x_l * r.along_x));
      add(1, w * (x_a * r.across_y + x_l * r.along_y));
      add(2, w * (y_a * r.across_y + y_l * r.along_y));
      add(3, -(w * x_l));
      add(4, -(w * y_l));
      add(5, w * r.w_ll);
      add(6, -(w * (x_a * r.across + x_l * r.along)));
      add(7, -(w * (y_a * r.across + y_l * r.along)));
      add(8, w * (r.w_al * r.across + r.w_ll * r.along));
      add(9, select(inside, w * chi2, all_lanes<F>(0.f)));
      add(10, w);
      if constexpr (width_of<F> == 1) {
        f.weight[base] = w;
      } else {
        for (i32 l = 0; l < width_of<F> && base + l < end; ++l) f.weight[base + l] = lane(w, l);
      }
    };
    float sums[step_sums];
    team.template sum<F>(begin, end, part, sums);
    const float off_x = beam.x_cm - v.x, off_y = beam.y_cm - v.y, off_z = beam.z_cm - v.z;
    const float matrix[6] = {sums[0] + prior_x, sums[1], sums[2] + prior_y,
                             sums[3],           sums[4], sums[5] + prior_z};
    float c[6];
    if (!invert(matrix, c)) return Vertex{};
    const float g[3] = {sums[6] + prior_x * off_x, sums[7] + prior_y * off_y, sums[8] + prior_z * off_z};
    const float move_x = c[0] * g[0] + c[1] * g[1] + c[3] * g[2];
    const float move_y = c[1] * g[0] + c[2] * g[1] + c[4] * g[2];
    const float move_z = c[3] * g[0] + c[4] * g[1] + c[5] * g[2];
    v.xx = c[0];
    v.yx = c[1];
    v.yy = c[2];
    v.zx = c[3];
    v.zy = c[4];
    v.zz = c[5];
    // chi2 and degrees of freedom before this step's move, which is below fit_shift_cm in the last one
    v.chi2 = sums[9] + off_x * off_x * prior_x + off_y * off_y * prior_y + off_z * off_z * prior_z;
    v.ndof = 2.f * sums[10];
    v.x += move_x;
    v.y += move_y;
    v.z += move_z;
    const float shift2 = move_x * move_x + move_y * move_y + move_z * move_z;
    if (t <= 1.f && shift2 < o.fit_shift_cm * o.fit_shift_cm) break;
    t = max_of(1.f, t * o.fit_cooling);
  }
  if (team.leads()) {
    for (i32 at = begin; at < end; ++at) {
      const float pt = f.column(column_pt)[at];
      if (f.weight[at] > 0.5f) v.sum_pt2 += pt * pt;
    }
  }
  // a vertex that ran away from the beam has no tracks left
  if (!(v.ndof > o.least_ndof) || !(absolute(v.z) < 100.f)) v.ndof = 0.f;
  return v;
}

// Item = cluster: its vertex; a track alone is none.
template <class F, class Team>
SITECAP_FN Vertex fit_cluster(const Team& team, const FitTracks& f, const Selected& s, const BeamSpot& beam,
                              const Options& o, i32 begin, i32 end) {
  if (end - begin < 2) return Vertex{};
  return fit_vertex<F>(team, f, beam, o, begin, end, start_of(s, f, begin, end));
}

// Item = vertex: how many vertices come before it, the largest sum of pT^2 first.
SITECAP_FN i32 rank_of(const Vertex* vertices, i32 n, i32 i) {
  i32 rank = 0;
  for (i32 j = 0; j < n; ++j) {
    if (!(vertices[j].ndof > 0.f)) continue;
    if (vertices[j].sum_pt2 > vertices[i].sum_pt2 || (vertices[j].sum_pt2 == vertices[i].sum_pt2 && j < i))
      ++rank;
  }
  return rank;
}

// Item = cluster: its vertex takes its place in that order. Returns whether it has one.
SITECAP_FN bool place_vertex(const Vertex* unordered, i32 clusters, i32 c, Vertex* vertices,
                             i32* vertex_of_cluster) {
  vertex_of_cluster[c] = -1;
  if (!(unordered[c].ndof > 0.f)) return false;
  const i32 rank = rank_of(unordered, clusters, c);
  vertex_of_cluster[c] = rank;
  vertices[rank] = unordered[c];
  return true;
}

// Item = place among the tracks of all clusters: what the track's vertex makes of it.
SITECAP_FN void tell_track(const FitTracks& f, const Selected& s, const i32* cluster_of,
                           const i32* vertex_of_cluster, i32 at, i32* track_vertex, float* track_weight) {
  const i32 i = s.source[f.place[at]], vertex = vertex_of_cluster[cluster_of[f.place[at]]];
  track_vertex[i] = vertex;
  track_weight[i] = vertex < 0 ? 0.f : f.weight[at];
}

}  // namespace sitecap::vertexing
