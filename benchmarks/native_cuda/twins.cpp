#include "benchmarks/native_cuda/twins.h"

namespace sitecap {

const DeviceKernelEntry device_kernel_entries[] = {
    {"clue", &native::open_clue}, {"mkfit", &native::open_mkfit}, {nullptr, nullptr}};

}  // namespace sitecap
