// Section `singles`: as `calorimeters`, with single particles in place of the hard collision. At pile-up 0
// they are alone.
#include "simulation/section.h"

namespace sitecap::simulation {

namespace calorimeters {
Columns simulate(const Run& run);
}

namespace singles {

Columns simulate(const Run& run) {
  Run alone = run;
  alone.first = First::singles;
  return calorimeters::simulate(alone);
}

}  // namespace singles
}  // namespace sitecap::simulation
