// Value types: a kernel is written for a type F that is one float (a GPU thread, W = 1) or W floats side by
// side (the vector registers of a CPU, by the vector extension of GCC and Clang).
//
// Every operation here is done alike in each lane, correctly rounded and never contracted (-ffp-contract=off,
// --fmad=false), so that the same input gives the same bits at every width on every architecture.
#pragma once
#include "sitecap/platform.h"

namespace sitecap {

// Types<W>::Float, ::Int, ::Mask for W lanes. A Mask is bool at W = 1, else an Int whose lanes are 0 or -1.
template <int W>
struct Types;
template <>
struct Types<1> {
  using Float = float;
  using Int = i32;
  using Mask = bool;
};
#if !SITECAP_GPU
#define SITECAP_TYPES(W)                                     \
  template <>                                                \
  struct Types<W> {                                          \
    typedef float Float __attribute__((vector_size(4 * W))); \
    typedef i32 Int __attribute__((vector_size(4 * W)));     \
    typedef Int Mask;                                        \
  };
SITECAP_TYPES(4)
SITECAP_TYPES(8)
SITECAP_TYPES(16)
#undef SITECAP_TYPES
#endif

// Number of lanes of a value type.
template <class F>
SITECAP_CONST int width_of = static_cast<int>(sizeof(F) / 4);

template <class F>
using IntOf = typename Types<width_of<F>>::Int;
template <class F>
using MaskOf = typename Types<width_of<F>>::Mask;

// ---- one lane: plain C++, also what a GPU thread runs
SITECAP_FN float select(bool mask, float yes, float no) {
  return mask ? yes : no;
}
SITECAP_FN i32 select(bool mask, i32 yes, i32 no) {
  return mask ? yes : no;
}
SITECAP_FN bool any(bool mask) {
  return mask;
}
SITECAP_FN bool all(bool mask) {
  return mask;
}
// Bit l is set where lane l is; the place of the lowest bit of a number that is not 0.
SITECAP_FN u32 mask_bits(bool mask) {
  return mask ? 1u : 0u;
}
SITECAP_FN i32 lowest_bit(u32 bits) {
#if SITECAP_GPU
  return __ffs(static_cast<int>(bits)) - 1;
#else
  return __builtin_ctz(bits);
#endif
}
SITECAP_FN i32 to_int(float x) {
  return static_cast<i32>(x);
}  // towards zero
SITECAP_FN float to_float(i32 x) {
  return static_cast<float>(x);
}
SITECAP_FN i32 bits_of(float x) {
#if SITECAP_GPU
  return __float_as_int(x);
#else
  i32 bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
#endif
}
SITECAP_FN float from_bits(i32 bits) {
#if SITECAP_GPU
  return __int_as_float(bits);
#else
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
#endif
}
// Left by n bits, negative values and the sign bit included (C++17 leaves that open for a signed <<).
SITECAP_FN i32 shifted_up(i32 x, int n) {
  return static_cast<i32>(static_cast<u32>(x) << n);
}
SITECAP_FN float square_root(float x) {
#if SITECAP_GPU
  return sqrtf(x);
#else
  return __builtin_sqrtf(x);
#endif
}
SITECAP_FN float gather(const float* SITECAP_RESTRICT from, i32 index) {
  return from[index];
}
SITECAP_FN i32 gather(const i32* SITECAP_RESTRICT from, i32 index) {
  return from[index];
}
// Value of one lane; changing one lane.
SITECAP_FN float lane(float x, int) {
  return x;
}
SITECAP_FN i32 lane(i32 x, int) {
  return x;
}
SITECAP_FN bool lane(bool x, int) {
  return x;
}
SITECAP_FN void set_lane(float& x, int, float value) {
  x = value;
}
SITECAP_FN void set_lane(i32& x, int, i32 value) {
  x = value;
}

#if !SITECAP_GPU
// ---- W lanes
namespace detail {

// All lanes by or, in halves: a few shuffles instead of W extracts.
SITECAP_FN i32 united(Types<4>::Int m) {
  m |= __builtin_shufflevector(m, m, 2, 3, 0, 1);
  m |= __builtin_shufflevector(m, m, 1, 0, 3, 2);
  return m[0];
}
SITECAP_FN i32 united(Types<8>::Int m) {
  return united(__builtin_shufflevector(m, m, 0, 1, 2, 3) | __builtin_shufflevector(m, m, 4, 5, 6, 7));
}
SITECAP_FN i32 united(Types<16>::Int m) {
  return united(__builtin_shufflevector(m, m, 0, 1, 2, 3, 4, 5, 6, 7) |
                __builtin_shufflevector(m, m, 8, 9, 10, 11, 12, 13, 14, 15));
}

// Bit l of lane l, whose value is 0 or -1.
template <class I>
SITECAP_FN u32 bits_of_mask(I m) {
  I bit{};
  for (int l = 0; l < static_cast<int>(sizeof(I) / 4); ++l) bit[l] = 1 << l;
  return static_cast<u32>(united(m & bit));
}
// x86 has an instruction for it.
#if defined(__SSE__)
SITECAP_FN u32 bits_of_mask(Types<4>::Int m) {
  return static_cast<u32>(__builtin_ia32_movmskps((Types<4>::Float)m));
}
#endif
#if defined(__AVX__)
SITECAP_FN u32 bits_of_mask(Types<8>::Int m) {
  return static_cast<u32>(__builtin_ia32_movmskps256((Types<8>::Float)m));
}
#endif
#if defined(__AVX512DQ__)
SITECAP_FN u32 bits_of_mask(Types<16>::Int m) {
  return static_cast<u32>(__builtin_ia32_cvtd2mask512(m));
}
#endif

}  // namespace detail
#define SITECAP_LANES(W)                                                                       \
  SITECAP_FN Types<W>::Float select(Types<W>::Mask m, Types<W>::Float a, Types<W>::Float b) {  \
    return m ? a : b;                                                                          \
  }                                                                                            \
  SITECAP_FN Types<W>::Int select(Types<W>::Mask m, Types<W>::Int a, Types<W>::Int b) {        \
    return m ? a : b;                                                                          \
  }                                                                                            \
  SITECAP_FN u32 mask_bits(Types<W>::Mask m) {                                                 \
    return detail::bits_of_mask(m);                                                            \
  }                                                                                            \
  SITECAP_FN bool any(Types<W>::Mask m) {                                                      \
    return mask_bits(m) != 0;                                                                  \
  }                                                                                            \
  SITECAP_FN bool all(Types<W>::Mask m) {                                                      \
    return mask_bits(m) == (1u << W) - 1u;                                                     \
  }                                                                                            \
  SITECAP_FN Types<W>::Int to_int(Types<W>::Float x) {                                         \
    return __builtin_convertvector(x, Types<W>::Int);                                          \
  }                                                                                            \
  SITECAP_FN Types<W>::Float to_float(Types<W>::Int x) {                                       \
    return __builtin_convertvector(x, Types<W>::Float);                                        \
  }                                                                                            \
  SITECAP_FN Types<W>::Int bits_of(Types<W>::Float x) {                                        \
    return (Types<W>::Int)x;                                                                   \
  }                                                                                            \
  SITECAP_FN Types<W>::Float from_bits(Types<W>::Int x) {                                      \
    return (Types<W>::Float)x;                                                                 \
  }                                                                                            \
  SITECAP_FN Types<W>::Int shifted_up(Types<W>::Int x, int n) {                                \
    return x << n;                                                                             \
  }                                                                                            \
  SITECAP_FN Types<W>::Float square_root(Types<W>::Float x) {                                  \
    Types<W>::Float root;                                                                      \
    for (int l = 0; l < W; ++l) root[l] = __builtin_sqrtf(x[l]);                               \
    return root;                                                                               \
  }                                                                                            \
  SITECAP_FN Types<W>::Float gather(const float* SITECAP_RESTRICT from, Types<W>::Int index) { \
    Types<W>::Float got;                                                                       \
    for (int l = 0; l < W; ++l) got[l] = from[index[l]];                                       \
    return got;                                                                                \
  }                                                                                            \
  SITECAP_FN Types<W>::Int gather(const i32* SITECAP_RESTRICT from, Types<W>::Int index) {     \
    Types<W>::Int got;                                                                         \
    for (int l = 0; l < W; ++l) got[l] = from[index[l]];                                       \
    return got;                                                                                \
  }                                                                                            \
  SITECAP_FN float lane(Types<W>::Float x, int l) {                                            \
    return x[l];                                                                               \
  }                                                                                            \
  SITECAP_FN i32 lane(Types<W>::Int x, int l) {                                                \
    return x[l];                                                                               \
  }                                                                                            \
  SITECAP_FN void set_lane(Types<W>::Float& x, int l, float value) {                           \
    x[l] = value;                                                                              \
  }                                                                                            \
  SITECAP_FN void set_lane(Types<W>::Int& x, int l, i32 value) {                               \
    x[l] = value;                                                                              \
  }
SITECAP_LANES(4)
SITECAP_LANES(8)
SITECAP_LANES(16)
#undef SITECAP_LANES
#endif

// The same value in every lane.
template <class F>
SITECAP_FN F all_lanes(float value) {
  return F{} + value;
}
template <class I>
SITECAP_FN I all_lanes_int(i32 value) {
  return I{} + value;
}

// W neighbouring values from or to memory, at any alignment.
template <class V, class T>
SITECAP_FN V load(const T* from) {
  static_assert(sizeof(T) == 4, "lanes are four bytes wide");
#if SITECAP_GPU
  return *from;
#else
  V value;
  __builtin_memcpy(&value, from, sizeof(V));
  return value;
#endif
}
template <class V, class T>
SITECAP_FN void store(T* to, V value) {
  static_assert(sizeof(T) == 4, "lanes are four bytes wide");
#if SITECAP_GPU
  *to = value;
#else
  __builtin_memcpy(to, &value, sizeof(V));
#endif
}

template <class F>
SITECAP_FN F absolute(F x) {
  return from_bits(bits_of(x) & 0x7fffffff);
}
// Of equals, and where one is no number, the first. x86 has instructions that do just so.
template <class F>
SITECAP_FN F smaller(F a, F b) {
#if defined(__AVX__) && !SITECAP_GPU
  if constexpr (width_of<F> == 8) return __builtin_ia32_minps256(b, a);
#endif
  return select(b < a, b, a);
}
template <class F>
SITECAP_FN F larger(F a, F b) {
#if defined(__AVX__) && !SITECAP_GPU
  if constexpr (width_of<F> == 8) return __builtin_ia32_maxps256(b, a);
#endif
  return select(a < b, b, a);
}

// Asks for a cache line that will be read soon.
SITECAP_FN void prefetch(const void* address) {
#if SITECAP_GPU
  (void)address;
#else
  __builtin_prefetch(address);
#endif
}

// The smallest of all lanes.
SITECAP_FN float smallest(float x) {
  return x;
}
#if !SITECAP_GPU
SITECAP_FN float smallest(Types<4>::Float x) {
  x = smaller(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));
  x = smaller(x, __builtin_shufflevector(x, x, 1, 0, 3, 2));
  return x[0];
}
SITECAP_FN float smallest(Types<8>::Float x) {
  return smallest(smaller<Types<4>::Float>(__builtin_shufflevector(x, x, 0, 1, 2, 3),
                                           __builtin_shufflevector(x, x, 4, 5, 6, 7)));
}
SITECAP_FN float smallest(Types<16>::Float x) {
  return smallest(smaller<Types<8>::Float>(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7),
                                           __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15)));
}
#endif

}  // namespace sitecap
