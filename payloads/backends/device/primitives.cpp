#include "backends/device/primitives.h"

#include "host/device_primitives.h"

namespace sitecap {

namespace {

// Arrays of `items` and `bins`, on the device and pinned.
struct Bench {
  Bench(Device& device, i32 items, i32 bins)
      : memory(device), pinned(device), stream(device), primitives(memory, stream, items, bins) {}

  i32* bring(const std::vector<i32>& values) {
    const auto count = static_cast<i64>(values.size());
    i32* staged = pinned.take<i32>(count);
    std::copy(values.begin(), values.end(), staged);
    i32* array = memory.take<i32>(count + 2);
    stream.copy_in(array, staged, count);
    return array;
  }
  std::vector<i32> fetch(const i32* array, i64 count) {
    i32* staged = pinned.take<i32>(count);
    stream.copy_out(staged, array, count);
    stream.wait();
    return std::vector<i32>(staged, staged + count);
  }

  DeviceMemory memory;
  PinnedMemory pinned;
  Stream stream;
  Primitives primitives;
};

void check(const std::vector<i32>& values, i32 low, i32 high) {
  for (const i32 value : values)
    if (value < low || value > high)
      throw std::invalid_argument("value " + std::to_string(value) + " is not within " + std::to_string(low) +
                                  " and " + std::to_string(high));
}

}  // namespace

std::vector<i32> scanned(Device& device, const std::vector<i32>& counts) {
  const auto n = static_cast<i32>(counts.size());
  Bench bench(device, n, 1);
  i32* values = bench.bring(counts);
  bench.primitives.exclusive_scan(values, n);
  return bench.fetch(values, i64{n} + 1);
}

std::vector<i32> histogram_of(Device& device, const std::vector<i32>& bin, i32 bins) {
  check(bin, 0, bins - 1);
  const auto n = static_cast<i32>(bin.size());
  Bench bench(device, n, bins);
  i32* counts = bench.memory.take<i32>(bins);
  bench.primitives.histogram(bench.bring(bin), Count{nullptr, n}, bins, counts);
  return bench.fetch(counts, bins);
}

std::pair<std::vector<i32>, std::vector<i32>> sorted_by_bin(Device& device, const std::vector<i32>& bin,
                                                            i32 bins) {
  check(bin, 0, bins);
  const auto n = static_cast<i32>(bin.size());
  Bench bench(device, n, bins);
  i32 *offset = bench.memory.take<i32>(i64{bins} + 2), *order = bench.memory.take<i32>(n);
  bench.primitives.sort_by_bin(bench.bring(bin), Count{nullptr, n}, bins, offset, order);
  std::vector<i32> starts = bench.fetch(offset, i64{bins} + 1);
  const i32 kept = starts.back();
  return {std::move(starts), bench.fetch(order, kept)};
}

std::vector<i32> compacted(Device& device, const std::vector<i32>& flags) {
  check(flags, 0, 1);
  const auto n = static_cast<i32>(flags.size());
  Bench bench(device, n, 1);
  i32 *values = bench.bring(flags), *kept = bench.memory.take<i32>(n);
  bench.primitives.compact(values, n, kept);
  return bench.fetch(kept, bench.fetch(values + n, 1).front());
}

}  // namespace sitecap
