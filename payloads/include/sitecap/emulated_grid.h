// CUDA's words for a C++ compiler: what gpu.cu and device headers use of them, and nothing more.
//
// A block's threads are run one after another in one thread of the host, so that a shared array is one that
// each host thread has once. Atomics are those of integers only: sums of floats would depend on the order.
#pragma once
#include "sitecap/platform.h"

namespace sitecap::emulated {

struct Index {
  u32 x, y, z;
};
// Of the device thread that this host thread runs now; defined in backends/device/fibers.cpp.
extern thread_local Index thread_index, block_index, block_size, grid_size;
// Returns when all threads of the block have called it.
void synchronise();

template <class T>
struct Same {
  using type = T;
};

// *at = value where better(value, *at), in one step; returns what was there.
template <class T, class Better>
inline T replace(T* at, T value, const Better& better) {
  T before = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (better(value, before) &&
         !__atomic_compare_exchange_n(at, &before, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return before;
}

}  // namespace sitecap::emulated

#define threadIdx ::sitecap::emulated::thread_index
#define blockIdx ::sitecap::emulated::block_index
#define blockDim ::sitecap::emulated::block_size
#define gridDim ::sitecap::emulated::grid_size
#define __global__ inline
#define __shared__ static thread_local
#define __syncthreads ::sitecap::emulated::synchronise

template <class T>
inline T atomicAdd(T* at, typename sitecap::emulated::Same<T>::type value) {
  return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <class T>
inline T atomicMin(T* at, typename sitecap::emulated::Same<T>::type value) {
  return sitecap::emulated::replace<T>(at, value, [](T a, T b) { return a < b; });
}
template <class T>
inline T atomicMax(T* at, typename sitecap::emulated::Same<T>::type value) {
  return sitecap::emulated::replace<T>(at, value, [](T a, T b) { return b < a; });
}
