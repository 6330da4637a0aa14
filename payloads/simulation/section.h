// Simulated collisions come in sections: what one part of the detector saw of the same collisions.
#pragma once
#include "host/columns.h"

namespace sitecap::simulation {

// Goes into the key of every cached event set: raise it with every change of a single bit.
inline constexpr int version = 1;

// What the collision without pile-up is.
enum class First { hard, singles };

struct Run {
  double pile_up = 50;  // mean number of minimum-bias collisions a bunch crossing, beside the hard one
  u64 seed = 1;
  int first_event = 0;
  int events = 1;
  First first = First::hard;
};

// Makes the columns of one section for `run.events` events. Event i of a seed is the same whatever
// first_event is.
using Simulate = Columns (*)(const Run& run);

struct SectionEntry {
  const char* name;
  Simulate simulate;
};
// All sections of this build, closed by {nullptr, nullptr}; made by CMake from simulation/*/section.cpp.
extern const SectionEntry section_entries[];

}  // namespace sitecap::simulation
