// What one core does at most: prints 10^9 float operations/s (multiplications and additions apart, as in the
// kernels), then GB/s read from 16 KiB, 512 KiB and 64 MiB. Best of many short rounds, CPU time. x86-64 only.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#if LANES == 1
typedef float Vector;
#else
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4)));
#endif
constexpr int rounds = 40;

static double cpu_s() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Work>
static double least_s(Work&& work) {
  double least = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double began = cpu_s();
    work();
    least = std::min(least, cpu_s() - began);
  }
  return least;
}

static Vector filled(float value) {
  return Vector{} + value;
}

// As a tile of a product of matrices: eight sums, whose chains hide the latency of addition. No arrays, which
// g++ would keep in memory.
static double operations_a_s() {
  static constexpr int steps = 200000;
  const double seconds = least_s([] {
    Vector a = filled(1e-3f), b = filled(2e-3f), c = filled(3e-3f), d = filled(4e-3f);
    const Vector x = filled(0.5f), y = filled(0.25f);
    Vector ax{}, ay{}, bx{}, by{}, cx{}, cy{}, dx{}, dy{};
    for (int step = 0; step < steps; ++step) {
      asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));  // products are made anew
      ax += a * x;
      ay += a * y;
      bx += b * x;
      by += b * y;
      cx += c * x;
      cy += c * y;
      dx += d * x;
      dy += d * y;
      // all sums are made, and at one lane each by itself
      asm volatile("" : "+v"(ax), "+v"(ay), "+v"(bx), "+v"(by), "+v"(cx), "+v"(cy), "+v"(dx), "+v"(dy));
    }
  });
  return 16.0 * LANES * steps / seconds;
}

static double bytes_a_s(std::size_t bytes) {
  const std::vector<float> data(bytes / 4, 1.f);
  const std::size_t passes = std::max<std::size_t>(1, (std::size_t{4} << 20) / bytes);
  const double seconds = least_s([&] {
    for (std::size_t pass = 0; pass < passes; ++pass)
      for (std::size_t i = 0; i < data.size(); i += 4 * LANES)
        for (std::size_t k = 0; k < 4; ++k)
          asm volatile("" : : "v"(*reinterpret_cast<const Vector*>(&data[i + k * LANES])));
  });
  return static_cast<double>(passes * bytes) / seconds;
}

int main() {
  std::printf("%.3f %.3f %.3f %.3f\n", 1e-9 * operations_a_s(), 1e-9 * bytes_a_s(std::size_t{16} << 10),
              1e-9 * bytes_a_s(std::size_t{512} << 10), 1e-9 * bytes_a_s(std::size_t{64} << 20));
}
