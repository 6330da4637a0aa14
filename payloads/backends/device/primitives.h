// The primitives on whole arrays of the host: for tests, and to try a device with.
#pragma once
#include <utility>
#include <vector>

#include "host/device.h"

namespace sitecap {

// Sums before each count; one entry more than counts, the total. All throw DeviceError.
std::vector<i32> scanned(Device& device, const std::vector<i32>& counts);
// Number of items of each bin; bin[i] in [0, bins), or std::invalid_argument.
std::vector<i32> histogram_of(Device& device, const std::vector<i32>& bin, i32 bins);
// Where each bin starts, with the end of the last; the items in order. Items of bin `bins` are left out.
std::pair<std::vector<i32>, std::vector<i32>> sorted_by_bin(Device& device, const std::vector<i32>& bin,
                                                            i32 bins);
// Indices of the flags that are 1.
std::vector<i32> compacted(Device& device, const std::vector<i32>& flags);

}  // namespace sitecap
