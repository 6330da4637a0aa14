// The device backends' Python module: kernels on a device, whichever it is.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "backends/device/driver.h"
#include "backends/device/emulated.h"
#include "backends/device/in_flight.h"
#include "backends/device/primitives.h"
#include "host/convert.h"

namespace nb = nanobind;
using namespace sitecap;

namespace {

// A kernel on a device, which it keeps. The interpreter's lock is given up while the device works.
class Opened {
 public:
  Opened(std::shared_ptr<Device> device, const DeviceKernelEntry& entry, const Columns& events,
         const Settings& settings, int slots)
      : device_(std::move(device)), payload_(entry.open(events, settings, *device_, slots)) {}

  int events() const { return payload_->events(); }
  int slots() const { return payload_->slots(); }
  std::size_t slot_bytes() const { return payload_->slot_bytes(); }

  void process(int event) {
    check(event);
    nb::gil_scoped_release unlocked;
    payload_->bring(0, event);
    payload_->reconstruct(0);
    payload_->fetch(0);
  }
  nb::dict results() const { return arrays_of(payload_->results(0)); }
  u64 digest() const { return payload_->digest(0); }

  std::pair<double, std::vector<std::pair<int, u64>>> run(int first, int count, int threads, bool transfers) {
    check(first);
    nb::gil_scoped_release unlocked;
    Timed timed = run_in_flight(*payload_, first, count, threads, transfers);
    return {timed.seconds, std::move(timed.last)};
  }
  u64 digest_of(int first, int count) {
    check(first);
    nb::gil_scoped_release unlocked;
    return digest_in_flight(*payload_, first, count);
  }

 private:
  void check(int event) const {
    if (event < 0 || event >= events())
      throw std::invalid_argument("there is no event " + std::to_string(event) + " in this set of " +
                                  std::to_string(events()));
  }

  std::shared_ptr<Device> device_;  // outlives the payload
  std::unique_ptr<DevicePayload> payload_;
};

std::unique_ptr<Opened> open_kernel(const std::shared_ptr<Device>& device, const std::string& kernel,
                                    const nb::dict& events, const Settings& settings, int slots) {
  if (slots < 1) throw std::invalid_argument("a kernel needs at least one event in flight");
  for (const DeviceKernelEntry* entry = device_kernel_entries; entry->name != nullptr; ++entry)
    if (kernel == entry->name)
      return std::make_unique<Opened>(device, *entry, columns_of(events), settings, slots);
  throw std::invalid_argument("kernel '" + kernel + "' has no launches for a device");
}

Api api_of(const std::string& name) {
  for (const Api api : {Api::cuda, Api::hip})
    if (name == name_of(api)) return api;
  throw std::invalid_argument("there is no driver '" + name + "'; there are: cuda, hip");
}

nb::list listed(const std::string& api) {
  nb::list devices;
  for (const Listed& one : listed_devices(api_of(api))) {
    nb::dict device;
    device["name"] = one.name;
    device["bus_id"] = one.bus_id;
    device["memory_bytes"] = one.memory_bytes;
    device["capability"] = nb::make_tuple(one.capability_major, one.capability_minor);
    device["multiprocessors"] = one.multiprocessors;
    device["compute_mode"] = one.compute_mode;
    devices.append(device);
  }
  return devices;
}

}  // namespace

NB_MODULE(_device, module) {
  const auto device_error = nb::exception<DeviceError>(module, "DeviceError", PyExc_RuntimeError);
  nb::exception<OutOfDeviceMemory>(module, "OutOfDeviceMemoryError", device_error);
  std::vector<std::string> names;
  for (const DeviceKernelEntry* entry = device_kernel_entries; entry->name != nullptr; ++entry)
    names.push_back(entry->name);
  module.attr("kernels") = nb::cast(names);

  nb::class_<Device>(module, "Device")
      .def_prop_ro("name", &Device::name)
      .def_prop_ro("block_threads", &Device::block_threads)
      .def_prop_ro("allocations", &Device::allocations)
      .def("open", &open_kernel, nb::arg("kernel"), nb::arg("events"), nb::arg("settings") = Settings{},
           nb::arg("slots") = 1);
  nb::class_<Emulated, Device>(module, "Emulated")
      .def(
          "__init__",
          [](Emulated* self, u32 block_threads, u64 order, u64 memory_bytes, u8 poison) {
            new (self) Emulated({block_threads, order, memory_bytes, poison});
          },
          nb::arg("block_threads") = EmulationOptions{}.block_threads,
          nb::arg("order") = EmulationOptions{}.order,
          nb::arg("memory_bytes") = EmulationOptions{}.memory_bytes,
          nb::arg("poison") = EmulationOptions{}.poison)
      .def_prop_ro("held_bytes", &Emulated::held_bytes)
      .def("launched", &Emulated::launched);
  nb::class_<Driver, Device>(module, "Driver")
      .def(
          "__init__",
          [](Driver* self, const std::string& api, int ordinal, const nb::bytes& code, u32 block_threads) {
            new (self) Driver(api_of(api), ordinal, std::string(code.c_str(), code.size()), block_threads);
          },
          nb::arg("api"), nb::arg("ordinal"), nb::arg("code"), nb::arg("block_threads") = 128)
      .def("launched", &Driver::launched);
  module.def("driver_version", [](const std::string& api) { return driver_version(api_of(api)); });
  module.def("devices", &listed);
  nb::class_<Opened>(module, "Opened")
      .def_prop_ro("events", &Opened::events)
      .def_prop_ro("slots", &Opened::slots)
      .def_prop_ro("slot_bytes", &Opened::slot_bytes)
      .def("process", &Opened::process, nb::arg("event"))
      .def("results", &Opened::results)
      .def("digest", &Opened::digest)
      .def("run", &Opened::run, nb::arg("first"), nb::arg("count"), nb::arg("threads") = 1,
           nb::arg("transfers") = true)
      .def("digest_of", &Opened::digest_of, nb::arg("first"), nb::arg("count"));

  const auto as_vector = [](const AnyArray& array) {
    const Column column{type_of(array, "values"), array.data(), static_cast<i64>(array.size()), nullptr};
    Columns columns;
    columns.put("values", column);
    const Span<const i32> values = columns.get<i32>("values");
    return std::vector<i32>(values.begin(), values.end());
  };
  module.def(
      "exclusive_scan",
      [as_vector](Device& device, const AnyArray& counts) { return scanned(device, as_vector(counts)); },
      nb::arg("device"), nb::arg("counts"));
  module.def(
      "histogram",
      [as_vector](Device& device, const AnyArray& bin, i32 bins) {
        return histogram_of(device, as_vector(bin), bins);
      },
      nb::arg("device"), nb::arg("bin"), nb::arg("bins"));
  module.def(
      "sort_by_bin",
      [as_vector](Device& device, const AnyArray& bin, i32 bins) {
        return sorted_by_bin(device, as_vector(bin), bins);
      },
      nb::arg("device"), nb::arg("bin"), nb::arg("bins"));
  module.def(
      "compact",
      [as_vector](Device& device, const AnyArray& flags) { return compacted(device, as_vector(flags)); },
      nb::arg("device"), nb::arg("flags"));
}
