// A libamdhip64.so.6 that does what the fake CUDA driver does, by HIP's names: the two have the same shape.
//
// Names and signatures from ROCm's "HIP Runtime API" reference (6.x). There is no hiprtcCreateProgram in it.
#include "cuda.cpp"

extern "C" {

int hipInit(unsigned flags) {
  return cuInit(flags);
}
int hipDriverGetVersion(int* version) {
  *version = 60140092;
  return success;
}
int hipGetDeviceCount(int* count) {
  return cuDeviceGetCount(count);
}
int hipDeviceGet(int* device, int ordinal) {
  return cuDeviceGet(device, ordinal);
}
int hipDeviceGetName(char* name, int room, int device) {
  if (device < 0 || device >= devices || room < 32) return invalid_value;
  std::strcpy(name, device == 0 ? "Fake MI250X" : "Fake MI300X");
  return success;
}
int hipDeviceTotalMem(std::size_t* bytes, int device) {
  return cuDeviceTotalMem_v2(bytes, device);
}
int hipDeviceGetPCIBusId(char* id, int room, int device) {
  return cuDeviceGetPCIBusId(id, room, device);
}
// Its attributes have other numbers, which change: none may be asked for.
int hipDeviceGetAttribute(int*, int, int) {
  std::abort();
}
int hipDevicePrimaryCtxRetain(void** context, int device) {
  return cuDevicePrimaryCtxRetain(context, device);
}
int hipDevicePrimaryCtxRelease(int device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}
int hipCtxSetCurrent(void* context) {
  return cuCtxSetCurrent(context);
}
int hipModuleLoadData(void** module, const void* image) {
  return cuModuleLoadData(module, image);
}
int hipModuleUnload(void* module) {
  return cuModuleUnload(module);
}
int hipModuleGetFunction(void** function, void* module, const char* name) {
  return cuModuleGetFunction(function, module, name);
}
int hipMalloc(void** memory, std::size_t bytes) {
  return cuMemAlloc_v2(memory, bytes);
}
int hipFree(void* memory) {
  return cuMemFree_v2(memory);
}
int hipHostMalloc(void** memory, std::size_t bytes, unsigned flags) {
  return cuMemHostAlloc(memory, bytes, flags);
}
int hipHostFree(void* memory) {
  return cuMemFreeHost(memory);
}
int hipStreamCreateWithFlags(void** stream, unsigned flags) {
  return cuStreamCreate(stream, flags);
}
int hipStreamDestroy(void* stream) {
  return cuStreamDestroy_v2(stream);
}
int hipStreamSynchronize(void* stream) {
  return cuStreamSynchronize(stream);
}
int hipMemcpyHtoDAsync(void* to, const void* from, std::size_t bytes, void* stream) {
  return cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
}
int hipMemcpyDtoHAsync(void* to, const void* from, std::size_t bytes, void* stream) {
  return cuMemcpyDtoHAsync_v2(to, from, bytes, stream);
}
int hipMemsetD32Async(void* to, int word, std::size_t words, void* stream) {
  return cuMemsetD32Async(to, static_cast<unsigned>(word), words, stream);
}
int hipModuleLaunchKernel(void* function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z,
                          unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared_bytes,
                          void* stream, void** arguments, void** extra) {
  return cuLaunchKernel(function, blocks_x, blocks_y, blocks_z, threads_x, threads_y, threads_z, shared_bytes,
                        stream, arguments, extra);
}
const char* hipGetErrorName(int error) {
  switch (error) {
    case out_of_memory:
      return "hipErrorOutOfMemory";
    case no_device:
      return "hipErrorNoDevice";
    case no_binary_for_gpu:
      return "hipErrorNoBinaryForGpu";
    case launch_failed:
      return "hipErrorLaunchFailure";
    default:
      return "hipErrorUnknown";
  }
}
}
