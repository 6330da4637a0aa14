// Linked tracks and showers to candidates: what of a calorimeter's energy its tracks do not explain.
//
// CMS, "Particle-flow reconstruction and global event description", JINST 12 (2017) P10003, 5.4, and CMSSW's
// PFAlgo, for hadrons and photons.
#pragma once
#include "kernels/pflow/tracks.h"

namespace sitecap::pflow {

SITECAP_CONST float pion_gev = 0.13957f;
// A hadron's energy from the raw one E of crystals and cells: E (a + b / (1 + E / c)); fitted to the section
// `calorimeters` (README.md).
SITECAP_CONST float calibration = 0.88f, calibration_low = 0.62f, calibration_gev = 8.f;
// Relative resolution of a hadron's energy, sqrt(a^2 / E + b^2), in barrel and endcaps (CMSSW, PFAlgo).
SITECAP_CONST float barrel_eta = 1.48f;
// An excess counts from 1 + exp(-p / this) deviations on, p the sum of the tracks' momenta (PFAlgo).
SITECAP_CONST float fall_gev = 100.f;

// What links make: a block is a shower of cells with all that belongs to it, or one of crystals that belongs
// to none. It has the number of that shower.
struct Links {
  i32 *ecal, *hcal;  // by track
  float* ecal_distance2;
  i32* block;                       // by shower
  i32* block_of_track;              // none for a track without a link
  i32* kept;                        // by track, 1 or 0
  float *photon_gev, *neutral_gev;  // by block; 0 where there is none
};

// Block of shower s: one of crystals goes with the shower of cells of its nearest track. `track` are the
// tracks linked to it, rising.
SITECAP_FN void join_block(i32 s, const i32* track, i32 count, const Links& links) {
  links.block[s] = s;
  i32 owner = none;
  for (i32 i = 0; i < count; ++i)
    if (owner == none || links.ecal_distance2[track[i]] < links.ecal_distance2[owner]) owner = track[i];
  if (owner != none && links.hcal[owner] != none) links.block[s] = links.hcal[owner];
}
SITECAP_FN void join_track(i32 t, const Links& links) {
  links.kept[t] = 1;
  links.block_of_track[t] =
      links.hcal[t] != none ? links.hcal[t] : (links.ecal[t] != none ? links.block[links.ecal[t]] : none);
}

struct Momentum {
  float pt_gev, p_gev, pt_error_gev, p_error_gev;
};
SITECAP_FN Momentum momentum_of(i32 t, const Tracks& tracks) {
  Momentum m;
  m.pt_gev = 1.f / absolute(tracks.q_over_pt[t]);
  const float stretch = square_root(1.f + tracks.cot_theta[t] * tracks.cot_theta[t]);
  m.p_gev = m.pt_gev * stretch;
  m.pt_error_gev = square_root(tracks.q_over_pt_variance[t]) * m.pt_gev * m.pt_gev;
  m.p_error_gev = m.pt_error_gev * stretch;
  return m;
}

SITECAP_FN float calibrated(float raw_gev) {
  return raw_gev * (calibration + calibration_low / (1.f + raw_gev / calibration_gev));
}
// Standard deviation of a hadron's measured energy, GeV; below 1 GeV in proportion to it.
SITECAP_FN float hadron_error(float energy_gev, float eta) {
  const bool in_barrel = absolute(eta) < barrel_eta;
  const float a = in_barrel ? 1.02f : 1.20f, b = in_barrel ? 0.065f : 0.028f;
  return square_root(a * a / max_of(energy_gev, 1.f) + b * b) * energy_gev;
}

// Decides what block b is: which of its tracks stay, what photon and neutral hadron it holds besides.
SITECAP_FN void decide(i32 b, const i32* shower, i32 shower_count, const i32* track, i32 track_count,
                       const Showers& showers, const Tracks& tracks, const Options& o, const Links& links) {
  float ecal = 0.f;
  for (i32 i = 0; i < shower_count; ++i)
    if (showers.is_hcal[shower[i]] == 0) ecal += showers.energy_gev[shower[i]];
  const bool has_hcal = showers.is_hcal[b] != 0;
  const float energy = has_hcal ? calibrated(ecal + showers.energy_gev[b]) : ecal;
  links.photon_gev[b] = links.neutral_gev[b] = 0.f;
  if (track_count == 0) {
    (has_hcal ? links.neutral_gev : links.photon_gev)[b] = energy;
    return;
  }
  float total = 0.f;
  for (i32 i = 0; i < track_count; ++i) total += momentum_of(track[i], tracks).p_gev;
  const float calorimeter_error = hadron_error(total, showers.eta[b]);
  // far too little energy: the worst measured tracks are wrong
  for (float left = total; left - energy > o.lack_sigmas * calorimeter_error;) {
    i32 worst = none;
    float error = o.track_error_gev;
    for (i32 i = 0; i < track_count; ++i) {
      const Momentum m = momentum_of(track[i], tracks);
      if (links.kept[track[i]] != 0 && m.pt_error_gev > error) {
        worst = track[i];
        error = m.pt_error_gev;
      }
    }
    if (worst == none) break;
    links.kept[worst] = 0;
    left -= momentum_of(worst, tracks).p_gev;
  }
  float variance = 0.f;
  total = 0.f;
  for (i32 i = 0; i < track_count; ++i) {
    if (links.kept[track[i]] == 0) continue;
    const Momentum m = momentum_of(track[i], tracks);
    total += m.p_gev;
    variance += m.p_error_gev * m.p_error_gev;
  }
  float enough = 0.f;
  if (total > 0.f) {
    const float error = hadron_error(total, showers.eta[b]);
    enough = o.excess_sigmas * (1.f + exponential(-total / fall_gev)) * square_root(error * error + variance);
  }
  const float excess = energy - total;
  if (!(excess > enough)) return;
  links.photon_gev[b] = min_of(ecal, excess);
  links.neutral_gev[b] = max_of(excess - ecal, 0.f);
}

enum Kind : i32 { charged = 0, photon = 1, neutral = 2 };
struct Candidates {
  i32 *kind, *track, *shower;
  float *pt_gev, *eta, *phi, *energy_gev;
};
SITECAP_FN void put_charged(i32 at, i32 t, const Tracks& tracks, const Links& links, const Candidates& c) {
  const Momentum m = momentum_of(t, tracks);
  const float cot = tracks.cot_theta[t], size = absolute(cot);
  const float eta = logarithm(size + square_root(1.f + size * size));
  c.kind[at] = charged;
  c.track[at] = t;
  c.shower[at] = links.block_of_track[t];
  c.pt_gev[at] = m.pt_gev;
  c.eta[at] = cot < 0.f ? -eta : eta;
  c.phi[at] = tracks.phi[t];
  c.energy_gev[at] = square_root(m.p_gev * m.p_gev + pion_gev * pion_gev);
}
SITECAP_FN void put_neutral(i32 at, i32 b, Kind kind, float energy_gev, const Showers& showers,
                            const Candidates& c) {
  const float grown = exponential(absolute(showers.eta[b]));
  c.kind[at] = kind;
  c.track[at] = none;
  c.shower[at] = b;
  c.pt_gev[at] = energy_gev / (0.5f * (grown + 1.f / grown));
  c.eta[at] = showers.eta[b];
  c.phi[at] = showers.phi[b];
  c.energy_gev[at] = energy_gev;
}

}  // namespace sitecap::pflow
