// CUDA's words that the twins use beyond those of sitecap/emulated_grid.h, for a C++ compiler: their text
// runs on the emulated device and behind the tests' driver. NVRTC and nvcc never read this.
#pragma once
#include <cmath>
#include <cstring>

#include "sitecap/emulated_grid.h"

#define __device__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline int2 make_int2(int x, int y) {
  return {x, y};
}
inline int4 make_int4(int x, int y, int z, int w) {
  return {x, y, z, w};
}
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}
inline int __float_as_int(float x) {
  int bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}
inline float __int_as_float(int bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
template <class T>
inline T __ldg(const T* at) {
  return *at;
}
// Threads of a block run one after another: a shuffle is a barrier of the whole block, all of which calls it.
inline int __shfl_up_sync(unsigned, int value, int by) {
  static thread_local int values[1024];
  const int rank = static_cast<int>(threadIdx.x);
  values[rank] = value;
  __syncthreads();
  const int got = rank % 32 >= by ? values[rank - by] : value;
  __syncthreads();
  return got;
}
