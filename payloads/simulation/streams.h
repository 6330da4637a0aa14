// Which random numbers belong to what: one line a purpose, a number is never used twice (see
// sitecap/random.h).
#pragma once
#include "sitecap/platform.h"

namespace sitecap::simulation::stream {

inline constexpr u32 collisions = 1;              // item: none; number and vertices of an event's collisions
inline constexpr u32 particles = 2;               // item: collision
inline constexpr u32 hard_collision = 3;          // item: object of the hard collision
inline constexpr u32 pixel_crossing = 10;         // item: particle
inline constexpr u32 pixel_noise = 11;            // item: module
inline constexpr u32 tracker_crossing = 20;       // item: particle
inline constexpr u32 tracker_noise = 21;          // item: layer
inline constexpr u32 tracker_seed = 22;           // item: particle
inline constexpr u32 outertracker_crossing = 25;  // item: particle
inline constexpr u32 outertracker_noise = 26;     // item: module
inline constexpr u32 shower = 30;                 // item: particle
inline constexpr u32 hgcal_noise = 31;            // item: layer
inline constexpr u32 ecal_noise = 32;             // item: none
inline constexpr u32 ecal_shower = 33;            // item: particle
inline constexpr u32 hcal_noise = 34;             // item: cell
inline constexpr u32 hcal_shower = 35;            // item: particle
inline constexpr u32 reconstructed = 40;          // item: particle; tracks as vertexing gets them
inline constexpr u32 fake_tracks = 41;            // item: none
inline constexpr u32 boson = 50;                  // item: none; the Z of section electron
inline constexpr u32 pixel_hit = 51;              // item: none

}  // namespace sitecap::simulation::stream
