// A device as kernels see it: memory, streams, launches. Implementations: backends/device/.
//
// Everything given to a stream happens later, in order; only wait() waits. What is copied in or out lies in
// pinned memory, and stays as it is until the stream was waited for.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "sitecap/platform.h"

namespace sitecap {

// A device that fails; the text is a sentence that names it.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The device, or the host's pinned memory, has no room left.
struct OutOfDeviceMemory : DeviceError {
  using DeviceError::DeviceError;
};

// Threads of a launch: blocks times threads of a block.
struct Shape {
  u32 blocks, threads;
};

// An entry of a kernel's gpu.cu: a device knows it by name, an emulated one calls it.
struct Entry {
  const char* name;
  void (*call)(void* const* arguments);  // as one device thread
  const std::size_t* sizes;              // of each parameter, in bytes
  int parameters;
};

class Device {
 public:
  virtual ~Device() = default;
  // For sentences: "cuda device 0 (NVIDIA A100-SXM4-80GB)".
  virtual const std::string& name() const = 0;
  // Threads of a block, unless a kernel says otherwise.
  virtual u32 block_threads() const = 0;

  // All throw DeviceError where the device fails; allocate and allocate_pinned OutOfDeviceMemory.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void* allocate_pinned(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void release_pinned(void* memory) noexcept = 0;
  virtual void* open_stream() = 0;
  virtual void close_stream(void* stream) noexcept = 0;

  virtual void copy_in(void* stream, void* to, const void* from, std::size_t bytes) = 0;
  virtual void copy_out(void* stream, void* to, const void* from, std::size_t bytes) = 0;
  // Sets `words` words of four bytes.
  virtual void fill(void* stream, void* to, u32 word, std::size_t words) = 0;
  // Arguments are read before it returns.
  virtual void launch(void* stream, const Entry& entry, Shape shape, void* const* arguments) = 0;
  virtual void wait(void* stream) = 0;

  // How often memory was asked for so far: a measured loop must not.
  virtual u64 allocations() const = 0;
};

// Arrays on a device, given back together.
class DeviceMemory {
 public:
  explicit DeviceMemory(Device& device) : device_(&device) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() {
    for (void* array : arrays_) device_->release(array);
  }
  template <class T>
  T* take(i64 count) {
    static_assert(std::is_trivially_copyable_v<T>, "device memory is copied as bytes");
    const std::size_t bytes = static_cast<std::size_t>(count > 0 ? count : 1) * sizeof(T);
    arrays_.reserve(arrays_.size() + 1);
    arrays_.push_back(device_->allocate(bytes));
    bytes_ += bytes;
    return static_cast<T*>(arrays_.back());
  }
  std::size_t bytes() const { return bytes_; }

 private:
  Device* device_;
  std::vector<void*> arrays_;
  std::size_t bytes_ = 0;
};

// Arrays in the host's memory that a device copies from and to by itself.
class PinnedMemory {
 public:
  explicit PinnedMemory(Device& device) : device_(&device) {}
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  ~PinnedMemory() {
    for (void* array : arrays_) device_->release_pinned(array);
  }
  template <class T>
  T* take(i64 count) {
    static_assert(std::is_trivially_copyable_v<T>, "device memory is copied as bytes");
    arrays_.reserve(arrays_.size() + 1);
    arrays_.push_back(device_->allocate_pinned(static_cast<std::size_t>(count > 0 ? count : 1) * sizeof(T)));
    return static_cast<T*>(arrays_.back());
  }

 private:
  Device* device_;
  std::vector<void*> arrays_;
};

namespace detail {

template <class Function>
struct Signature;
template <class... Parameters>
struct Signature<void (*)(Parameters...)> {
  static constexpr std::size_t sizes[] = {sizeof(Parameters)...};
  static constexpr int count = static_cast<int>(sizeof...(Parameters));
  using Values = std::tuple<Parameters...>;
  template <auto function, std::size_t... I>
  static void call(void* const* arguments, std::index_sequence<I...>) {
    function(*static_cast<std::remove_const_t<Parameters>*>(arguments[I])...);
  }
};

template <auto function>
void call_entry(void* const* arguments) {
  using S = Signature<decltype(function)>;
  S::template call<function>(arguments, std::make_index_sequence<static_cast<std::size_t>(S::count)>());
}

template <auto function>
Entry entry_of(const char* name) {
  using S = Signature<decltype(function)>;
  return {name, &call_entry<function>, S::sizes, S::count};
}

// An argument must be of the parameter's very type, since a device is given its bytes; a pointer may gain
// const.
template <class Parameter, class Argument>
Parameter exactly(Argument argument) {
  static_assert(std::is_same_v<Parameter, Argument> ||
                    (std::is_pointer_v<Parameter> && std::is_convertible_v<Argument, Parameter>),
                "an argument is not of the type of the entry's parameter");
  return argument;
}

}  // namespace detail

// A stream of a device; its operations happen in order.
class Stream {
 public:
  explicit Stream(Device& device) : device_(&device), handle_(device.open_stream()) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { device_->close_stream(handle_); }

  Device& device() const { return *device_; }
  template <class T>
  void copy_in(T* to, const T* pinned, i64 count) {
    if (count > 0) device_->copy_in(handle_, to, pinned, static_cast<std::size_t>(count) * sizeof(T));
  }
  template <class T>
  void copy_out(T* pinned, const T* from, i64 count) {
    if (count > 0) device_->copy_out(handle_, pinned, from, static_cast<std::size_t>(count) * sizeof(T));
  }
  void fill(i32* to, i32 word, i64 count) {
    if (count > 0) device_->fill(handle_, to, static_cast<u32>(word), static_cast<std::size_t>(count));
  }
  void wait() { device_->wait(handle_); }

  // Launches `function` with a thread an item; for no items it does nothing. See SITECAP_LAUNCH.
  template <auto function, class... Arguments>
  void launch_items(const char* name, i64 items, Arguments... arguments) {
    const auto threads = static_cast<i64>(device_->block_threads());
    if (items > 0)
      launch<function>(name, {static_cast<u32>((items + threads - 1) / threads), static_cast<u32>(threads)},
                       arguments...);
  }
  // Launches `function` in blocks that work together. See SITECAP_LAUNCH_BLOCKS.
  template <auto function, class... Arguments>
  void launch(const char* name, Shape shape, Arguments... arguments) {
    launch_converted<function>(name, shape, static_cast<decltype(function)>(nullptr), arguments...);
  }

 private:
  template <auto function, class... Parameters, class... Arguments>
  void launch_converted(const char* name, Shape shape, void (*)(Parameters...), Arguments... arguments) {
    static_assert(sizeof...(Parameters) == sizeof...(Arguments), "an entry has another number of parameters");
    std::tuple<Parameters...> values(detail::exactly<Parameters>(arguments)...);
    std::apply(
        [&](auto&... value) {
          void* const addresses[] = {&value...};
          device_->launch(handle_, detail::entry_of<function>(name), shape, addresses);
        },
        values);
  }

  Device* device_;
  void* handle_;
};

// The entry's own declaration gives name and types of what is launched, so that host and device cannot
// differ. SITECAP_LAUNCH takes a thread an item, SITECAP_LAUNCH_BLOCKS a Shape.
#define SITECAP_LAUNCH(stream, entry, items, ...) \
  (stream).template launch_items<&entry>(#entry, items, __VA_ARGS__)
#define SITECAP_LAUNCH_BLOCKS(stream, entry, shape, ...) \
  (stream).template launch<&entry>(#entry, shape, __VA_ARGS__)

}  // namespace sitecap
