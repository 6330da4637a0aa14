// What every kernel header may assume, and nothing more: one text is read by g++, clang++, NVRTC and HIPRTC.
//
// NVRTC and HIPRTC have no standard library, so headers below include/ and kernels' stages.h include none.
// A stage is marked SITECAP_FN: one work item of it runs as an inlined call in a loop on a CPU, as a thread
// on a GPU.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(__HIPCC__) || defined(__HIPCC_RTC__)
#define SITECAP_GPU 1
#define SITECAP_FN __device__ __forceinline__
#define SITECAP_CONST __device__ constexpr
#else
#define SITECAP_GPU 0
#define SITECAP_FN inline __attribute__((always_inline))
#define SITECAP_CONST inline constexpr
#endif

#define SITECAP_RESTRICT __restrict__

#if SITECAP_GPU
#define SITECAP_UNROLL _Pragma("unroll")
#elif defined(__clang__)
#define SITECAP_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SITECAP_UNROLL _Pragma("GCC unroll 32")
#endif

namespace sitecap {

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;
static_assert(sizeof(i32) == 4 && sizeof(i64) == 8 && sizeof(u16) == 2, "a platform of other sizes");

// A view of a flat array: neither owns nor checks.
template <class T>
struct Span {
  T* data = nullptr;
  i64 size = 0;
  SITECAP_FN T& operator[](i64 i) const { return data[i]; }
  SITECAP_FN T* begin() const { return data; }
  SITECAP_FN T* end() const { return data + size; }
};

template <class T>
SITECAP_FN T min_of(T a, T b) {
  return b < a ? b : a;
}
template <class T>
SITECAP_FN T max_of(T a, T b) {
  return a < b ? b : a;
}
template <class T>
SITECAP_FN T clamp(T value, T low, T high) {
  return value < low ? low : (high < value ? high : value);
}

}  // namespace sitecap
