// Arrays that live as long as the arena, each from the start of a cache line. Host only.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "sitecap/platform.h"

namespace sitecap {

class Arena {
 public:
  template <class T>
  T* make(i64 count) {
    const std::size_t words = (static_cast<std::size_t>(std::max<i64>(count, 1)) * sizeof(T) + 63) / 64 * 8;
    pieces_.emplace_back(words + 8);
    bytes_ += (words + 8) * 8;
    const auto address = reinterpret_cast<std::uintptr_t>(pieces_.back().data());
    return reinterpret_cast<T*>((address + 63) / 64 * 64);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::vector<u64>> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace sitecap
