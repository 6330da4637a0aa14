// Threads of the host that join digis at once, as threads of a GPU do: whoever comes first, each digi's tree
// must end in the lowest of its set. Says on standard output how many rounds were right.
#include "kernels/pixeltrack/joining.h"

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace sitecap;
using namespace sitecap::pixeltrack;

int main() {
  constexpr i32 digis = 2000, rounds = 500, threads = 2;
  std::mt19937 random(1);
  i32 right = 0;
  for (i32 round = 0; round < rounds; ++round) {
    // the pairs that the threads take at the same time have a digi in common, so that they are after the same
    // tree
    std::vector<std::pair<i32, i32>> pairs;
    std::vector<i32> alone(digis), together(digis);
    for (i32 i = 0; i < digis; ++i) alone[i] = together[i] = i;
    for (i32 i = digis - 1; i > digis / 2; --i)
      for (i32 t = 0; t < threads; ++t) pairs.emplace_back(static_cast<i32>(random() % i), i);
    for (const auto& [i, j] : pairs) {  // the lowest of both sets for all of both
      const i32 low = min_of(alone[i], alone[j]), high = max_of(alone[i], alone[j]);
      if (low == high) continue;
      for (i32& first : alone)
        if (first == high) first = low;
    }
    std::atomic<i32> ready{0};
    std::vector<std::thread> team;
    for (i32 t = 0; t < threads; ++t)
      team.emplace_back([&, t] {
        for (++ready; ready < threads;) {
        }
        for (std::size_t k = static_cast<std::size_t>(t); k < pairs.size(); k += threads)
          join(together.data(), pairs[k].first, pairs[k].second);
      });
    for (std::thread& thread : team) thread.join();
    bool same = true;
    for (i32 i = 0; i < digis; ++i) same = same && lowest_known(together.data(), i) == alone[i];
    right += same ? 1 : 0;
  }
  std::printf("%d of %d\n", right, rounds);
  return right == rounds ? 0 : 1;
}
