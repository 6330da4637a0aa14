// Threads of a device's block on one thread of the host: each is a stack of its own only where it has to wait
// for the others.
//
// Stacks are begun by setcontext and changed by longjmp: swapcontext asks the system for the signal mask
// every time.
#pragma once
#include <ucontext.h>

#include <csetjmp>
#include <memory>
#include <vector>

#include "host/device.h"

namespace sitecap::emulated {

// Runs blocks; belongs to the host thread that made it.
class Fibers {
 public:
  Fibers();
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  // Runs an entry as block `block` of a launch; threads start in the order given, and go on in it after each
  // barrier. Throws DeviceError if some end while others wait for them.
  void run_block(const Entry& entry, void* const* arguments, Shape shape, u32 block,
                 const std::vector<u32>& order);

 private:
  struct Fiber;
  friend void synchronise();
  static void start_fiber();
  void run_threads();
  void resume(Fiber& fiber);
  Fiber& idle_fiber();

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_, waiting_;
  Fiber* running_ = nullptr;
  std::jmp_buf scheduler_;
  // of the block that runs
  const Entry* entry_ = nullptr;
  void* const* arguments_ = nullptr;
  const std::vector<u32>* order_ = nullptr;
  std::size_t started_ = 0, ended_ = 0;
};

}  // namespace sitecap::emulated
