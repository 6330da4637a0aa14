#include "backends/device/emulated.h"

#include <algorithm>
#include <cstring>

#include "sitecap/grid.h"

namespace sitecap {

namespace {
constexpr std::size_t guard_bytes = 256;
constexpr u8 guard = 0xC7;
}  // namespace

// Memory with guards before and after what is given out.
struct Emulated::Block {
  std::vector<u8> bytes;
  bool pinned;

  bool whole() const {
    const auto good = [](u8 byte) { return byte == guard; };
    return std::all_of(bytes.begin(), bytes.begin() + guard_bytes, good) &&
           std::all_of(bytes.end() - guard_bytes, bytes.end(), good);
  }
};

Emulated::Emulated(const EmulationOptions& options) : options_(options), random_(options.order) {
  if (options.block_threads < 1 || options.block_threads > static_cast<u32>(most_block_threads))
    throw std::invalid_argument("a block has 1 to " + std::to_string(most_block_threads) + " threads, not " +
                                std::to_string(options.block_threads));
}
Emulated::~Emulated() = default;

void* Emulated::allocate(std::size_t bytes) {
  return take(bytes, false);
}
void* Emulated::allocate_pinned(std::size_t bytes) {
  return take(bytes, true);
}
void Emulated::release(void* memory) noexcept {
  give_back(memory);
}
void Emulated::release_pinned(void* memory) noexcept {
  give_back(memory);
}

void* Emulated::take(std::size_t bytes, bool pinned) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!pinned && (bytes > options_.memory_bytes || held_bytes_ > options_.memory_bytes - bytes))
    throw OutOfDeviceMemory(name_ + " has no room for " + std::to_string(bytes) + " more bytes beside " +
                            std::to_string(held_bytes_));
  auto block =
      std::make_unique<Block>(Block{std::vector<u8>(bytes + 2 * guard_bytes, options_.poison), pinned});
  std::fill_n(block->bytes.begin(), guard_bytes, guard);
  std::fill_n(block->bytes.end() - guard_bytes, guard_bytes, guard);
  void* memory = block->bytes.data() + guard_bytes;
  blocks_.emplace(memory, std::move(block));
  ++allocations_;
  if (!pinned) held_bytes_ += bytes;
  return memory;
}

void Emulated::give_back(void* memory) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = blocks_.find(memory);
  if (!found->second->pinned) held_bytes_ -= found->second->bytes.size() - 2 * guard_bytes;
  damaged_ = damaged_ || !found->second->whole();
  blocks_.erase(found);
}

void* Emulated::open_stream() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return &streams_.emplace_back();
}

void Emulated::close_stream(void* stream) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  streams_.remove_if([stream](const Queue& queue) { return &queue == stream; });
}

void Emulated::give(void* stream, std::function<void()> work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  static_cast<Queue*>(stream)->push_back(std::move(work));
}

void Emulated::copy_in(void* stream, void* to, const void* from, std::size_t bytes) {
  give(stream, [=] { std::memcpy(to, from, bytes); });
}
void Emulated::copy_out(void* stream, void* to, const void* from, std::size_t bytes) {
  give(stream, [=] { std::memcpy(to, from, bytes); });
}
void Emulated::fill(void* stream, void* to, u32 word, std::size_t words) {
  give(stream, [=] { std::fill_n(static_cast<u32*>(to), words, word); });
}

void Emulated::launch(void* stream, const Entry& entry, Shape shape, void* const* arguments) {
  if (shape.blocks < 1 || shape.threads < 1 || shape.threads > static_cast<u32>(most_block_threads))
    throw DeviceError(name_ + " cannot launch " + entry.name + " in " + std::to_string(shape.blocks) +
                      " blocks of " + std::to_string(shape.threads) + " threads");
  std::vector<std::vector<u64>> values;
  for (int k = 0; k < entry.parameters; ++k) {
    values.emplace_back((entry.sizes[k] + 7) / 8);
    std::memcpy(values.back().data(), arguments[k], entry.sizes[k]);
  }
  note(entry);
  give(stream, [this, entry, shape, values = std::move(values)] { run(entry, shape, values); });
}

void Emulated::note(const Entry& entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  launched_.try_emplace(entry.name, entry.sizes, entry.sizes + entry.parameters);
}

void Emulated::run(const Entry& entry, Shape shape, const std::vector<std::vector<u64>>& values) {
  thread_local emulated::Fibers fibers;
  std::vector<void*> arguments;
  for (const auto& value : values) arguments.push_back(const_cast<u64*>(value.data()));
  const std::vector<u32> threads = in_order(shape.threads);
  for (const u32 block : in_order(shape.blocks))
    fibers.run_block(entry, arguments.data(), shape, block, threads);
}

std::vector<u32> Emulated::in_order(u32 count) {
  std::vector<u32> order(count);
  for (u32 k = 0; k < count; ++k) order[k] = options_.order == 1 ? count - 1 - k : k;
  if (options_.order > 1) std::shuffle(order.begin(), order.end(), random_);
  return order;
}

// With shuffled orders streams overtake each other, as they do on a GPU.
Emulated::Queue& Emulated::next_queue(Queue& waited_for) {
  if (options_.order < 2) return waited_for;
  std::vector<Queue*> busy;
  for (Queue& queue : streams_)
    if (!queue.empty()) busy.push_back(&queue);
  return *busy[random_() % busy.size()];
}

void Emulated::wait(void* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Queue& waited_for = *static_cast<Queue*>(stream);
  while (!waited_for.empty()) {
    Queue& queue = next_queue(waited_for);
    const auto work = std::move(queue.front());
    queue.pop_front();
    work();
  }
  check_guards();
}

void Emulated::check_guards() const {
  const bool whole =
      std::all_of(blocks_.begin(), blocks_.end(), [](const auto& one) { return one.second->whole(); });
  if (damaged_ || !whole) throw DeviceError(name_ + ": something has written beside an array");
}

std::map<std::string, std::vector<std::size_t>> Emulated::launched() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return launched_;
}

u64 Emulated::held_bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return held_bytes_;
}

u64 Emulated::allocations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return allocations_;
}

}  // namespace sitecap
