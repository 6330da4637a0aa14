// The final fit: from the outermost hit inwards, with a wide start, then through the beam pipe to the beam
// line.
#pragma once
#include "kernels/mkfit/layers.h"
#include "kernels/mkfit/update.h"

namespace sitecap::mkfit {

SITECAP_CONST float start_scale = 100.f;  // of the covariance, as mkFit's backward fit starts
SITECAP_CONST float beam_pipe_cm = 2.2f, beam_pipe_radiation_lengths = 0.0023f;

template <class F>
SITECAP_FN void widen(State<F>& s) {
  SITECAP_UNROLL
  for (int k = 0; k < 21; ++k) s.c[k] = s.c[k] * start_scale;
}

// Half of the way to the surface of a point where the whole turns by more than propagation allows in one
// step: on the way out soft tracks met layers in between without a hit, on the way in the next hit may lie
// far off.
template <class F>
SITECAP_FN void approach(State<F>& s, Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc) {
  const F radius = p.x * p.ux + p.y * p.uy;
  MaskOf<F> unused;
  const Arc<F> whole = arc_to_cylinder(s, h, radius * radius, unused);
  const F t = absolute(whole.t);
  const F path = (p.z - s.z) / h.cot_theta;
  const F turn = absolute(path * h.curvature);
  const float near = 0.35f, far = 0.9f;  // tan(turn / 2)
  const MaskOf<F> far_cylinder = (is_disc == 0) & (t > near) & (t < far);
  const MaskOf<F> far_disc = is_disc & (turn > 2.f * near) & (turn < 4.f * near);
  const MaskOf<F> moves = far_cylinder | far_disc;
  if (!any(moves)) return;
  const State<F> old = s;
  const Heading<F> old_heading = h;
  // tan(turn / 4) = t / (1 + sqrt(1 + t^2))
  const F chord = select(far_cylinder, whole.u / (1.f + square_root(1.f + t * t)), F{});
  const Arc<F> around = arc_of_chord(chord, h.curvature);
  const Arc<F> along = arc_of_path(select(far_disc, 0.5f * path, F{}), h.curvature);
  transport(s, h,
            Arc<F>{select(far_disc, along.t, around.t), select(far_disc, along.u, around.u),
                   select(far_disc, along.path, around.path)});
  keep_where(s, old, moves);
  keep_where(h, old_heading, moves);
}

// One hit inwards: propagation, update, and the material of its layer (`radiation_lengths`, 0 where the next
// hit lies in the same layer). Lanes out of `taken` stay as they are. Adds to chi2.
template <class F>
SITECAP_FN void fit_step(State<F>& s, Heading<F>& h, const Point<F>& p, MaskOf<F> is_disc,
                         F radiation_lengths, MaskOf<F> taken, F& chi2) {
  const State<F> old = s;
  const Heading<F> old_heading = h;
  approach(s, h, p, is_disc);
  const F step = kalman_step<either>(s, h, p, is_disc);
  // where the hit is not reached (a track that curls up) it is passed over
  const MaskOf<F> good = taken & (step < 1e8f) & (step >= 0.f);
  const F outwards = p.ux * h.cos_phi + p.uy * h.sin_phi;
  const F cosine = select(is_disc, h.cot_theta, outwards) * h.sin_theta;
  const MaskOf<F> crossed = radiation_lengths > 0.f;
  const F before = s.inverse_pt;
  add_material(s, h, select(crossed, radiation_lengths, F{}), cosine, -1.f);
  s.inverse_pt = select(crossed, s.inverse_pt, before);  // not the rounding of no loss
  h.curvature = -bending * s.charge * s.inverse_pt;
  keep_where(s, old, good);
  keep_where(h, old_heading, good);
  chi2 = chi2 + select(good, step, select(taken, all_lanes<F>(100.f), F{}));
}

// From the innermost hit to the point nearest to the beam line.
template <class F>
SITECAP_FN void to_beam_line(State<F>& s) {
  const State<F> start = s;
  Heading<F> h = heading(s);
  MaskOf<F> reached;
  const Arc<F> pipe = arc_to_cylinder(s, h, all_lanes<F>(beam_pipe_cm * beam_pipe_cm), reached);
  transport(s, h, pipe);
  const F ux = s.x * (1.f / beam_pipe_cm), uy = s.y * (1.f / beam_pipe_cm);
  add_material(s, h, all_lanes<F>(beam_pipe_radiation_lengths),
               (ux * h.cos_phi + uy * h.sin_phi) * h.sin_theta, -1.f);
  keep_where(s, start, reached);
  const State<F> at_pipe = s;
  h = heading(s);
  const Arc<F> arc = arc_to_beam_line(s, h, reached);
  transport(s, h, arc);
  project(s, h, h.cos_phi, h.sin_phi);
  keep_where(s, at_pipe, reached);
}

}  // namespace sitecap::mkfit
