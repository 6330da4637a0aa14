// One Python module per instruction set: this text, compiled with other flags and another SITECAP_MODULE.
//
// Separate shared objects, not objects in one: an inline function that the linker merges between them would
// carry instructions of the widest into the narrowest.
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "host/convert.h"
#include "host/payload.h"
#include "host/reference_loop.h"

namespace nb = nanobind;
using namespace sitecap;
using Clock = std::chrono::steady_clock;

namespace {

// A payload as Python sees it; the interpreter's lock is given up while it works.
class Opened {
 public:
  explicit Opened(std::unique_ptr<Payload> payload) : payload_(std::move(payload)) {}

  int events() const { return payload_->events(); }
  std::size_t workspace_bytes() const { return payload_->workspace_bytes(); }

  void process(int event) {
    check(event);
    nb::gil_scoped_release unlocked;
    payload_->process(event, nullptr);
  }
  nb::dict results() const { return arrays_of(payload_->results()); }
  u64 digest() const { return payload_->digest(); }

  // Wall seconds for `count` events from `first` on, round and round, and the digest of all their results.
  // The digest is kept out of the time.
  std::pair<double, u64> measure(int first, int count) {
    check(first);
    nb::gil_scoped_release unlocked;
    Digest digests;
    double seconds = 0;
    for (int i = 0; i < count; ++i) {
      const auto start = Clock::now();
      payload_->process((first + i) % payload_->events(), nullptr);
      seconds += std::chrono::duration<double>(Clock::now() - start).count();
      const u64 one = payload_->digest();
      digests.add_word(static_cast<u32>(one));
      digests.add_word(static_cast<u32>(one >> 32));
    }
    return {seconds, digests.value()};
  }
  // Seconds by stage for one event.
  std::map<std::string, double> stages(int event) {
    check(event);
    StageClock clock;
    {
      nb::gil_scoped_release unlocked;
      clock.start();
      payload_->process(event, &clock);
    }
    return clock.seconds();
  }

 private:
  void check(int event) const {
    if (event < 0 || event >= payload_->events())
      throw std::invalid_argument("there is no event " + std::to_string(event) + " in this set of " +
                                  std::to_string(payload_->events()));
  }
  std::unique_ptr<Payload> payload_;
};

std::unique_ptr<Opened> open_kernel(const std::string& kernel, const nb::dict& events,
                                    const Settings& settings, int lanes) {
  if (lanes == 0) lanes = SITECAP_LANES_WIDE;
  if (lanes != 1 && lanes != SITECAP_LANES_WIDE)
    throw std::invalid_argument("this backend has 1 or " + std::to_string(SITECAP_LANES_WIDE) +
                                " lanes, not " + std::to_string(lanes));
  for (const KernelEntry* entry = kernel_entries; entry->name != nullptr; ++entry)
    if (kernel == entry->name)
      return std::make_unique<Opened>(entry->open(columns_of(events), settings, lanes));
  throw std::invalid_argument("this build has no kernel '" + kernel + "'");
}

}  // namespace

NB_MODULE(SITECAP_MODULE, module) {
  module.attr("isa") = SITECAP_ISA;
  module.attr("lanes") = SITECAP_LANES_WIDE;
  module.attr("flags") = SITECAP_FLAGS;
#if defined(__clang__)
  module.attr("compiler") = "clang " __clang_version__;
#else
  module.attr("compiler") = "gcc " __VERSION__;
#endif
  std::vector<std::string> names;
  for (const KernelEntry* entry = kernel_entries; entry->name != nullptr; ++entry)
    names.push_back(entry->name);
  module.attr("kernels") = nb::cast(names);
  module.def("open", &open_kernel, nb::arg("kernel"), nb::arg("events"), nb::arg("settings") = Settings{},
             nb::arg("lanes") = 0);
  module.def("reference_loop_s", [] {
    double sink = 0;
    nb::gil_scoped_release unlocked;
    const double seconds = reference_loop_s(sink);
    return sink > 0 ? seconds : -1.0;
  });
  nb::class_<Opened>(module, "Opened")
      .def_prop_ro("events", &Opened::events)
      .def_prop_ro("workspace_bytes", &Opened::workspace_bytes)
      .def("process", &Opened::process, nb::arg("event"))
      .def("results", &Opened::results)
      .def("digest", &Opened::digest)
      .def(
          "measure",
          [](Opened& self, int first, int count) {
            const auto [seconds, digest] = self.measure(first, count);
            return nb::make_tuple(seconds, digest);
          },
          nb::arg("first"), nb::arg("count"))
      .def("stages", &Opened::stages, nb::arg("event"));
}
