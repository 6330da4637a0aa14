// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC11). A number is a pure function of (seed, stream, event, item, draw), so events can be made
// in any order, on any machine, with the same bits.
#pragma once
#include "sitecap/maths_double.h"

namespace sitecap {

struct Philox {
  u32 word[4];
};

SITECAP_FN Philox philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 key0, u32 key1) {
  for (int round = 0; round < 10; ++round) {
    const u64 p0 = static_cast<u64>(0xD2511F53u) * c0;
    const u64 p1 = static_cast<u64>(0xCD9E8D57u) * c2;
    const u32 n0 = static_cast<u32>(p1 >> 32) ^ c1 ^ key0;
    const u32 n2 = static_cast<u32>(p0 >> 32) ^ c3 ^ key1;
    c1 = static_cast<u32>(p1);
    c3 = static_cast<u32>(p0);
    c0 = n0;
    c2 = n2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return Philox{{c0, c1, c2, c3}};
}

// One sequence of draws. Items of one (seed, stream, event) never share a number.
class Random {
 public:
  // `stream` names what is drawn (simulation/streams.h), `item` for which particle, module or cell.
  Random(u64 seed, u32 stream, u32 event, u32 item)
      : key0_(static_cast<u32>(seed)),
        key1_(static_cast<u32>(seed >> 32)),
        stream_(stream),
        event_(event),
        item_(item) {}

  u32 word() {
    if (left_ == 0) {
      block_ = philox(draw_++, item_, event_, stream_, key0_, key1_);
      left_ = 4;
    }
    return block_.word[--left_];
  }
  // (0, 1), both ends excluded; 32 bits
  double uniform() { return (static_cast<double>(word()) + 0.5) * 2.3283064365386962890625e-10; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // mean 0, standard deviation 1 (Box and Muller)
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = precise::square_root(-2.0 * precise::logarithm(uniform()));
    double sine, cosine;
    precise::sine_cosine(2.0 * precise::pi * uniform(), sine, cosine);
    spare_ = radius * sine;
    has_spare_ = true;
    return radius * cosine;
  }
  // mean 1
  double exponential() { return -precise::logarithm(uniform()); }
  // shape > 0, mean = shape (Marsaglia and Tsang, ACM TOMS 26 (2000) 363)
  double gamma(double shape) {
    if (shape < 1.0) {
      const double boosted = gamma(shape + 1.0);
      return boosted * precise::power(uniform(), 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / precise::square_root(9.0 * d);
    for (;;) {
      const double x = normal();
      const double v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
      if (v <= 0.0) continue;
      const double u = uniform();
      if (precise::logarithm(u) < 0.5 * x * x + d - d * v + d * precise::logarithm(v)) return d * v;
    }
  }
  // mean >= 0 (Knuth's product, in pieces of at most 30)
  i32 poisson(double mean) {
    i32 count = 0;
    while (mean > 0.0) {
      const double piece = mean > 30.0 ? 30.0 : mean;
      mean -= piece;
      const double border = precise::exponential(-piece);
      for (double product = uniform(); product > border; product *= uniform()) ++count;
    }
    return count;
  }

 private:
  u32 key0_, key1_, stream_, event_, item_;
  u32 draw_ = 0;
  int left_ = 0;
  bool has_spare_ = false;
  double spare_ = 0.0;
  Philox block_{};
};

}  // namespace sitecap
