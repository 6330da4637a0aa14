// Launches of sitecap/primitives.h: scan, histogram, sort by bin, compaction on a stream.
#pragma once
#include <algorithm>

#include "host/device.h"
#include "sitecap/primitives.h"

namespace sitecap {

// Scratch of the primitives for up to `most_items` items and `most_bins` bins, of one stream.
class Primitives {
 public:
  Primitives(DeviceMemory& memory, Stream& stream, i64 most_items, i64 most_bins)
      : stream_(&stream),
        tile_(static_cast<i64>(stream.device().block_threads()) * scan_items),
        sums_(memory.take<i32>(tiles_of(std::max(most_items, most_bins) + 2))),
        within_(memory.take<i32>(most_items)),
        unordered_(memory.take<i32>(most_items)) {}

  // counts[0 .. n) -> the sum of those before each, counts[n] -> the total.
  void exclusive_scan(i32* counts, i32 n) {
    const i32 tiles = static_cast<i32>(tiles_of(n)), threads = threads_of_block();
    const Shape all{static_cast<u32>(tiles), static_cast<u32>(threads)};
    SITECAP_LAUNCH_BLOCKS(*stream_, sitecap_scan_sums, all, counts, n, sums_);
    SITECAP_LAUNCH_BLOCKS(*stream_, sitecap_scan_totals, (Shape{1, all.threads}), sums_, tiles, counts + n);
    SITECAP_LAUNCH_BLOCKS(*stream_, sitecap_scan_tiles, all, counts, n, sums_);
  }

  // counts[b] -> the number of items of bin b, for b in [0, bins).
  void histogram(const i32* bin, Count items, i32 bins, i32* counts) {
    stream_->fill(counts, 0, bins);
    SITECAP_LAUNCH(*stream_, sitecap_histogram, items.at_most, items, bin, counts,
                   static_cast<i32*>(nullptr));
  }

  // Sorts items by bin, stable; bin[i] in [0, bins]. Items of bin `bins` are left out. `offset` has room for
  // bins + 2: offset[b] is where bin b starts, offset[bins] the number of items that are in order.
  void sort_by_bin(const i32* bin, Count items, i32 bins, i32* offset, i32* order) {
    stream_->fill(offset, 0, static_cast<i64>(bins) + 1);
    SITECAP_LAUNCH(*stream_, sitecap_histogram, items.at_most, items, bin, offset, within_);
    exclusive_scan(offset, bins + 1);
    const Count kept{offset + bins, items.at_most};
    SITECAP_LAUNCH(*stream_, sitecap_fill_bins, items.at_most, items, bins, bin,
                   static_cast<const i32*>(offset), within_, unordered_);
    SITECAP_LAUNCH(*stream_, sitecap_rank_in_bins, items.at_most, kept, bin, static_cast<const i32*>(offset),
                   unordered_, order);
  }

  // Numbers the items whose flag is 1 and lists them: flags[0 .. n) -> the number of those before each,
  // flags[n] -> how many there are, kept[number] -> the item.
  void compact(i32* flags, i32 n, i32* kept) {
    exclusive_scan(flags, n);
    SITECAP_LAUNCH(*stream_, sitecap_compact, n, n, flags, kept);
  }

 private:
  i32 threads_of_block() const { return static_cast<i32>(stream_->device().block_threads()); }
  i64 tiles_of(i64 n) const { return std::max<i64>((n + tile_ - 1) / tile_, 1); }

  Stream* stream_;
  i64 tile_;
  i32 *sums_, *within_, *unordered_;
};

}  // namespace sitecap
