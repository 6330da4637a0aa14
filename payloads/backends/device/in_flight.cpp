#include "backends/device/in_flight.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace sitecap {

namespace {

// One thread's share: events `index`, `index + threads` … of the run in the slots of the same numbers.
class Share {
 public:
  Share(DevicePayload& payload, int index, int threads) : payload_(payload) {
    for (int slot = index; slot < payload.slots(); slot += threads) slots_.push_back(slot);
    holds_.assign(slots_.size(), -1);
  }

  // Calls done(slot, event) for each event in order, once its result is on the host.
  template <class Done>
  void run(const std::vector<int>& events, const Done& done) {
    for (std::size_t k = 0; k < events.size(); ++k) {
      const std::size_t place = k % slots_.size();
      finish(place, done);
      payload_.bring(slots_[place], events[k]);
      payload_.reconstruct(slots_[place]);
      holds_[place] = events[k];
    }
    for (std::size_t k = events.size(); k < events.size() + slots_.size(); ++k)
      finish(k % slots_.size(), done);
  }

  void bring(const std::vector<int>& events) {
    for (std::size_t place = 0; place < slots_.size(); ++place) {
      payload_.bring(slots_[place], events[place % events.size()]);
      payload_.wait(slots_[place]);
    }
  }
  void repeat(std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      const int slot = slots_[k % slots_.size()];
      if (k >= slots_.size()) payload_.wait(slot);
      payload_.reconstruct(slot);
    }
    for (const int slot : slots_) payload_.wait(slot);
  }

 private:
  template <class Done>
  void finish(std::size_t place, const Done& done) {
    if (holds_[place] < 0) return;
    payload_.fetch(slots_[place]);
    done(slots_[place], holds_[place]);
    holds_[place] = -1;
  }

  DevicePayload& payload_;
  std::vector<int> slots_, holds_;
};

// Runs work(index) in as many threads; rethrows the first error.
template <class Work>
void in_threads(int threads, const Work& work) {
  std::exception_ptr error;
  std::mutex mutex;
  const auto guarded = [&](int index) {
    try {
      work(index);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int index = 1; index < threads; ++index) others.emplace_back(guarded, index);
  guarded(0);
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace

Timed run_in_flight(DevicePayload& payload, int first, int count, int threads, bool transfers) {
  threads = std::clamp(threads, 1, std::min(payload.slots(), std::max(count, 1)));
  std::vector<Share> shares;
  std::vector<std::vector<int>> events(static_cast<std::size_t>(threads));
  for (int index = 0; index < threads; ++index) shares.emplace_back(payload, index, threads);
  for (int k = 0; k < count; ++k)
    events[static_cast<std::size_t>(k % threads)].push_back((first + k) % payload.events());
  if (!transfers)
    for (int index = 0; index < threads; ++index)
      shares[static_cast<std::size_t>(index)].bring(events[static_cast<std::size_t>(index)]);
  std::vector<int> last(static_cast<std::size_t>(payload.slots()), -1);
  const auto start = std::chrono::steady_clock::now();
  in_threads(threads, [&](int index) {
    const auto i = static_cast<std::size_t>(index);
    if (transfers)
      shares[i].run(events[i], [&](int slot, int event) { last[static_cast<std::size_t>(slot)] = event; });
    else
      shares[i].repeat(events[i].size());
  });
  Timed timed{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), {}};
  for (int slot = 0; slot < payload.slots(); ++slot)
    if (const int event = last[static_cast<std::size_t>(slot)]; event >= 0)
      timed.last.emplace_back(event, payload.digest(slot));
  return timed;
}

u64 digest_in_flight(DevicePayload& payload, int first, int count) {
  std::vector<int> events;
  for (int k = 0; k < count; ++k) events.push_back((first + k) % payload.events());
  Digest digests;
  Share(payload, 0, 1).run(events, [&](int slot, int) {
    const u64 one = payload.digest(slot);
    digests.add_word(static_cast<u32>(one));
    digests.add_word(static_cast<u32>(one >> 32));
  });
  return digests.value();
}

}  // namespace sitecap
