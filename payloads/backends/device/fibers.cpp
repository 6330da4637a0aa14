// A fortified longjmp refuses to go from stack to stack.
#undef _FORTIFY_SOURCE
#include "backends/device/fibers.h"

#include <sys/mman.h>

#include <new>
#include <string>

#include "sitecap/emulated_grid.h"

namespace sitecap::emulated {

thread_local Index thread_index, block_index, block_size, grid_size;

namespace {
constexpr std::size_t stack_bytes = 256 * 1024;
thread_local Fibers* current = nullptr;
}  // namespace

// One stack. It runs threads of the block one after another until one has to wait.
struct Fibers::Fiber {
  Fiber() {
    stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (stack == MAP_FAILED) throw std::bad_alloc();
  }
  ~Fiber() { munmap(stack, stack_bytes); }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void* stack;
  ucontext_t start;    // where it begins
  std::jmp_buf waits;  // where it goes on
  bool waiting = false;
  u32 thread = 0;
};

Fibers::Fibers() = default;
Fibers::~Fibers() = default;

void Fibers::run_block(const Entry& entry, void* const* arguments, Shape shape, u32 block,
                       const std::vector<u32>& order) {
  Fibers* const outer = current;
  current = this;
  block_size = {shape.threads, 1, 1};
  grid_size = {shape.blocks, 1, 1};
  block_index = {block, 0, 0};
  entry_ = &entry;
  arguments_ = arguments;
  order_ = &order;
  started_ = ended_ = 0;
  while (started_ < order.size()) {
    Fiber& fiber = idle_fiber();
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack;
    fiber.start.uc_stack.ss_size = stack_bytes;
    makecontext(&fiber.start, &Fibers::start_fiber, 0);
    resume(fiber);
  }
  while (!waiting_.empty() && ended_ == 0) {
    const std::vector<Fiber*> at_barrier = std::move(waiting_);
    waiting_.clear();
    for (Fiber* fiber : at_barrier) resume(*fiber);
  }
  current = outer;
  if (waiting_.empty()) return;
  // Their stacks hold nothing that has to be destroyed.
  for (Fiber* fiber : waiting_) fiber->waiting = false;
  idle_.insert(idle_.end(), waiting_.begin(), waiting_.end());
  const std::size_t waited = waiting_.size();
  waiting_.clear();
  throw DeviceError(std::string(entry.name) + ": " + std::to_string(waited) + " threads of block " +
                    std::to_string(block) + " wait at a barrier that " + std::to_string(ended_) +
                    " will never reach");
}

Fibers::Fiber& Fibers::idle_fiber() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>());
    idle_.push_back(fibers_.back().get());
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  return fiber;
}

void Fibers::resume(Fiber& fiber) {
  running_ = &fiber;
  thread_index = {fiber.thread, 0, 0};
  if (_setjmp(scheduler_) != 0) return;
  if (!fiber.waiting) setcontext(&fiber.start);
  fiber.waiting = false;
  _longjmp(fiber.waits, 1);
}

void Fibers::start_fiber() {
  current->run_threads();
  _longjmp(current->scheduler_, 1);
}

void Fibers::run_threads() {
  Fiber& own = *running_;
  while (started_ < order_->size()) {
    own.thread = (*order_)[started_++];
    thread_index = {own.thread, 0, 0};
    entry_->call(arguments_);
    ++ended_;
  }
  idle_.push_back(&own);
}

void synchronise() {
  Fibers& fibers = *current;
  Fibers::Fiber& own = *fibers.running_;
  fibers.waiting_.push_back(&own);
  own.waiting = true;
  if (_setjmp(own.waits) == 0) _longjmp(fibers.scheduler_, 1);
}

}  // namespace sitecap::emulated
