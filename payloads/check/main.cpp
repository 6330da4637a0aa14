// The kernels without Python: makes events, reconstructs them, prints digests. For other architectures under
// emulation, other compilers and sanitizers.
//
//   check KERNEL SECTION PILE_UP SEED EVENTS [THREADS [COLUMN=VALUE]...]
//
// One line for the events, one for each event's result and width. With threads, each opens the kernel on the
// same events: what the thread sanitizer then sees as a race is state that copies share. A column of 16-bit
// numbers can be filled with one value: for events that no simulation makes.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "host/payload.h"
#include "simulation/section.h"

using namespace sitecap;

namespace {

std::vector<std::string> digests(const KernelEntry& entry, const Columns& events, int lanes) {
  std::vector<std::string> lines;
  const auto payload = entry.open(events, {}, lanes);
  for (int event = 0; event < payload->events(); ++event) {
    payload->process(event, nullptr);
    char line[160];
    std::snprintf(line, sizeof line, "result %s event %d lanes %d %016llx", entry.name, event, lanes,
                  payload->digest());
    lines.emplace_back(line);
  }
  return lines;
}

void fill(Columns& events, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string name = assignment.substr(0, equals);
  const i64 size = events.get<u16>(name).size;
  const int value = equals == std::string::npos ? 0 : std::atoi(assignment.c_str() + equals + 1);
  events.put(name, std::vector<u16>(static_cast<std::size_t>(size), static_cast<u16>(value)));
}

int run(const std::string& kernel, const std::string& section, const simulation::Run& run, int threads,
        const std::vector<std::string>& assignments) {
  const simulation::SectionEntry* maker = simulation::section_entries;
  while (maker->name != nullptr && section != maker->name) ++maker;
  const KernelEntry* entry = kernel_entries;
  while (entry->name != nullptr && kernel != entry->name) ++entry;
  if (maker->name == nullptr || entry->name == nullptr) {
    std::fprintf(stderr, "check: no section '%s' or no kernel '%s' here\n", section.c_str(), kernel.c_str());
    return 2;
  }
  Columns events = maker->simulate(run);
  for (const auto& assignment : assignments) fill(events, assignment);
  std::printf("events %016llx\n", events.digest());
  for (const int lanes : {1, SITECAP_LANES_WIDE}) {
    std::vector<std::vector<std::string>> lines(static_cast<std::size_t>(threads));
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t)
      others.emplace_back([&, t] { lines[static_cast<std::size_t>(t)] = digests(*entry, events, lanes); });
    lines[0] = digests(*entry, events, lanes);
    for (auto& thread : others) thread.join();
    for (const auto& of_thread : lines)
      for (const auto& line : of_thread) std::puts(line.c_str());
    if (SITECAP_LANES_WIDE == 1) break;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: check KERNEL SECTION PILE_UP SEED EVENTS [THREADS [COLUMN=VALUE]...]\n");
    return 2;
  }
  try {
    const simulation::Run collisions{std::atof(argv[3]), std::strtoull(argv[4], nullptr, 10), 0,
                                     std::atoi(argv[5])};
    return run(argv[1], argv[2], collisions, argc > 6 ? std::atoi(argv[6]) : 1,
               std::vector<std::string>(argv + (argc > 7 ? 7 : argc), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "check: %s\n", error.what());
    return 1;
  }
}
