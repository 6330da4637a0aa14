// A GPU, through its driver.
#pragma once
#include <atomic>
#include <map>
#include <mutex>

#include "backends/device/driver_table.h"
#include "host/device.h"

namespace sitecap {

// A device that the driver lists.
struct Listed {
  std::string name;
  std::string bus_id;  // domain:bus:device.function on PCI
  u64 memory_bytes;
  // Of CUDA; 0 where the driver does not say.
  int capability_major, capability_minor, multiprocessors, compute_mode;
};

// Version of the driver's API as CUDA writes it: 12040 is 12.4.
int driver_version(Api api);
// All devices that this process may see. Both throw DeviceError.
std::vector<Listed> listed_devices(Api api);

class Driver : public Device {
 public:
  // Loads `code` (cubin, PTX or code object) onto a device. Throws DeviceError.
  Driver(Api api, int ordinal, const std::string& code, u32 block_threads);
  ~Driver() override;

  const std::string& name() const override { return name_; }
  u32 block_threads() const override { return block_threads_; }
  void* allocate(std::size_t bytes) override;
  void* allocate_pinned(std::size_t bytes) override;
  void release(void* memory) noexcept override;
  void release_pinned(void* memory) noexcept override;
  void* open_stream() override;
  void close_stream(void* stream) noexcept override;
  void copy_in(void* stream, void* to, const void* from, std::size_t bytes) override;
  void copy_out(void* stream, void* to, const void* from, std::size_t bytes) override;
  void fill(void* stream, void* to, u32 word, std::size_t words) override;
  void launch(void* stream, const Entry& entry, Shape shape, void* const* arguments) override;
  void wait(void* stream) override;
  u64 allocations() const override { return allocations_; }
  // Most threads of a block that each entry was launched with.
  std::map<std::string, u32> launched() const;

 private:
  void check(int error, const std::string& doing) const;
  void use() const;
  struct Function {
    void* handle = nullptr;
    u32 most_threads = 0;
  };
  void* function_of(const Entry& entry, u32 threads);

  const DriverTable& driver_;
  u32 block_threads_;
  std::string name_;
  int device_ = 0;
  void *context_ = nullptr, *module_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, Function> functions_;
  std::atomic<u64> allocations_{0};
};

}  // namespace sitecap
