#include "backends/device/driver_table.h"

#include <dlfcn.h>

#include <vector>

#include "host/device.h"

namespace sitecap {

namespace {

struct Name {
  void** place;
  const char *cuda, *hip;  // null: that driver has no such function
};

template <class Function>
void** place_of(Function& function) {
  return reinterpret_cast<void**>(&function);
}

std::vector<Name> names_of(DriverTable& t) {
  return {{place_of(t.init), "cuInit", "hipInit"},
          {place_of(t.driver_version), "cuDriverGetVersion", "hipDriverGetVersion"},
          {place_of(t.device_count), "cuDeviceGetCount", "hipGetDeviceCount"},
          {place_of(t.device), "cuDeviceGet", "hipDeviceGet"},
          {place_of(t.device_name), "cuDeviceGetName", "hipDeviceGetName"},
          {place_of(t.device_memory), "cuDeviceTotalMem_v2", "hipDeviceTotalMem"},
          {place_of(t.device_bus), "cuDeviceGetPCIBusId", "hipDeviceGetPCIBusId"},
          {place_of(t.device_attribute), "cuDeviceGetAttribute", "hipDeviceGetAttribute"},
          {place_of(t.retain_context), "cuDevicePrimaryCtxRetain", "hipDevicePrimaryCtxRetain"},
          {place_of(t.release_context), "cuDevicePrimaryCtxRelease_v2", "hipDevicePrimaryCtxRelease"},
          {place_of(t.set_context), "cuCtxSetCurrent", "hipCtxSetCurrent"},
          {place_of(t.load_module), "cuModuleLoadData", "hipModuleLoadData"},
          {place_of(t.unload_module), "cuModuleUnload", "hipModuleUnload"},
          {place_of(t.function), "cuModuleGetFunction", "hipModuleGetFunction"},
          {place_of(t.allocate), "cuMemAlloc_v2", "hipMalloc"},
          {place_of(t.release), "cuMemFree_v2", "hipFree"},
          {place_of(t.allocate_pinned), "cuMemHostAlloc", "hipHostMalloc"},
          {place_of(t.release_pinned), "cuMemFreeHost", "hipHostFree"},
          {place_of(t.open_stream), "cuStreamCreate", "hipStreamCreateWithFlags"},
          {place_of(t.close_stream), "cuStreamDestroy_v2", "hipStreamDestroy"},
          {place_of(t.wait), "cuStreamSynchronize", "hipStreamSynchronize"},
          {place_of(t.copy_in), "cuMemcpyHtoDAsync_v2", "hipMemcpyHtoDAsync"},
          {place_of(t.copy_out), "cuMemcpyDtoHAsync_v2", "hipMemcpyDtoHAsync"},
          {place_of(t.fill), "cuMemsetD32Async", "hipMemsetD32Async"},
          {place_of(t.launch), "cuLaunchKernel", "hipModuleLaunchKernel"},
          {place_of(t.error_name_into), "cuGetErrorName", nullptr},
          {place_of(t.error_name), nullptr, "hipGetErrorName"}};
}

void* open_library(Api api) {
  const std::vector<const char*> names =
      api == Api::cuda ? std::vector<const char*>{"libcuda.so.1"}
                       : std::vector<const char*>{"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"};
  for (const char* name : names)
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  throw DeviceError(
      api == Api::cuda
          ? "there is no NVIDIA driver here: no libcuda.so.1 can be loaded (in a container: start "
            "it with the GPU, as --nv of Apptainer)"
          : "there is no ROCm here: no libamdhip64.so can be loaded");
}

DriverTable load(Api api) {
  DriverTable table{};
  table.api = api;
  void* library = open_library(api);  // for good: a driver does not bear to be unloaded
  for (const Name& name : names_of(table)) {
    const char* symbol = api == Api::cuda ? name.cuda : name.hip;
    if (symbol == nullptr) continue;
    *name.place = dlsym(library, symbol);
    if (*name.place == nullptr)
      throw DeviceError(std::string("the ") + name_of(api) + " driver has no function " + symbol +
                        ": it is too old");
  }
  if (const int error = table.init(0))
    throw DeviceError(std::string("the ") + name_of(api) +
                      " driver cannot start: " + meaning_of(table, error));
  return table;
}

struct Meaning {
  int error;
  const char* text;
};

// Numbers from CUDA's cuda.h (12.x) and HIP's hip_runtime_api.h, which has CUDA's where it has the same
// error.
constexpr Meaning meanings[] = {
    {2, "there is no memory left"},
    {3, "the driver was not started"},
    {34, "what is loaded is the toolkit's stub and not the driver: leave the stubs out of LD_LIBRARY_PATH"},
    {46, "the device is taken: another process has it in exclusive mode, or it is prohibited"},
    {100, "there is no device that this process may use"},
    {101, "there is no such device, or none that this process may use"},
    {102, "the device is not licensed (virtual GPU)"},
    {200, "its code is not valid"},
    {209, "the code is for another architecture"},
    {214, "its memory has an error that cannot be corrected"},
    {218, "its code is not valid"},
    {222, "the driver is too old for the code"},
    {500, "the code has no such entry"},
    {700, "a kernel used memory that is not its own, or the device was lost"},
    {702, "a kernel took longer than the device allows"},
    {719, "a kernel failed, or the device was lost"},
    {802, "the device's fabric is not ready"},
    {803, "driver and kernel module are of different versions: the node was updated and not restarted"},
    {804, "the compatibility libraries do not fit this device"},
    {805, "the MPS daemon does not answer"},
    {806, "the MPS server failed"},
    {807, "the MPS server is not ready"},
    {808, "the MPS server has no room for another client"},
    {999, "the device does not answer or was lost"},
};

}  // namespace

const char* name_of(Api api) {
  return api == Api::cuda ? "cuda" : "hip";
}

const DriverTable& driver_table(Api api) {
  if (api == Api::cuda) {
    static const DriverTable cuda = load(Api::cuda);
    return cuda;
  }
  static const DriverTable hip = load(Api::hip);
  return hip;
}

std::string meaning_of(const DriverTable& table, int error) {
  const char* name = nullptr;
  if (table.api == Api::hip)
    name = table.error_name(error);
  else if (table.error_name_into(error, &name) != 0)
    name = nullptr;
  const std::string named =
      "(" + (name != nullptr ? std::string(name) : "error " + std::to_string(error)) + ")";
  for (const Meaning& meaning : meanings)
    if (meaning.error == error) return meaning.text + (" " + named);
  return "the driver does not say more " + named;
}

bool is_out_of_memory(int error) {
  return error == 2;
}

}  // namespace sitecap
