// Memory of a workspace: taken once, given back as a whole. Host only.
#pragma once
#include <memory>
#include <new>
#include <vector>

#include "sitecap/platform.h"

namespace sitecap {

// Uninitialised memory: pages that no event touches cost nothing.
class Pool {
 public:
  template <class T>
  T* take(i64 count) {
    const i64 bytes = ((count + padding) * static_cast<i64>(sizeof(T)) + 63) / 64 * 64;
    blocks_.emplace_back(new (std::align_val_t{64}) unsigned char[bytes]);
    bytes_ += bytes;
    return reinterpret_cast<T*>(blocks_.back().get());
  }
  i64 bytes() const { return bytes_; }
  static constexpr i64 padding = 16;  // the last vector may reach so far beyond the end

 private:
  struct Free {
    void operator()(unsigned char* block) const { ::operator delete[](block, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<unsigned char, Free>> blocks_;
  i64 bytes_ = 0;
};

}  // namespace sitecap
