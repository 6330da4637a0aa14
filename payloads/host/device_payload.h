// What a device backend runs: one kernel on one set of events, several of them in flight.
//
// An event in flight has a slot: a stream with all the memory that it needs. Slots share nothing that is
// written, so that each may be driven by another thread of the host.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "host/columns.h"
#include "host/device.h"
#include "host/payload.h"

namespace sitecap {

class DevicePayload {
 public:
  virtual ~DevicePayload() = default;
  virtual int events() const = 0;
  virtual int slots() const = 0;
  virtual std::size_t slot_bytes() const = 0;  // on the device

  // Has the event copied into its slot; does not wait.
  virtual void bring(int slot, int event) = 0;
  // Has the event that the slot holds reconstructed; does not wait.
  virtual void reconstruct(int slot) = 0;
  // Waits, and has the result copied to the host.
  virtual void fetch(int slot) = 0;
  // Waits for what was given to the slot.
  virtual void wait(int slot) = 0;

  // Of the result that was fetched last, as Payload has them.
  virtual Columns results(int slot) const = 0;
  virtual u64 digest(int slot) const = 0;
};

// As many slots as were asked for, or as the device has memory for; at least one, or OutOfDeviceMemory.
template <class Slot, class Make>
std::vector<std::unique_ptr<Slot>> open_slots(int wanted, const Make& make) {
  std::vector<std::unique_ptr<Slot>> slots;
  while (static_cast<int>(slots.size()) < wanted) {
    try {
      slots.push_back(make());
    } catch (const OutOfDeviceMemory&) {
      if (slots.empty()) throw;
      break;
    }
  }
  return slots;
}

// How a kernel is opened on a device that outlives it. Throws std::invalid_argument where events or settings
// are not what it needs, DeviceError where the device fails.
using OpenOnDevice = std::unique_ptr<DevicePayload> (*)(const Columns& events, const Settings& settings,
                                                        Device& device, int slots);

struct DeviceKernelEntry {
  const char* name;
  OpenOnDevice open;
};
// All kernels with a device.cpp, closed by {nullptr, nullptr}; made by CMake.
extern const DeviceKernelEntry device_kernel_entries[];

}  // namespace sitecap
