// Scan, histogram, sort by bin and compaction for device kernels: entries of any kernel that includes this.
//
// Nothing here depends on the order of threads or blocks: atomics are of integers, and where their order
// shows (which place within a bin), a later entry puts it right. Launched by host/device_primitives.h.
#pragma once
#include "sitecap/grid.h"

namespace sitecap {

// A thread's share of a scan: one sector of 32 bytes.
constexpr i32 scan_items = 8;

// Sum of the values of the block's threads of lower rank, by doubling steps (W. D. Hillis and G. L. Steele,
// "Data parallel algorithms", CACM 29 (1986) 1170); `total` is that of the whole block. All threads of
// the block call it.
SITECAP_FN i32 block_exclusive_scan(i32 value, i32& total) {
  __shared__ i32 sums[2][most_block_threads];
  const i32 rank = static_cast<i32>(threadIdx.x), threads = static_cast<i32>(blockDim.x);
  i32 from = 0;
  sums[0][rank] = value;
  __syncthreads();
  for (i32 step = 1; step < threads; step *= 2) {
    sums[1 - from][rank] = sums[from][rank] + (rank >= step ? sums[from][rank - step] : 0);
    from = 1 - from;
    __syncthreads();
  }
  total = sums[from][threads - 1];
  const i32 before = rank > 0 ? sums[from][rank - 1] : 0;
  __syncthreads();  // the next call writes here
  return before;
}

}  // namespace sitecap

extern "C" {

// ---- exclusive scan of counts[0 .. n): sums of tiles, scan of these by one block, scan of the tiles
__global__ void sitecap_scan_sums(const sitecap::i32* counts, sitecap::i32 n, sitecap::i32* sums) {
  using namespace sitecap;
  const i32 first = thread_item() * scan_items;
  i32 sum = 0;
  for (i32 k = first; k < min_of(first + scan_items, n); ++k) sum += counts[k];
  i32 total = 0;
  block_exclusive_scan(sum, total);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}
__global__ void sitecap_scan_totals(sitecap::i32* sums, sitecap::i32 tiles, sitecap::i32* total) {
  using namespace sitecap;
  i32 before = 0;
  for (i32 first = 0; first < tiles; first += static_cast<i32>(blockDim.x)) {
    const i32 tile = first + static_cast<i32>(threadIdx.x);
    i32 of_all = 0;
    const i32 within = block_exclusive_scan(tile < tiles ? sums[tile] : 0, of_all);
    if (tile < tiles) sums[tile] = before + within;
    before += of_all;
  }
  if (threadIdx.x == 0) *total = before;
}
__global__ void sitecap_scan_tiles(sitecap::i32* counts, sitecap::i32 n, const sitecap::i32* sums) {
  using namespace sitecap;
  const i32 first = thread_item() * scan_items, last = min_of(first + scan_items, n);
  i32 sum = 0;
  for (i32 k = first; k < last; ++k) sum += counts[k];
  i32 total = 0;
  i32 at = sums[blockIdx.x] + block_exclusive_scan(sum, total);
  for (i32 k = first; k < last; ++k) {
    const i32 count = counts[k];
    counts[k] = at;
    at += count;
  }
}

// ---- histogram; `within`, where it is given, is each item's place among those of its bin, in any order
__global__ void sitecap_histogram(sitecap::Count items, const sitecap::i32* bin, sitecap::i32* counts,
                                  sitecap::i32* within) {
  const sitecap::i32 i = sitecap::thread_item();
  if (i >= items.value()) return;
  const sitecap::i32 place = atomicAdd(counts + bin[i], 1);
  if (within != nullptr) within[i] = place;
}

// ---- sort by bin, after histogram and scan: each item to a place of its bin, then to the place of its rank.
// Items of bins from `bins` on are left out.
__global__ void sitecap_fill_bins(sitecap::Count items, sitecap::i32 bins, const sitecap::i32* bin,
                                  const sitecap::i32* offset, const sitecap::i32* within,
                                  sitecap::i32* unordered) {
  const sitecap::i32 i = sitecap::thread_item();
  if (i < items.value() && bin[i] < bins) unordered[offset[bin[i]] + within[i]] = i;
}
__global__ void sitecap_rank_in_bins(sitecap::Count items, const sitecap::i32* bin,
                                     const sitecap::i32* offset, const sitecap::i32* unordered,
                                     sitecap::i32* order) {
  using namespace sitecap;
  const i32 k = thread_item();
  if (k >= items.value()) return;
  const i32 item = unordered[k], from = offset[bin[item]], to = offset[bin[item] + 1];
  i32 rank = 0;
  for (i32 other = from; other < to; ++other) rank += unordered[other] < item ? 1 : 0;
  order[from + rank] = item;
}

// ---- compaction of the items whose flags, 0 or 1, were scanned into number[0 .. n]: kept[number] = item
__global__ void sitecap_compact(sitecap::i32 n, const sitecap::i32* number, sitecap::i32* kept) {
  const sitecap::i32 i = sitecap::thread_item();
  if (i < n && number[i + 1] > number[i]) kept[number[i]] = i;
}

}  // extern "C"
