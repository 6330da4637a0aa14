// A 64-bit digest of arrays, to say whether two machines computed the same bits. Not a cryptographic one.
//
// Four-byte words (two-byte ones are widened) go through the finalising mix of MurmurHash3 (A. Appleby,
// public domain); a float counts by its bits, -0 apart from 0.
#pragma once
#include "sitecap/platform.h"

namespace sitecap {

class Digest {
 public:
  void add_word(u32 word) {
    u64 h = state_ ^ (word + 0x9E3779B97F4A7C15ull + (state_ << 6) + (state_ >> 2));
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdull;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ull;
    h ^= h >> 33;
    state_ = h;
  }
  template <class T>
  void add(const T* values, i64 count) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 2 || sizeof(T) == 1, "words of at most four bytes");
    add_word(static_cast<u32>(count));
    for (i64 i = 0; i < count; ++i) {
      u32 word = 0;
      if constexpr (sizeof(T) == 4)
        __builtin_memcpy(&word, values + i, 4);
      else
        word = static_cast<u32>(values[i]);
      add_word(word);
    }
  }
  u64 value() const { return state_; }

 private:
  u64 state_ = 0x5ca1ab1e0ddba11ull;
};

}  // namespace sitecap
