// A libcuda.so.1 that runs the kernels' entries on the CPU and holds every call against what CUDA asks for;
// the environment's FAKE_CUDA names what is wrong with it, FAKE_CUDA_AFTER after how many launches,
// FAKE_CUDA_BYTES its memory.
//
// Signatures and numbers of errors from NVIDIA's "CUDA Driver API" reference (12.x). A rule of the API that
// a caller breaks is INVALID_VALUE or INVALID_CONTEXT here, where a real driver may crash or do nothing.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "backends/device/fibers.h"

// The entries of all kernels, by name; made by driver.py.
const std::map<std::string, sitecap::Entry>& fake_entries();

using namespace sitecap;

namespace {

enum {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  not_initialized = 3,
  device_unavailable = 46,
  no_device = 100,
  invalid_device = 101,
  invalid_image = 200,
  invalid_context = 201,
  no_binary_for_gpu = 209,
  unsupported_ptx_version = 222,
  not_found = 500,
  launch_failed = 719,
  system_driver_mismatch = 803
};

constexpr int devices = 2;

struct Block {
  std::size_t bytes;
  bool pinned;
};
struct Function {
  Entry entry;
};
struct Module {
  std::string image;
  std::map<std::string, Function> functions;
};

std::mutex mutex;
bool started = false, lost = false;
int launches = 0;
std::size_t held_bytes = 0;
std::map<const char*, Block> blocks;  // by address
std::set<void*> streams, modules, functions;
int contexts[devices];
thread_local void* current = nullptr;
thread_local emulated::Fibers fibers;

bool is(const char* name) {
  const char* scenario = std::getenv("FAKE_CUDA");
  return std::strcmp(scenario != nullptr ? scenario : "good", name) == 0;
}
long number(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atol(text) : otherwise;
}
void hang() {
  for (;;) pause();
}

// Every call but the first few needs a context of this thread; a lost device answers nothing any more.
int ready() {
  if (!started) return not_initialized;
  if (current == nullptr) return invalid_context;
  return lost ? launch_failed : success;
}

// Whether [address, address + bytes) lies within one block of that kind.
bool within(const void* address, std::size_t bytes, bool pinned) {
  const auto* at = static_cast<const char*>(address);
  auto next = blocks.upper_bound(at);
  if (next == blocks.begin()) return false;
  const auto& [first, block] = *--next;
  return block.pinned == pinned && bytes <= block.bytes &&
         static_cast<std::size_t>(at - first) <= block.bytes - bytes;
}

int take(void** memory, std::size_t bytes, bool pinned) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (bytes == 0) return invalid_value;
  const auto most = static_cast<std::size_t>(number("FAKE_CUDA_BYTES", 1L << 33));
  if (!pinned && held_bytes + bytes > most) return out_of_memory;
  auto* block = static_cast<char*>(std::malloc(bytes));
  std::memset(block, 0xA5, bytes);
  blocks[block] = {bytes, pinned};
  if (!pinned) held_bytes += bytes;
  *memory = block;
  return success;
}

int give_back(void* memory, bool pinned) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = blocks.find(static_cast<char*>(memory));
  if (found == blocks.end() || found->second.pinned != pinned) return invalid_value;
  if (!pinned) held_bytes -= found->second.bytes;
  std::free(memory);
  blocks.erase(found);
  return ready();
}

std::map<std::string, Function> all_functions() {
  std::map<std::string, Function> all;
  for (const auto& [name, entry] : fake_entries()) all.emplace(name, Function{entry});
  return all;
}

constexpr char bundle_magic[] = "__CLANG_OFFLOAD_BUNDLE__";

// Code objects of AMD lie in a bundle: how many, then of each where it is, how long, and for what.
std::string bundle_of(const char* image) {
  u64 count = 0, at = sizeof bundle_magic - 1, length = 0;
  std::memcpy(&count, image + at, 8);
  at += 8;
  for (u64 k = 0; k < count; ++k) {
    u64 part[3];
    std::memcpy(part, image + at, sizeof part);
    length = std::max(length, part[0] + part[1]);
    at += sizeof part + part[2];
  }
  return {image, length};
}

