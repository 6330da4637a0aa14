// What a kernel tells of an event, wherever it ran: views of its columns. Host only.
//
// found.each_column(visit) calls visit(name, view, entries) for each column, in the order in which they count
// for the digest; visit may turn the view elsewhere.
#pragma once
#include <vector>

#include "host/columns.h"

namespace sitecap {

template <class Found>
Columns columns_of(Found found) {
  Columns columns;
  found.each_column([&columns](const char* name, const auto* view, i64 count) {
    columns.put(name, std::vector<std::decay_t<decltype(*view)>>(view, view + count));
  });
  return columns;
}

template <class Found>
u64 digest_of(Found found) {
  Digest digest;
  found.each_column([&digest](const char*, const auto* view, i64 count) { digest.add(view, count); });
  return digest.value();
}

}  // namespace sitecap
