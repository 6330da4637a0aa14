// Section "truth": what the generator makes and no detector.
#include "simulation/section.h"

#include "simulation/generator.h"

namespace sitecap::simulation::truth {

Columns simulate(const Run& run) {
  std::vector<Truth> events;
  for (int i = 0; i < run.events; ++i) events.push_back(generate(run, run.first_event + i));
  Columns columns;
  put_truth(columns, events);
  return columns;
}

}  // namespace sitecap::simulation::truth
