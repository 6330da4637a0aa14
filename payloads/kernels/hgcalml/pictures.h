// Stages before and behind the network: what it sees of a trackster, and what its answer means.
//
// As CMSSW's TracksterInferenceByDNN: in each layer the ten clusters of most energy, in falling order, their
// energy, |eta| and phi; a softmax over the classes. Our own: the logarithm of the energy, angles from the
// trackster's direction, and the energy as a correction of the raw one.
#pragma once
#include "kernels/hgcalml/shape.h"
#include "sitecap/maths.h"

namespace sitecap::hgcalml {

SITECAP_CONST i32 none = -1;
SITECAP_CONST i32 layers_of_an_endcap = 47;
SITECAP_CONST float energy_unit_gev = 0.05f, energy_scale = 0.25f;
SITECAP_CONST float angle_scale = 20.f, largest_angle = 4.f;
SITECAP_CONST float middle_eta = 2.25f;        // of an endcap
SITECAP_CONST float largest_correction = 4.f;  // of the energy's logarithm

// Of one event. Arrays have room for the lanes of the last item.
struct Clusters {
  i32 count;
  const float *energy_gev, *eta, *phi;
  const i32 *layer, *trackster;
};
struct Tracksters {
  i32 count;
  const float *x_cm, *y_cm, *z_cm, *energy_gev;
};
// What is told of clusters, for pictures.
struct Features {
  float *energy, *eta, *phi;
};

// Direction of W tracksters' barycentres from the origin.
template <class F>
SITECAP_FN void direct(Tracksters t, i32 first, float* eta, float* phi) {
  const F x = load<F>(t.x_cm + first), y = load<F>(t.y_cm + first), z = absolute(load<F>(t.z_cm + first));
  const F r = larger(square_root(x * x + y * y), all_lanes<F>(1e-3f));
  const F slope = z / r;
  store(eta + first, logarithm(slope + square_root(slope * slope + 1.f)));
  store(phi + first, arc_tangent(y, x));
}

template <class F>
SITECAP_FN F within(F x, float largest) {
  return larger(smaller(x, all_lanes<F>(largest)), all_lanes<F>(-largest));
}

// Features of W clusters; those of no trackster get some of trackster 0.
template <class F>
SITECAP_FN void describe(Clusters c, i32 first, const float* eta, const float* phi, Features to) {
  const IntOf<F> raw = load<IntOf<F>>(c.trackster + first);
  const IntOf<F> trackster = select(raw < 0, IntOf<F>{}, raw);
  const F energy = load<F>(c.energy_gev + first);
  store(to.energy + first, energy_scale * logarithm(energy * (1.f / energy_unit_gev) + 1.f));
  const F eta_of = gather(eta, trackster);
  const F d_eta = absolute(load<F>(c.eta + first)) - eta_of;
  const F d_phi = reduced_angle(load<F>(c.phi + first) - gather(phi, trackster));
  store(to.eta + first, within(d_eta * angle_scale + (eta_of - middle_eta), largest_angle));
  store(to.phi + first, within(d_phi * angle_scale, largest_angle));
}

// Row of a picture in which a cluster is, by its layer of either endcap.
SITECAP_FN i32 row_of(i32 plane) {
  return plane < layers_of_an_endcap ? plane : plane - layers_of_an_endcap;
}
// Takes a cluster among the best of its row, by insertion, behind those of equal energy; what falls off the
// end is not seen.
SITECAP_FN void insert(i32 cluster, const float* energy_gev, i32* best, i32& filled) {
  i32 place = filled;
  while (place > 0 && energy_gev[best[place - 1]] < energy_gev[cluster]) --place;
  if (place == columns_of_picture) return;
  if (filled < columns_of_picture) ++filled;
  for (i32 k = filled - 1; k > place; --k) best[k] = best[k - 1];
  best[place] = cluster;
}
// A row is all zeros but for its first `filled` places.
SITECAP_FN void clear_row(i32& filled, float* row) {
  for (i32 k = 0; k < filled * features; ++k) row[k] = 0.f;
  filled = 0;
}
SITECAP_FN void fill_row(const i32* best, i32 filled, Features f, float* row) {
  for (i32 k = 0; k < filled; ++k) {
    row[k * features] = f.energy[best[k]];
    row[k * features + 1] = f.eta[best[k]];
    row[k * features + 2] = f.phi[best[k]];
  }
}

// Fills the picture of one trackster, whose clusters are `member`, by rising index. `filled` says how many
// clusters each of its rows has from an earlier call.
SITECAP_FN void draw(const i32* member, i32 members, Clusters c, Features f, i32* best, i32* filled,
                     float* picture) {
  for (i32 row = 0; row < rows_of_picture; ++row)
    clear_row(filled[row], picture + Picture0::at(row * columns_of_picture));
  for (i32 m = 0; m < members; ++m) {
    const i32 row = row_of(c.layer[member[m]]);
    insert(member[m], c.energy_gev, best + row * columns_of_picture, filled[row]);
  }
  for (i32 row = 0; row < rows_of_picture; ++row)
    fill_row(best + row * columns_of_picture, filled[row], f,
             picture + Picture0::at(row * columns_of_picture));
}

struct Answers {
  float* probability[classes];
  float *correction, *energy_gev;
};

// W answers from their scores: probabilities by a softmax, and the energy.
template <class F>
SITECAP_FN void answer(const float* scores, const i32* trackster, const float* raw_gev, i32 first,
                       Answers to) {
  IntOf<F> lanes{};
  for (int l = 0; l < width_of<F>; ++l) set_lane(lanes, l, (first + l) * head_slots);
  F score[classes];
  SITECAP_UNROLL
  for (i32 k = 0; k < classes; ++k) score[k] = gather(scores, lanes + k);
  F most = score[0];
  SITECAP_UNROLL
  for (i32 k = 1; k < classes; ++k) most = larger(most, score[k]);
  F sum{};
  SITECAP_UNROLL
  for (i32 k = 0; k < classes; ++k) {
    score[k] = exponential(score[k] - most);
    sum = sum + score[k];
  }
  SITECAP_UNROLL
  for (i32 k = 0; k < classes; ++k) store(to.probability[k] + first, score[k] / sum);
  const F correction = within(gather(scores, lanes + classes), largest_correction);
  store(to.correction + first, correction);
  const F raw = gather(raw_gev, load<IntOf<F>>(trackster + first));
  store(to.energy_gev + first, raw * exponential(correction));
}

}  // namespace sitecap::hgcalml
