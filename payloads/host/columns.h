// Named flat arrays: events on their way into a kernel, results on their way out. Host only.
//
// Events come as sets: a group "digi" of an event set has columns digi_module, digi_row, ... and digi_offset
// of n_events + 1 entries, so that event i owns [offset[i], offset[i + 1]).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sitecap/digest.h"
#include "sitecap/platform.h"

namespace sitecap {

enum class Type { i8, u8, i16, u16, i32, u32, f32 };

template <class T>
struct TypeOf;
#define SITECAP_TYPE(T, NAME)                 \
  template <>                                 \
  struct TypeOf<T> {                          \
    static constexpr Type value = Type::NAME; \
  };
SITECAP_TYPE(i8, i8)
SITECAP_TYPE(u8, u8)
SITECAP_TYPE(i16, i16)
SITECAP_TYPE(u16, u16)
SITECAP_TYPE(i32, i32)
SITECAP_TYPE(u32, u32)
SITECAP_TYPE(float, f32)
#undef SITECAP_TYPE

inline const char* name_of(Type type) {
  static const char* const names[] = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "float32"};
  return names[static_cast<int>(type)];
}

// One array; keeps what it lies in alive.
struct Column {
  Type type = Type::i32;
  const void* data = nullptr;
  i64 size = 0;
  std::shared_ptr<const void> owner;
};

class Columns {
 public:
  // Takes a vector over.
  template <class T>
  void put(const std::string& name, std::vector<T> values) {
    auto owner = std::make_shared<std::vector<T>>(std::move(values));
    Column column{TypeOf<T>::value, owner->data(), static_cast<i64>(owner->size()), owner};
    columns_[name] = std::move(column);
  }
  void put(const std::string& name, Column column) { columns_[name] = std::move(column); }

  // The array of that name. Throws std::invalid_argument, with a sentence, if it is absent or of another
  // type.
  template <class T>
  Span<const T> get(const std::string& name) const {
    const auto found = columns_.find(name);
    if (found == columns_.end())
      throw std::invalid_argument("the events have no column '" + name + "': make the event set again");
    if (found->second.type != TypeOf<T>::value)
      throw std::invalid_argument("column '" + name + "' holds " + name_of(found->second.type) + ", not " +
                                  name_of(TypeOf<T>::value) + ": make the event set again");
    return {static_cast<const T*>(found->second.data), found->second.size};
  }
  // As get, and as long as the last entry of `offset`.
  template <class T>
  Span<const T> get(const std::string& name, Span<const i32> offset) const {
    const Span<const T> column = get<T>(name);
    if (column.size != offset[offset.size - 1])
      throw std::invalid_argument("column '" + name + "' has " + std::to_string(column.size) +
                                  " entries, its offsets say " + std::to_string(offset[offset.size - 1]) +
                                  ": make the event set again");
    return column;
  }
  // The offsets of a group, checked: they start at 0 and never fall.
  Span<const i32> offsets(const std::string& group) const {
    const Span<const i32> offset = get<i32>(group + "_offset");
    bool good = offset.size > 1 && offset[0] == 0;
    for (i64 i = 1; good && i < offset.size; ++i) good = offset[i] >= offset[i - 1];
    if (!good)
      throw std::invalid_argument("the offsets of '" + group +
                                  "' do not rise from 0: make the event set again");
    return offset;
  }
  bool has(const std::string& name) const { return columns_.count(name) != 0; }
  const std::map<std::string, Column>& all() const { return columns_; }

  // Of all names and contents.
  u64 digest() const;

 private:
  std::map<std::string, Column> columns_;
};

inline u64 Columns::digest() const {
  Digest digest;
  for (const auto& [name, column] : columns_) {
    digest.add(reinterpret_cast<const u8*>(name.data()), static_cast<i64>(name.size()));
    switch (column.type) {
      case Type::i8:
      case Type::u8:
        digest.add(static_cast<const u8*>(column.data), column.size);
        break;
      case Type::i16:
      case Type::u16:
        digest.add(static_cast<const u16*>(column.data), column.size);
        break;
      case Type::i32:
      case Type::u32:
      case Type::f32:
        digest.add(static_cast<const u32*>(column.data), column.size);
        break;
    }
  }
  return digest.value();
}

}  // namespace sitecap
