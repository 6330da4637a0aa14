// The simulation as a Python module, and the elementary functions for their tests.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "host/convert.h"
#include "simulation/section.h"
#include "sitecap/maths.h"
#include "sitecap/random.h"

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

// One elementary function at every (x, y); those of one argument do not look at y.
std::vector<double> in_double(const std::string& name, const std::vector<double>& x,
                              const std::vector<double>& y) {
  if (x.size() != y.size()) throw std::invalid_argument("x and y are not of one length");
  std::vector<double> values;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double sine, cosine;
    precise::sine_cosine(x[i], sine, cosine);
    if (name == "sine")
      values.push_back(sine);
    else if (name == "cosine")
      values.push_back(cosine);
    else if (name == "exponential")
      values.push_back(precise::exponential(x[i]));
    else if (name == "logarithm")
      values.push_back(precise::logarithm(x[i]));
    else if (name == "arc_tangent")
      values.push_back(precise::arc_tangent(y[i], x[i]));
    else if (name == "power")
      values.push_back(precise::power(x[i], y[i]));
    else if (name == "hyperbolic_sine")
      values.push_back(precise::hyperbolic_sine(x[i]));
    else if (name == "inverse_hyperbolic_sine")
      values.push_back(precise::inverse_hyperbolic_sine(x[i]));
    else
      throw std::invalid_argument("there is no function '" + name + "' in double precision");
  }
  return values;
}
// Single precision, one lane.
std::vector<double> in_single(const std::string& name, const std::vector<double>& x,
                              const std::vector<double>& y) {
  if (x.size() != y.size()) throw std::invalid_argument("x and y are not of one length");
  std::vector<double> values;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float at = static_cast<float>(x[i]);
    float sine, cosine;
    sine_cosine(at, sine, cosine);
    if (name == "sine")
      values.push_back(sine);
    else if (name == "cosine")
      values.push_back(cosine);
    else if (name == "exponential")
      values.push_back(exponential(at));
    else if (name == "logarithm")
      values.push_back(logarithm(at));
    else if (name == "arc_tangent")
      values.push_back(arc_tangent(static_cast<float>(y[i]), at));
    else
      throw std::invalid_argument("there is no function '" + name + "' in single precision");
  }
  return values;
}

// `count` draws of one sequence.
std::vector<double> draws(const std::string& name, u64 seed, u32 item, int count, double parameter) {
  Random random(seed, 0, 0, item);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    if (name == "uniform")
      values.push_back(random.uniform());
    else if (name == "normal")
      values.push_back(random.normal());
    else if (name == "exponential")
      values.push_back(random.exponential());
    else if (name == "gamma")
      values.push_back(random.gamma(parameter));
    else if (name == "poisson")
      values.push_back(random.poisson(parameter));
    else
      throw std::invalid_argument("there is no distribution '" + name + "'");
  }
  return values;
}

std::vector<u32> philox_block(const std::vector<u32>& counter, const std::vector<u32>& key) {
  if (counter.size() != 4 || key.size() != 2)
    throw std::invalid_argument("a counter of 4 words and a key of 2");
  const Philox block = philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return {block.word, block.word + 4};
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
  // what the tests of the ground ask
  module.def("in_double", &in_double, nb::arg("name"), nb::arg("x"), nb::arg("y"));
  module.def("in_single", &in_single, nb::arg("name"), nb::arg("x"), nb::arg("y"));
  module.def("draws", &draws, nb::arg("name"), nb::arg("seed"), nb::arg("item"), nb::arg("count"),
             nb::arg("parameter") = 1.0);
  module.def("philox", &philox_block, nb::arg("counter"), nb::arg("key"));
}
