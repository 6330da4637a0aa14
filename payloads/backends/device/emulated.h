// A device that is this CPU: runs the very text of gpu.cu behind the same launches as a GPU, for tests and
// for machines without one. Slow, and meant to be unkind.
//
// Work given to a stream is done when somebody waits; threads, blocks and streams take turns in an order that
// a seed shuffles; memory starts as what nobody would expect, and has guards around it.
#pragma once
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <random>

#include "backends/device/fibers.h"

namespace sitecap {

struct EmulationOptions {
  u32 block_threads = 64;
  // 0: threads and blocks in rising order; 1: in falling order; else shuffled by this number.
  u64 order = 0;
  u64 memory_bytes = ~0ull;
  u8 poison = 0xA5;  // what fresh memory holds
};

class Emulated : public Device {
 public:
  // Throws std::invalid_argument where a block cannot have that many threads.
  explicit Emulated(const EmulationOptions& options);
  ~Emulated() override;

  const std::string& name() const override { return name_; }
  u32 block_threads() const override { return options_.block_threads; }
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
  // Also throws DeviceError where something has written beside an array.
  void wait(void* stream) override;
  u64 allocations() const override;
  // Bytes of its memory that are given out, pinned memory apart.
  u64 held_bytes() const;
  // Sizes of the parameters, in bytes, of every entry that was launched.
  std::map<std::string, std::vector<std::size_t>> launched() const;

 private:
  using Queue = std::deque<std::function<void()>>;
  struct Block;
  void* take(std::size_t bytes, bool pinned);
  void give_back(void* memory) noexcept;
  void give(void* stream, std::function<void()> work);
  void note(const Entry& entry);
  void run(const Entry& entry, Shape shape, const std::vector<std::vector<u64>>& values);
  Queue& next_queue(Queue& waited_for);
  std::vector<u32> in_order(u32 count);
  void check_guards() const;

  EmulationOptions options_;
  std::string name_ = "emulated device";
  mutable std::mutex mutex_;  // one host thread runs or queues at a time
  std::mt19937_64 random_;
  std::list<Queue> streams_;
  std::map<void*, std::unique_ptr<Block>> blocks_;
  std::map<std::string, std::vector<std::size_t>> launched_;
  u64 held_bytes_ = 0, allocations_ = 0;
  bool damaged_ = false;
};

}  // namespace sitecap
