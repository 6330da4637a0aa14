// What kernels on a device share: slots with a stream and memory each, events that come in as one copy.
#pragma once
#include <algorithm>

#include "host/device_payload.h"
#include "host/found.h"

namespace sitecap {

// A copy on the device of what all events read; waits for it.
template <class T>
T* upload(Device& device, DeviceMemory& memory, const T* values, i64 count) {
  PinnedMemory pinned(device);
  T* staged = pinned.take<T>(count);
  std::copy_n(values, count, staged);
  T* array = memory.take<T>(count);
  Stream stream(device);
  stream.copy_in(array, staged, count);
  stream.wait();
  return array;
}

// Columns side by side in one block of memory: calls work(view, entries, byte within the block) for each that
// columns.each_column names, and returns the bytes of all.
template <class Views, class Work>
i64 each_packed(Views& columns, const Work& work) {
  constexpr i64 alignment = 16;
  i64 at = 0;
  columns.each_column([&](const char*, auto& view, i64 count) {
    work(view, count, at);
    at += (count * static_cast<i64>(sizeof *view) + alignment - 1) / alignment * alignment;
  });
  return at;
}
template <class Views>
i64 packed_bytes(Views columns) {
  return each_packed(columns, [](auto&, i64, i64) {});
}

// A set of events in pinned memory, the columns of each in one block. An Event is views of its columns, with
// each_column as in found.h.
template <class Event>
class PackedEvents {
 public:
  explicit PackedEvents(Device& device) : pinned_(device) {}

  void add(Event event) {
    const i64 bytes = packed_bytes(event);
    u8* const block = pinned_.take<u8>(bytes);
    each_packed(event, [block](auto& view, i64 count, i64 at) {
      const auto* from = reinterpret_cast<const u8*>(view);
      std::copy_n(from, count * static_cast<i64>(sizeof *view), block + at);
    });
    most_bytes_ = std::max(most_bytes_, bytes);
    events_.push_back({event, block, bytes});
  }

  int count() const { return static_cast<int>(events_.size()); }
  i64 most_bytes() const { return most_bytes_; }

  // Has an event copied to the device; returns its views there.
  Event bring(int number, Stream& stream, u8* to) const {
    const Packed& packed = events_[static_cast<std::size_t>(number)];
    stream.copy_in(to, packed.block, packed.bytes);
    Event event = packed.event;
    each_packed(event, [to](auto& view, i64, i64 at) {
      view = reinterpret_cast<std::remove_reference_t<decltype(view)>>(to + at);
    });
    return event;
  }

 private:
  struct Packed {
    Event event;  // for its counts: what its views saw may be gone
    const u8* block;
    i64 bytes;
  };
  PinnedMemory pinned_;
  std::vector<Packed> events_;
  i64 most_bytes_ = 0;
};

// An event in flight: a stream, memory on the device and on the host, views of the event on the device and of
// what was found on the host.
template <class EventViews, class FoundViews>
struct SlotOf {
  using Event = EventViews;
  using Found = FoundViews;
  SlotOf(Device& device, i64 most_bytes)
      : memory(device), pinned(device), stream(device), input(memory.take<u8>(most_bytes)) {}

  // Has the columns of `on_device` copied one behind the other to `output`, pinned memory.
  void bring_back(const Found& on_device, u8* output) {
    found = on_device;
    each_packed(found, [this, output](auto& view, i64 count, i64 at) {
      auto* to =
          reinterpret_cast<std::remove_const_t<std::remove_reference_t<decltype(*view)>>*>(output + at);
      stream.copy_out(to, view, count);
      view = to;
    });
  }

  DeviceMemory memory;
  PinnedMemory pinned;
  Stream stream;
  u8* input;
  Event event{};
  Found found{};
};

// A kernel fills events_ and slots_ when it is opened, and reconstructs and fetches.
template <class Slot>
class SlottedPayload : public DevicePayload {
 public:
  explicit SlottedPayload(Device& device) : shared_(device), events_(device) {}

  int events() const override { return events_.count(); }
  int slots() const override { return static_cast<int>(slots_.size()); }
  std::size_t slot_bytes() const override { return slots_.front()->memory.bytes(); }
  void bring(int slot, int event) override {
    Slot& s = at(slot);
    s.event = events_.bring(event, s.stream, s.input);
  }
  void wait(int slot) override { at(slot).stream.wait(); }
  Columns results(int slot) const override { return columns_of(at(slot).found); }
  u64 digest(int slot) const override { return digest_of(at(slot).found); }

 protected:
  Slot& at(int slot) const { return *slots_[static_cast<std::size_t>(slot)]; }

  DeviceMemory shared_;  // what all events read
  PackedEvents<typename Slot::Event> events_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace sitecap
