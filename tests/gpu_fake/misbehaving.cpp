// Entries that break a rule, each on the emulated device: prints what it says of them, a line each.
//
//   g++ -std=c++17 -I payloads -I payloads/include misbehaving.cpp
//   payloads/backends/device/{emulated,fibers}.cpp
#include <cstdio>

#include "backends/device/emulated.h"
#include "sitecap/grid.h"

using namespace sitecap;

extern "C" {
__global__ void half_waits(i32* out) {
  if (threadIdx.x % 2 == 0) __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void ends_early(i32* out) {
  if (threadIdx.x + 1 == blockDim.x) return;
  __syncthreads();
  __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void writes_beside(i32* out, i32 count) {
  if (threadIdx.x == 0) out[count] = 1;
}
__global__ void writes_before(i32* out) {
  if (threadIdx.x == 0) out[-1] = 1;
}
// Right only if its threads run in rising order.
__global__ void leans_on_order(i32* out, i32* last) {
  out[threadIdx.x] = *last;
  *last = static_cast<i32>(threadIdx.x);
}
__global__ void well_behaved(i32* out) {
  __shared__ i32 values[64];
  values[threadIdx.x] = static_cast<i32>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}
}

namespace {

template <class Work>
void say(const char* name, const Work& work) {
  try {
    work();
    std::printf("%s: nothing\n", name);
  } catch (const std::exception& error) {
    std::printf("%s: %s\n", name, error.what());
  }
}

template <class Launch>
std::vector<i32> run(u64 order, const Launch& launch) {
  constexpr i32 count = 64;
  Emulated device({64, order, ~0ull, 0});
  DeviceMemory memory(device);
  PinnedMemory pinned(device);
  Stream stream(device);
  i32 *out = memory.take<i32>(count), *found = pinned.take<i32>(count);
  launch(stream, out, memory);
  stream.copy_out(found, out, count);
  stream.wait();
  return {found, found + count};
}

}  // namespace

int main() {
  say("half waits",
      [] { run(0, [](Stream& s, i32* out, DeviceMemory&) { SITECAP_LAUNCH(s, half_waits, 64, out); }); });
  say("ends early",
      [] { run(0, [](Stream& s, i32* out, DeviceMemory&) { SITECAP_LAUNCH(s, ends_early, 64, out); }); });
  say("writes beside", [] {
    run(0, [](Stream& s, i32* out, DeviceMemory&) { SITECAP_LAUNCH(s, writes_beside, 64, out, 64); });
  });
  say("writes before",
      [] { run(0, [](Stream& s, i32* out, DeviceMemory&) { SITECAP_LAUNCH(s, writes_before, 64, out); }); });
  say("too many threads", [] {
    run(0, [](Stream& s, i32* out, DeviceMemory&) {
      SITECAP_LAUNCH_BLOCKS(s, well_behaved, (Shape{1, 2048}), out);
    });
  });
  say("well behaved", [] {
    const auto launch = [](Stream& s, i32* out, DeviceMemory&) { SITECAP_LAUNCH(s, well_behaved, 64, out); };
    for (const u64 order : {0, 1, 5})
      if (run(order, launch)[0] != 63) throw std::runtime_error("shared memory is not shared");
  });
  say("leans on order", [] {
    const auto launch = [](Stream& s, i32* out, DeviceMemory& memory) {
      i32* last = memory.take<i32>(1);
      s.fill(last, -1, 1);
      SITECAP_LAUNCH(s, leans_on_order, 64, out, last);
    };
    if (run(0, launch) != run(1, launch)) throw std::runtime_error("other results in another order");
  });
  return 0;
}
