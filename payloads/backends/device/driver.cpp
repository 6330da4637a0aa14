#include "backends/device/driver.h"

#include <algorithm>

namespace sitecap {

namespace {

// CUdevice_attribute of cuda.h.
constexpr int multiprocessor_count = 16, compute_mode = 20, capability_major = 75, capability_minor = 76;
constexpr unsigned non_blocking = 1;  // a stream that does not wait for the default one; in HIP alike

void check_driver(const DriverTable& driver, int error, const std::string& doing) {
  if (error != 0)
    throw DeviceError(std::string("the ") + name_of(driver.api) + " driver failed to " + doing + ": " +
                      meaning_of(driver, error));
}

std::string name_of_device(const DriverTable& driver, int device) {
  char name[256] = "";
  check_driver(driver, driver.device_name(name, sizeof name - 1, device), "name a device");
  return name;
}

std::string bus_of_device(const DriverTable& driver, int device) {
  char id[64] = "";
  check_driver(driver, driver.device_bus(id, sizeof id - 1, device), "say where a device is on the bus");
  return id;
}

int count_devices(const DriverTable& driver) {
  int count = 0;
  check_driver(driver, driver.device_count(&count), "count the devices");
  return count;
}

int handle_of(const DriverTable& driver, int ordinal) {
  int device = 0;
  check_driver(driver, driver.device(&device, ordinal), "open device " + std::to_string(ordinal));
  return device;
}

}  // namespace

int driver_version(Api api) {
  const DriverTable& driver = driver_table(api);
  int version = 0;
  check_driver(driver, driver.driver_version(&version), "say its version");
  return version;
}

std::vector<Listed> listed_devices(Api api) {
  const DriverTable& driver = driver_table(api);
  std::vector<Listed> devices;
  const int count = count_devices(driver);
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    const int device = handle_of(driver, ordinal);
    std::size_t bytes = 0;
    check_driver(driver, driver.device_memory(&bytes, device), "say a device's memory");
    // HIP numbers attributes otherwise in each release
    const auto attribute = [&](int number) {
      int value = 0;
      if (api == Api::hip || driver.device_attribute(&value, number, device) != 0) value = 0;
      return value;
    };
    devices.push_back({name_of_device(driver, device), bus_of_device(driver, device), bytes,
                       attribute(capability_major), attribute(capability_minor),
                       attribute(multiprocessor_count), attribute(compute_mode)});
  }
  return devices;
}

Driver::Driver(Api api, int ordinal, const std::string& code, u32 block_threads)
    : driver_(driver_table(api)),
      block_threads_(block_threads),
      name_(std::string(name_of(api)) + " device " + std::to_string(ordinal)) {
  const int count = count_devices(driver_);
  if (ordinal < 0 || ordinal >= count)
    throw DeviceError("there is no " + name_ + ": the driver lists " + std::to_string(count) +
                      (api == Api::cuda ? " (CUDA_VISIBLE_DEVICES may hide others)"
                                        : " (ROCR_VISIBLE_DEVICES may hide others)"));
  device_ = handle_of(driver_, ordinal);
  name_ += " (" + name_of_device(driver_, device_) + ")";
  check(driver_.retain_context(&context_, device_), "open it");
  try {
    use();
    check(driver_.load_module(&module_, code.data()), "load the kernel's code");
  } catch (...) {
    driver_.release_context(device_);
    throw;
  }
}

Driver::~Driver() {
  driver_.set_context(context_);
  driver_.unload_module(module_);
  driver_.release_context(device_);
}

void Driver::check(int error, const std::string& doing) const {
  if (error == 0) return;
  const std::string sentence = name_ + " failed to " + doing + ": " + meaning_of(driver_, error);
  if (is_out_of_memory(error)) throw OutOfDeviceMemory(sentence);
  throw DeviceError(sentence);
}

// A context belongs to a thread of the host.
void Driver::use() const {
  check(driver_.set_context(context_), "turn to it");
}

void* Driver::allocate(std::size_t bytes) {
  use();
  ++allocations_;
  void* memory = nullptr;
  check(driver_.allocate(&memory, bytes), "give " + std::to_string(bytes) + " bytes");
  return memory;
}

void* Driver::allocate_pinned(std::size_t bytes) {
  use();
  ++allocations_;
  void* memory = nullptr;
  check(driver_.allocate_pinned(&memory, bytes, 0), "pin " + std::to_string(bytes) + " bytes of the host");
  return memory;
}

// What fails here has failed before, and was said then.
void Driver::release(void* memory) noexcept {
  driver_.set_context(context_);
  driver_.release(memory);
}
void Driver::release_pinned(void* memory) noexcept {
  driver_.set_context(context_);
  driver_.release_pinned(memory);
}
void Driver::close_stream(void* stream) noexcept {
  driver_.set_context(context_);
  driver_.close_stream(stream);
}

void* Driver::open_stream() {
  use();
  void* stream = nullptr;
  check(driver_.open_stream(&stream, non_blocking), "open a stream");
  return stream;
}

void Driver::copy_in(void* stream, void* to, const void* from, std::size_t bytes) {
  use();
  check(driver_.copy_in(to, from, bytes, stream), "copy events in");
}
void Driver::copy_out(void* stream, void* to, const void* from, std::size_t bytes) {
  use();
  check(driver_.copy_out(to, from, bytes, stream), "copy results out");
}
void Driver::fill(void* stream, void* to, u32 word, std::size_t words) {
  use();
  check(driver_.fill(to, word, words, stream), "fill memory");
}

void* Driver::function_of(const Entry& entry, u32 threads) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Function& function = functions_[entry.name];
  if (function.handle == nullptr)
    check(driver_.function(&function.handle, module_, entry.name), std::string("find entry ") + entry.name);
  function.most_threads = std::max(function.most_threads, threads);
  return function.handle;
}

std::map<std::string, u32> Driver::launched() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string, u32> found;
  for (const auto& [name, function] : functions_) found[name] = function.most_threads;
  return found;
}

void Driver::launch(void* stream, const Entry& entry, Shape shape, void* const* arguments) {
  use();
  void* function = function_of(entry, shape.threads);
  check(driver_.launch(function, shape.blocks, 1, 1, shape.threads, 1, 1, 0, stream,
                       const_cast<void**>(arguments), nullptr),
        std::string("launch ") + entry.name);
}

void Driver::wait(void* stream) {
  use();
  check(driver_.wait(stream), "finish its work");
}

}  // namespace sitecap
