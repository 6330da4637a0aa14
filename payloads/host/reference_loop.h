// A loop whose speed stands for the core's at this moment: figures of kernels are printed beside it, since
// absolute ones drift with clock and neighbours. Dependent multiply-adds and a xorshift: no memory, no vector
// units.
#pragma once
#include <chrono>

#include "sitecap/platform.h"

namespace sitecap {

// Seconds for 2^20 rounds; `sink` keeps the compiler from dropping them.
inline double reference_loop_s(double& sink) {
  const auto start = std::chrono::steady_clock::now();
  u64 state = 88172645463325252ull;
  double x = 0.5;
  for (int i = 0; i < 1 << 20; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    x = x * 0.999 + static_cast<double>(state & 1023u) * 1e-6;
  }
  sink = x;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace sitecap
