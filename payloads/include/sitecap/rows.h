// Records of N floats in memory (rows) to N values of W lanes, and back: lane l holds row l. A row is read
// whole, so a track that is picked out of many costs one or two cache lines instead of N.
#pragma once
#include "sitecap/lanes.h"

namespace sitecap {

#if !SITECAP_GPU
namespace detail {

typedef float Quad __attribute__((vector_size(16)));

// Four quads side by side as far as the width goes: lane group g holds row k + 4 g.
SITECAP_FN Types<4>::Float join(const Quad* rows, int k, Types<4>::Float*) {
  return rows[k];
}
SITECAP_FN Types<8>::Float join(const Quad* rows, int k, Types<8>::Float*) {
  return __builtin_shufflevector(rows[k], rows[k + 4], 0, 1, 2, 3, 4, 5, 6, 7);
}
SITECAP_FN Types<16>::Float join(const Quad* rows, int k, Types<16>::Float*) {
  const Types<8>::Float low = join(rows, k, static_cast<Types<8>::Float*>(nullptr));
  const Types<8>::Float high = join(rows, k + 8, static_cast<Types<8>::Float*>(nullptr));
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
SITECAP_FN Quad quad(Types<4>::Float v, int) {
  return v;
}
SITECAP_FN Quad quad(Types<8>::Float v, int group) {
  return group == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3) : __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
SITECAP_FN Quad quad(Types<16>::Float v, int group) {
  if (group < 2)
    return group == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3) : __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return group == 2 ? __builtin_shufflevector(v, v, 8, 9, 10, 11)
                    : __builtin_shufflevector(v, v, 12, 13, 14, 15);
}

// Transposes each group of four lanes of a, b, c, d by itself.
#define SITECAP_INTERLEAVE(W, LOW, HIGH, FIRST, SECOND)                                 \
  SITECAP_FN void transpose(Types<W>::Float& a, Types<W>::Float& b, Types<W>::Float& c, \
                            Types<W>::Float& d) {                                       \
    const Types<W>::Float ab_low = __builtin_shufflevector(a, b, LOW);                  \
    const Types<W>::Float ab_high = __builtin_shufflevector(a, b, HIGH);                \
    const Types<W>::Float cd_low = __builtin_shufflevector(c, d, LOW);                  \
    const Types<W>::Float cd_high = __builtin_shufflevector(c, d, HIGH);                \
    a = __builtin_shufflevector(ab_low, cd_low, FIRST);                                 \
    b = __builtin_shufflevector(ab_low, cd_low, SECOND);                                \
    c = __builtin_shufflevector(ab_high, cd_high, FIRST);                               \
    d = __builtin_shufflevector(ab_high, cd_high, SECOND);                              \
  }
#define SITECAP_LIST(...) __VA_ARGS__
SITECAP_INTERLEAVE(4, SITECAP_LIST(0, 4, 1, 5), SITECAP_LIST(2, 6, 3, 7), SITECAP_LIST(0, 1, 4, 5),
                   SITECAP_LIST(2, 3, 6, 7))
SITECAP_INTERLEAVE(8, SITECAP_LIST(0, 8, 1, 9, 4, 12, 5, 13), SITECAP_LIST(2, 10, 3, 11, 6, 14, 7, 15),
                   SITECAP_LIST(0, 1, 8, 9, 4, 5, 12, 13), SITECAP_LIST(2, 3, 10, 11, 6, 7, 14, 15))
SITECAP_INTERLEAVE(16, SITECAP_LIST(0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29),
                   SITECAP_LIST(2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31),
                   SITECAP_LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
                   SITECAP_LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
#undef SITECAP_LIST
#undef SITECAP_INTERLEAVE

}  // namespace detail
#endif

// out[k] lane l = from[stride * row[l] + k] for k < N (a multiple of four); `row` has an entry for each lane.
template <int N, class F>
SITECAP_FN void load_rows(const float* SITECAP_RESTRICT from, i32 stride, const i32* row, F* out) {
  static_assert(N % 4 == 0, "rows are read in quads");
#if !SITECAP_GPU
  if constexpr (width_of<F> > 1) {
    constexpr int W = width_of<F>;
    SITECAP_UNROLL
    for (int k = 0; k < N; k += 4) {
      detail::Quad rows[W];
      SITECAP_UNROLL
      for (int l = 0; l < W; ++l)
        __builtin_memcpy(&rows[l], from + static_cast<i64>(stride) * row[l] + k, 16);
      F* tag = nullptr;
      out[k] = detail::join(rows, 0, tag);
      out[k + 1] = detail::join(rows, 1, tag);
      out[k + 2] = detail::join(rows, 2, tag);
      out[k + 3] = detail::join(rows, 3, tag);
      detail::transpose(out[k], out[k + 1], out[k + 2], out[k + 3]);
    }
    return;
  } else
#endif
  {
    const float* own = from + static_cast<i64>(stride) * row[0];
    SITECAP_UNROLL
    for (int k = 0; k < N; ++k) set_lane(out[k], 0, own[k]);
  }
}

// The way back, of the first `lanes` lanes.
template <int N, class F>
SITECAP_FN void store_rows(float* SITECAP_RESTRICT to, i32 stride, const i32* row, int lanes,
                           const F* values) {
  static_assert(N % 4 == 0, "rows are written in quads");
#if !SITECAP_GPU
  if constexpr (width_of<F> > 1) {
    constexpr int W = width_of<F>;
    SITECAP_UNROLL
    for (int k = 0; k < N; k += 4) {
      F a = values[k], b = values[k + 1], c = values[k + 2], d = values[k + 3];
      detail::transpose(a, b, c, d);
      SITECAP_UNROLL
      for (int l = 0; l < W; ++l) {
        if (l >= lanes) break;
        const F& own = l % 4 == 0 ? a : (l % 4 == 1 ? b : (l % 4 == 2 ? c : d));
        const detail::Quad part = detail::quad(own, l / 4);
        __builtin_memcpy(to + static_cast<i64>(stride) * row[l] + k, &part, 16);
      }
    }
    return;
  } else
#endif
  {
    (void)lanes;
    float* own = to + static_cast<i64>(stride) * row[0];
    SITECAP_UNROLL
    for (int k = 0; k < N; ++k) own[k] = lane(values[k], 0);
  }
}

}  // namespace sitecap
