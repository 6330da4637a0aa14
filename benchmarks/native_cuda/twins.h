// The twins, opened as the product's kernels are.
#pragma once
#include "host/device_payload.h"

namespace sitecap::native {

// Throw std::invalid_argument where settings ask for more than the twin has.
std::unique_ptr<DevicePayload> open_clue(const Columns& events, const Settings& settings, Device& device,
                                         int slots);
std::unique_ptr<DevicePayload> open_mkfit(const Columns& events, const Settings& settings, Device& device,
                                          int slots);

}  // namespace sitecap::native
