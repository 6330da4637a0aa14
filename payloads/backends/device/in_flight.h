// Events through the slots of a device, as reconstruction would use it: several in flight, driven by several
// threads of the host.
#pragma once
#include "host/device_payload.h"

namespace sitecap {

// How long a run took, from the first event brought to the last result on the host.
struct Timed {
  double seconds;
  // Digest of the event that each slot held last; empty without transfers.
  std::vector<std::pair<int, u64>> last;
};

// `count` events from `first` on, round and round. With transfers each event is copied in and its result out;
// without, each slot keeps one event on the device and reconstructs it again and again. `threads` of the
// host, at most one a slot.
Timed run_in_flight(DevicePayload& payload, int first, int count, int threads, bool transfers);

// Digest of the results of all these events, as the CPU's measure() gives it.
u64 digest_in_flight(DevicePayload& payload, int first, int count);

}  // namespace sitecap
