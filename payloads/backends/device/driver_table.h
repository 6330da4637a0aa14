// The functions of a GPU's driver that we use, looked up in the library that comes with it: neither CUDA nor
// ROCm need be installed, to build or to run.
//
// Signatures as in NVIDIA's "CUDA Driver API" reference (12.x). HIP's module API takes the same arguments in
// the same order; where it has pointers, CUDA's device addresses are integers of the same size.
#pragma once
#include <cstddef>
#include <string>

namespace sitecap {

enum class Api { cuda, hip };

struct DriverTable {
  Api api;
  int (*init)(unsigned flags);
  int (*driver_version)(int* version);
  int (*device_count)(int* count);
  int (*device)(int* device, int ordinal);
  int (*device_name)(char* name, int room, int device);
  int (*device_memory)(std::size_t* bytes, int device);
  int (*device_bus)(char* id, int room, int device);
  int (*device_attribute)(int* value, int attribute, int device);
  int (*retain_context)(void** context, int device);
  int (*release_context)(int device);
  int (*set_context)(void* context);
  int (*load_module)(void** module, const void* image);
  int (*unload_module)(void* module);
  int (*function)(void** function, void* module, const char* name);
  int (*allocate)(void** memory, std::size_t bytes);
  int (*release)(void* memory);
  int (*allocate_pinned)(void** memory, std::size_t bytes, unsigned flags);
  int (*release_pinned)(void* memory);
  int (*open_stream)(void** stream, unsigned flags);
  int (*close_stream)(void* stream);
  int (*wait)(void* stream);
  int (*copy_in)(void* to, const void* from, std::size_t bytes, void* stream);
  int (*copy_out)(void* to, const void* from, std::size_t bytes, void* stream);
  int (*fill)(void* to, unsigned word, std::size_t words, void* stream);
  int (*launch)(void* function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z, unsigned threads_x,
                unsigned threads_y, unsigned threads_z, unsigned shared_bytes, void* stream, void** arguments,
                void** extra);
  int (*error_name_into)(int error, const char** name);  // of CUDA
  const char* (*error_name)(int error);                  // of HIP
};

// The functions of this machine's driver, loaded and initialised once. Throws DeviceError where there is no
// driver, it lacks a function, or it cannot start.
const DriverTable& driver_table(Api api);
const char* name_of(Api api);

// What an error means to whoever has to mend it, with the driver's own name for it.
std::string meaning_of(const DriverTable& table, int error);
bool is_out_of_memory(int error);

}  // namespace sitecap
