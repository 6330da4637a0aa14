// NumPy arrays to columns and back.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>

#include "host/columns.h"

namespace sitecap {

namespace nb = nanobind;
using AnyArray = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

inline Type type_of(const AnyArray& array, const std::string& name) {
  const nb::dlpack::dtype dtype = array.dtype();
  if (dtype == nb::dtype<i8>()) return Type::i8;
  if (dtype == nb::dtype<u8>()) return Type::u8;
  if (dtype == nb::dtype<i16>()) return Type::i16;
  if (dtype == nb::dtype<u16>()) return Type::u16;
  if (dtype == nb::dtype<i32>()) return Type::i32;
  if (dtype == nb::dtype<u32>()) return Type::u32;
  if (dtype == nb::dtype<float>()) return Type::f32;
  throw std::invalid_argument("column '" + name + "' is of a type that kernels do not read");
}

// Borrows the arrays; the columns keep them alive. The owner is released under the lock of the interpreter.
inline Columns columns_of(const nb::dict& arrays) {
  Columns columns;
  for (const auto& [key, value] : arrays) {
    const std::string name = nb::cast<std::string>(key);
    auto array = std::make_shared<AnyArray>(nb::cast<AnyArray>(value));
    columns.put(name, Column{type_of(*array, name), array->data(), static_cast<i64>(array->size()), array});
  }
  return columns;
}

template <class T>
nb::object array_of(const Column& column) {
  auto* owner = new std::shared_ptr<const void>(column.owner);
  const nb::capsule capsule(owner,
                            [](void* p) noexcept { delete static_cast<std::shared_ptr<const void>*>(p); });
  using Array = nb::ndarray<nb::numpy, const T, nb::ndim<1>>;
  return Array(static_cast<const T*>(column.data), {static_cast<std::size_t>(column.size)}, capsule).cast();
}

inline nb::dict arrays_of(const Columns& columns) {
  nb::dict arrays;
  for (const auto& [name, column] : columns.all()) {
    nb::object array;
    switch (column.type) {
      case Type::i8:
        array = array_of<i8>(column);
        break;
      case Type::u8:
        array = array_of<u8>(column);
        break;
      case Type::i16:
        array = array_of<i16>(column);
        break;
      case Type::u16:
        array = array_of<u16>(column);
        break;
      case Type::i32:
        array = array_of<i32>(column);
        break;
      case Type::u32:
        array = array_of<u32>(column);
        break;
      case Type::f32:
        array = array_of<float>(column);
        break;
    }
    arrays[name.c_str()] = array;
  }
  return arrays;
}

}  // namespace sitecap
