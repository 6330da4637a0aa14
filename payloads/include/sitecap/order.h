// Scan and counting sort: the order in which a kernel's arrays are laid out. Stable and in fixed order, so
// that a result never depends on how many threads made it: count, scan, then fill, instead of appending.
#pragma once
#include "sitecap/platform.h"

namespace sitecap {

// counts[0..n) -> where each bin starts, counts[n] -> the total. Returns the total.
SITECAP_FN i32 exclusive_scan(i32* counts, i32 n) {
  i32 total = 0;
  for (i32 i = 0; i < n; ++i) {
    const i32 count = counts[i];
    counts[i] = total;
    total += count;
  }
  counts[n] = total;
  return total;
}

// Sorts items by bin, stable. `bin[i]` in [0, bins); `offset` has room for bins + 1 and is where each bin
// starts afterwards; `order[k]` is the item at place k; `cursor` is scratch for bins.
SITECAP_FN void counting_sort(const i32* bin, i32 items, i32 bins, i32* offset, i32* cursor, i32* order) {
  for (i32 b = 0; b <= bins; ++b) offset[b] = 0;
  for (i32 i = 0; i < items; ++i) ++offset[bin[i]];
  exclusive_scan(offset, bins);
  for (i32 b = 0; b < bins; ++b) cursor[b] = offset[b];
  for (i32 i = 0; i < items; ++i) order[cursor[bin[i]]++] = i;
}

}  // namespace sitecap
