// The kernels without Python: makes events, reconstructs them, prints digests. For other architectures under
// emulation, other compilers and sanitizers.
//
//   check KERNEL SECTION PILE_UP SEED EVENTS    one line for the events, one for each event's result and width
#include <cstdio>
#include <cstdlib>
#include <string>

#include "host/payload.h"
#include "simulation/section.h"

using namespace sitecap;

namespace {

int run(const std::string& kernel, const std::string& section, const simulation::Run& run) {
  const simulation::SectionEntry* maker = simulation::section_entries;
  while (maker->name != nullptr && section != maker->name) ++maker;
  const KernelEntry* entry = kernel_entries;
  while (entry->name != nullptr && kernel != entry->name) ++entry;
  if (maker->name == nullptr || entry->name == nullptr) {
    std::fprintf(stderr, "check: no section '%s' or no kernel '%s' here\n", section.c_str(), kernel.c_str());
    return 2;
  }
  const Columns events = maker->simulate(run);
  std::printf("events %016llx\n", events.digest());
  for (const int lanes : {1, SITECAP_LANES_WIDE}) {
    const auto payload = entry->open(events, {}, lanes);
    for (int event = 0; event < payload->events(); ++event) {
      payload->process(event, nullptr);
      std::printf("result %s event %d lanes %d %016llx\n", kernel.c_str(), event, lanes, payload->digest());
    }
    if (SITECAP_LANES_WIDE == 1) break;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: check KERNEL SECTION PILE_UP SEED EVENTS\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2],
               simulation::Run{std::atof(argv[3]), std::strtoull(argv[4], nullptr, 10), 0, std::atoi(argv[5])});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "check: %s\n", error.what());
    return 1;
  }
}
