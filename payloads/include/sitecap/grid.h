// The grid of threads in which a device entry runs.
//
// NVRTC and HIPRTC know the words of CUDA. For a C++ compiler emulated_grid.h defines them, so that the very
// text of a kernel's gpu.cu runs on a CPU, too, thread by thread, behind the same launches.
#pragma once
#include "sitecap/platform.h"
#if !SITECAP_GPU
#include "sitecap/emulated_grid.h"
#endif

namespace sitecap {

// Most threads of a block that any entry is launched with; CUDA and HIP allow no more.
constexpr i32 most_block_threads = 1024;

// How many items there are: known when an entry is launched, or written by an earlier one. The host launches
// for `at_most` and need not wait to learn the number.
struct Count {
  const i32* written;  // null: it is at_most
  i32 at_most;
  SITECAP_FN i32 value() const { return written != nullptr ? *written : at_most; }
};

// The thread's own item, where an entry takes a thread an item.
SITECAP_FN i32 thread_item() {
  return static_cast<i32>(blockIdx.x * blockDim.x + threadIdx.x);
}

}  // namespace sitecap
