// What the CPU backend runs: one kernel on one set of events in one thread.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/columns.h"

namespace sitecap {

// Where the time of one event goes; a kernel calls lap("stage") at the end of each stage. Free if not asked
// for.
class StageClock {
 public:
  void start() { last_ = Clock::now(); }
  void lap(const char* stage) {
    const auto now = Clock::now();
    seconds_[stage] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_{};
  std::map<std::string, double> seconds_;
};

class Payload {
 public:
  virtual ~Payload() = default;
  virtual int events() const = 0;
  // Reconstructs one event; allocates nothing once it has seen the largest one. `clock` may be null.
  virtual void process(int event, StageClock* clock) = 0;
  // Copies of the result of the last event, by name.
  virtual Columns results() const = 0;
  // Of all numbers of the result of the last event: must cost little beside process().
  virtual u64 digest() const = 0;
  // Bytes that it holds beside the events.
  virtual std::size_t workspace_bytes() const = 0;
};

// Parameters of a kernel that its manifest sets; the others keep the kernel's own defaults.
using Settings = std::map<std::string, double>;

inline double setting(const Settings& settings, const std::string& name, double otherwise) {
  const auto found = settings.find(name);
  return found == settings.end() ? otherwise : found->second;
}

// How a kernel is opened: `lanes` is 1 or the width that this backend was compiled for (SITECAP_LANES_WIDE).
// Throws std::invalid_argument where events or settings are not what the kernel needs.
using Open = std::unique_ptr<Payload> (*)(const Columns& events, const Settings& settings, int lanes);

struct KernelEntry {
  const char* name;
  Open open;
};
// All kernels of this build, closed by {nullptr, nullptr}; made by CMake from the folders of kernels/.
extern const KernelEntry kernel_entries[];

}  // namespace sitecap
