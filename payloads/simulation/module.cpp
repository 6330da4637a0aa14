// The simulation as a Python module, and the elementary functions for their tests.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "host/convert.h"
#include "simulation/section.h"

namespace nb = nanobind;
using namespace sitecap;

namespace {

nb::dict simulate(const std::string& section, double pile_up, u64 seed, int first_event, int events) {
  if (!(pile_up >= 0 && pile_up <= 1000)) throw std::invalid_argument("pile_up is not within 0 and 1000");
  if (events < 1 || first_event < 0) throw std::invalid_argument("at least one event, from event 0 on");
  for (const auto* entry = simulation::section_entries; entry->name != nullptr; ++entry) {
    if (section != entry->name) continue;
    Columns columns;
    {
      nb::gil_scoped_release unlocked;
      columns = entry->simulate(simulation::Run{pile_up, seed, first_event, events});
    }
    return arrays_of(columns);
  }
  throw std::invalid_argument("there is no section '" + section + "' in this simulation");
}

}  // namespace

NB_MODULE(_simulation, module) {
  module.attr("version") = simulation::version;
  std::vector<std::string> names;
  for (const auto* entry = simulation::section_entries; entry->name != nullptr; ++entry)
    names.push_back(entry->name);
  module.attr("sections") = nb::cast(names);
  module.def("simulate", &simulate, nb::arg("section"), nb::arg("pile_up"), nb::arg("seed"),
             nb::arg("first_event") = 0, nb::arg("events") = 1);
  module.def("digest", [](const nb::dict& arrays) { return columns_of(arrays).digest(); });
}