// A cubin or code object says how long it is, PTX ends with a null.
std::string image_of(const char* image) {
  if (std::strncmp(image, bundle_magic, sizeof bundle_magic - 1) == 0) return bundle_of(image);
  if (std::memcmp(image, "\177ELF\2", 5) != 0) return image;
  u64 sections = 0;
  u16 size = 0, count = 0;
  std::memcpy(&sections, image + 40, 8);
  std::memcpy(&size, image + 58, 2);
  std::memcpy(&count, image + 60, 2);
  return {image, sections + u64{size} * count};
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  if (flags != 0) return invalid_value;
  if (is("hang-init")) hang();
  if (is("none")) return no_device;
  if (is("mismatch")) return system_driver_mismatch;
  if (is("crash")) std::abort();
  started = true;
  return success;
}
// NVRTC asks every driver that it finds for tables of functions; the first word of one is its size. This has
// none.
int cuGetExportTable(const void** table, const void*) {
  static const std::size_t empty[] = {sizeof(std::size_t)};
  *table = empty;
  return success;
}
int cuDriverGetVersion(int* version) {
  *version = is("old") ? 11040 : 12080;
  return success;
}
int cuDeviceGetCount(int* count) {
  if (!started) return not_initialized;
  *count = is("hidden") ? 0 : devices;
  return success;
}
int cuDeviceGet(int* device, int ordinal) {
  if (ordinal < 0 || ordinal >= devices) return invalid_device;
  *device = ordinal;
  return success;
}
int cuDeviceGetName(char* name, int room, int device) {
  if (device < 0 || device >= devices || room < 32) return invalid_value;
  std::strcpy(name, device == 0 ? "Fake H100" : "Fake A100");
  return success;
}
int cuDeviceGetPCIBusId(char* id, int room, int device) {
  if (device < 0 || device >= devices || room < 13) return invalid_value;
  std::strcpy(id, device == 0 ? "0000:3B:00.0" : "0000:DB:00.0");
  return success;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = static_cast<std::size_t>(number("FAKE_CUDA_BYTES", 1L << 33));
  return success;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  switch (attribute) {
    case 16:
      *value = device == 0 ? 132 : 108;
      return success;
    case 20:
      *value = is("prohibited") ? 2 : 0;
      return success;
    case 75:
      *value = is("unknown") ? 13 : (device == 0 ? 9 : 8);
      return success;
    case 76:
      *value = 0;
      return success;
    default:
      return invalid_value;
  }
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (is("exclusive")) return device_unavailable;
  if (is("hang-open")) hang();
  *context = contexts + device;
  return success;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  return success;
}
int cuCtxSetCurrent(void* context) {
  if (lost) return launch_failed;
  current = context;
  return success;
}
int cuModuleLoadData(void** module, const void* image) {
  if (const int error = ready()) return error;
  const std::string code = image_of(static_cast<const char*>(image));
  const bool cubin = code.compare(0, 4, "\177ELF") == 0 || code.compare(0, 2, "__") == 0;
  if (cubin && (is("no-binary") || is("only-newer"))) return no_binary_for_gpu;
  if (!cubin && is("only-newer")) return unsupported_ptx_version;
  if (!cubin && code.find(".entry") == std::string::npos) return invalid_image;
  auto* made = new Module{code, all_functions()};
  const std::lock_guard<std::mutex> lock(mutex);
  modules.insert(made);
  *module = made;
  return success;
}
int cuModuleUnload(void* module) {
  const std::lock_guard<std::mutex> lock(mutex);
  return modules.erase(module) == 1 ? success : invalid_value;
}
int cuModuleGetFunction(void** function, void* module, const char* name) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (modules.count(module) == 0) return invalid_value;
  auto& own = *static_cast<Module*>(module);
  const auto found = own.functions.find(name);
  if (found == own.functions.end() || own.image.find(name) == std::string::npos) return not_found;
  functions.insert(&found->second);
  *function = &found->second;
  return success;
}
int cuMemAlloc_v2(void** memory, std::size_t bytes) {
  return take(memory, bytes, false);
}
int cuMemFree_v2(void* memory) {
  return give_back(memory, false);
}
int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  return flags > 7 ? invalid_value : take(memory, bytes, true);
}
int cuMemFreeHost(void* memory) {
  return give_back(memory, true);
}
int cuStreamCreate(void** stream, unsigned flags) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (flags != 1) return invalid_value;
  *stream = new int(0);
  streams.insert(*stream);
  return success;
}
int cuStreamDestroy_v2(void* stream) {
  const std::lock_guard<std::mutex> lock(mutex);
  return streams.erase(stream) == 1 ? success : invalid_value;
}
int cuStreamSynchronize(void* stream) {
  if (is("hang-wait") && launches >= number("FAKE_CUDA_AFTER", 0)) hang();
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  return streams.count(stream) == 1 ? success : invalid_value;
}
int cuMemcpyHtoDAsync_v2(void* to, const void* from, std::size_t bytes, void* stream) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (!within(to, bytes, false) || !within(from, bytes, true) || streams.count(stream) == 0)
    return invalid_value;
  std::memcpy(to, from, bytes);
  return success;
}
int cuMemcpyDtoHAsync_v2(void* to, const void* from, std::size_t bytes, void* stream) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (!within(to, bytes, true) || !within(from, bytes, false) || streams.count(stream) == 0)
    return invalid_value;
  std::memcpy(to, from, bytes);
  if (is("flips-bits") && launches > number("FAKE_CUDA_AFTER", 0)) *static_cast<char*>(to) ^= 1;
  return success;
}
int cuMemsetD32Async(void* to, unsigned word, std::size_t words, void* stream) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (!within(to, words * 4, false) || streams.count(stream) == 0) return invalid_value;
  for (std::size_t k = 0; k < words; ++k) static_cast<unsigned*>(to)[k] = word;
  return success;
}
int cuLaunchKernel(void* function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z,
                   unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared_bytes,
                   void* stream, void** arguments, void** extra) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (const int error = ready()) return error;
  if (functions.count(function) == 0 || streams.count(stream) == 0 || blocks_x == 0 || blocks_y != 1 ||
      blocks_z != 1 || threads_x == 0 || threads_x > 1024 || threads_y != 1 || threads_z != 1 ||
      shared_bytes != 0 || extra != nullptr)
    return invalid_value;
  if (++launches > number("FAKE_CUDA_AFTER", 0) && is("lost")) {
    lost = true;
    return launch_failed;
  }
  std::vector<u32> order(threads_x);
  for (u32 k = 0; k < threads_x; ++k) order[k] = k;
  for (u32 block = 0; block < blocks_x; ++block)
    fibers.run_block(static_cast<Function*>(function)->entry, arguments, {blocks_x, threads_x}, block, order);
  return success;
}
int cuGetErrorName(int error, const char** name) {
  static const std::map<int, const char*> names = {
      {invalid_value, "CUDA_ERROR_INVALID_VALUE"},
      {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {device_unavailable, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
      {no_device, "CUDA_ERROR_NO_DEVICE"},
      {no_binary_for_gpu, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {unsupported_ptx_version, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
      {launch_failed, "CUDA_ERROR_LAUNCH_FAILED"},
      {system_driver_mismatch, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"}};
  const auto found = names.find(error);
  if (found == names.end()) return invalid_value;
  *name = found->second;
  return success;
}
}
