// All stages of the kernel, in the order in which they run:
//
//   direct, describe                     tracksters' directions, features of clusters   (per item, W lanes)
//   choose tracksters by energy, number them; sort clusters by number                   (scan, counting sort)
//   draw                                 clusters -> picture                             (per trackster)
//   convolve 1 to 4                      picture -> picture        (per trackster, tile of places, outputs)
//   hide, head                           picture -> hidden -> scores           (per trackster, outputs)
//   answer                               scores -> probabilities, energy                 (per item, W lanes)
#pragma once
#include "kernels/hgcalml/layers.h"
#include "kernels/hgcalml/pictures.h"
#include "sitecap/order.h"

namespace sitecap::hgcalml {

// Whether a trackster gets an answer.
SITECAP_FN i32 is_chosen(Tracksters t, float least_gev, i32 i) {
  return t.energy_gev[i] >= least_gev ? 1 : 0;
}
// Bin of a cluster: the number of its trackster among the chosen ones, or behind them all. `number` is the
// exclusive scan of is_chosen.
SITECAP_FN i32 bin_of(Clusters c, const i32* number, i32 tracksters, i32 i) {
  const i32 t = c.trackster[i];
  return t < 0 || number[t] == number[t + 1] ? number[tracksters] : number[t];
}

}  // namespace sitecap::hgcalml
