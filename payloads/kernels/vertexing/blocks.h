// Blocks of tracks that are annealed each for itself, the list of prototypes that they leave together, and
// the assignment of tracks to it.
#pragma once
#include "kernels/vertexing/schedule.h"

namespace sitecap::vertexing {

// Block b covers selected tracks [b * step, b * step + size); the last one covers the rest.
SITECAP_FN i32 blocks_of(i32 tracks, const Options& o) {
  if (tracks == 0) return 0;
  return tracks <= o.block_tracks ? 1 : max_of(1, tracks / o.block_step);
}
SITECAP_FN i32 block_begin(i32 block, const Options& o) {
  return block * o.block_step;
}
SITECAP_FN i32 block_end(i32 block, i32 tracks, const Options& o) {
  return min_of(block * o.block_step + o.block_tracks, tracks);
}

// Where the prototypes of a block are kept: block b has `capacity` places from b * capacity on.
struct BlockResults {
  i32 capacity;
  i32 *count, *updates;
  float *z, *rho, *prior, *beta;  // prior: the block's sum; beta: the last
};

// What the annealing of a block came to.
template <class F, class Team>
SITECAP_FN void keep_block(const Annealer<F, Team>& a, float beta, i32 block, const BlockResults& r) {
  const i32 n = *a.p.count;
  for (i32 k = a.team.rank(); k < n; k += a.team.size()) {
    r.z[block * r.capacity + k] = a.p.z[k];
    r.rho[block * r.capacity + k] = a.p.rho[k];
  }
  if (!a.leads()) return;
  r.count[block] = n;
  r.updates[block] = a.updates;
  r.prior[block] = a.inverse_prior > 0.f ? 1.f / a.inverse_prior : 0.f;
  r.beta[block] = beta;
}

// Item = the event: the prototypes of all blocks as one list in z. Neighbouring blocks share half of their
// tracks; the border lies at the middle track of the overlap, and a prototype that each block sees on the
// other's side of it is kept once. (CMSSW's vertices_in_blocks keeps all, so that vertices in an overlap
// stand there twice.)
SITECAP_FN void join_blocks(const BlockResults& r, const Selected& s, i32 blocks, i32 tracks,
                            float inverse_prior, const Options& o, const Prototypes& p) {
  i32 n = 0;
  const i32 overlap = o.block_tracks - o.block_step;
  float low = -1e30f;
  for (i32 b = 0; b < blocks; ++b) {
    const float high = b + 1 < blocks ? s.z[min_of(block_begin(b + 1, o) + overlap / 2, tracks - 1)] : 1e30f;
    const float scale = r.prior[b] * inverse_prior;
    for (i32 k = b * r.capacity; k < b * r.capacity + r.count[b]; ++k) {
      const bool own = r.z[k] >= low && r.z[k] < high;
      // just beyond the border on its left: the block before may have seen it beyond on the right
      const bool missed =
          r.z[k] < low && r.z[k] > low - o.merge_cm && (n == 0 || r.z[k] - p.z[n - 1] > o.merge_cm);
      if (!own && !missed) continue;
      if (n > 0 && r.z[k] - p.z[n - 1] < 1e-6f) continue;
      if (n == p.capacity) {
        ++*p.overflow;
        continue;
      }
      p.z[n] = r.z[k];
      p.rho[n] = r.rho[k] * scale;
      ++n;
    }
    low = high;
  }
  *p.count = n;
}

// Item = track: the prototype that has more than half of it, or -1, and the logarithm of its Z.
SITECAP_FN void assign_track(const BlockTracks& t, const Prototypes& p, float beta, float log_outlier, i32 i,
                             i32* owner, float* log_z) {
  log_z[i] = 0.f;
  if (t.place[i] < 0) return;
  i32 best = -1;
  if (t.prior[i] > 0.f && t.share[i] > 0.f) {
    const float inverse_z = t.share[i] / t.prior[i];
    for (i32 k = t.first[i]; k < t.last[i]; ++k) {
      const float part = boltzmann<float>(t.weight[i] * -beta, t.z[i] - p.z[k], t.shift[i], true);
      if (p.rho[k] * part * inverse_z > 0.5f) best = k;
    }
    // the outliers' term is bounded where it dwarfs all others (normalise)
    log_z[i] = max_of(t.shift[i] - logarithm(inverse_z), log_outlier);
  }
  owner[t.place[i]] = best;
}

// Item = prototype: whether a cluster begins with it; those closer than two vertex sizes count as one.
SITECAP_FN bool begins_cluster(const Prototypes& p, const Options& o, i32 k) {
  return k == 0 || absolute(p.z[k] - p.z[k - 1]) > 2.f * o.vertex_size_cm;
}

}  // namespace sitecap::vertexing
