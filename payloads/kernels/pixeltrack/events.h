// Events as they come in, checked once. Host only.
#pragma once
#include <string>

#include "kernels/pixeltrack/clustering.h"
#include "kernels/pixeltrack/detectors.h"
#include "kernels/pixeltrack/views.h"

namespace sitecap::pixeltrack {

struct Events {
  Detector detector;
  Columns columns;  // keeps the arrays alive
  Span<const i32> offset;
  Span<const u16> module, row, column, adc;
  std::vector<float> frame, matter;
  std::vector<i32> layer, region;
  i32 modules = 0;
  i32 most_digis = 0;
  int count() const { return static_cast<int>(offset.size) - 1; }
};

inline void read_frames(const Columns& columns, Events& events) {
  const Topology& t = events.detector.topology;
  const auto layer = columns.get<u8>("module_layer");
  events.modules = static_cast<i32>(layer.size);
  if (layer.size < 1 || layer.size > 65535)
    throw std::invalid_argument("column 'module_layer' has " + std::to_string(layer.size) +
                                " modules, not 1 to 65535: make the event set again");
  const char* const names[] = {"module_x",         "module_y",         "module_z",        "module_rotation",
                               "module_lorentz_x", "module_lorentz_y", "module_thickness"};
  const int widths[] = {1, 1, 1, 9, 1, 1, 1};
  events.frame.assign(layer.size * frame_size, 0.f);
  for (int c = 0, at = 0; c < 7; at += widths[c++]) {
    const auto values = columns.get<float>(names[c]);
    if (values.size != layer.size * widths[c])
      throw std::invalid_argument(std::string("column '") + names[c] + "' has " +
                                  std::to_string(values.size) + " entries for " + std::to_string(layer.size) +
                                  " modules: make the event set again");
    for (i64 i = 0; i < values.size; ++i) {
      if (!(values[i] > -1e4f && values[i] < 1e4f))
        throw std::invalid_argument(std::string("column '") + names[c] +
                                    "' holds a number that is no place in a "
                                    "detector (entry " +
                                    std::to_string(i) + "): make the event set again");
      events.frame[i / widths[c] * frame_size + at + i % widths[c]] = values[i];
    }
  }
  for (i64 m = 0; m < layer.size; ++m) {
    if (layer[m] >= t.layers)
      throw std::invalid_argument("module " + std::to_string(m) + " is in layer " + std::to_string(layer[m]) +
                                  ", this detector has " + std::to_string(t.layers) +
                                  ": set 'phase' to what the events were made for");
    events.layer.push_back(layer[m]);
    events.region.push_back(layer[m] == 0 ? 0 : t.layer[layer[m]].barrel ? 1 : 2);
    events.matter.push_back(t.layer[layer[m]].radiation_lengths);
  }
}

// Charges are summed in 32 bits, cluster by cluster: no module may hold more than fits, for one cluster may
// be all of it.
inline void check_charges(const Events& events, int event) {
  constexpr i64 most_electrons = 2147483647;
  i64 electrons = 0;
  for (i32 i = events.offset[event], begin = i; i < events.offset[event + 1]; ++i) {
    const i32 module = events.module[i];
    if (module != events.module[begin]) {
      begin = i;
      electrons = 0;
    }
    electrons += electrons_of(events.detector.topology, events.adc[i], events.layer[module] == 0);
    if (electrons > most_electrons)
      throw std::invalid_argument("column 'digi_adc' gives module " + std::to_string(module) + " of event " +
                                  std::to_string(event) + " more than " + std::to_string(most_electrons) +
                                  " electrons (digis " + std::to_string(begin) + " to " + std::to_string(i) +
                                  "), which no sensor holds: make the event set again");
  }
}

// Throws std::invalid_argument where an index would lead out of an array, or a sum out of its type.
inline Events read_events(const Columns& columns, const Settings& settings) {
  Events events;
  events.detector = detector(settings);
  events.columns = columns;
  read_frames(columns, events);
  events.offset = columns.offsets("digi");
  events.module = columns.get<u16>("digi_module", events.offset);
  events.row = columns.get<u16>("digi_row", events.offset);
  events.column = columns.get<u16>("digi_column", events.offset);
  events.adc = columns.get<u16>("digi_adc", events.offset);
  for (int e = 0; e < events.count(); ++e) {
    const i32 begin = events.offset[e], end = events.offset[e + 1];
    events.most_digis = std::max(events.most_digis, end - begin);
    for (i32 i = begin; i < end; ++i) {
      const char* wrong = events.module[i] >= events.modules                     ? "module"
                          : events.row[i] >= events.detector.rows                ? "row"
                          : events.column[i] >= events.detector.columns          ? "column"
                          : i > begin && events.module[i] < events.module[i - 1] ? "order"
                                                                                 : nullptr;
      if (wrong != nullptr)
        throw std::invalid_argument(
            "digi " + std::to_string(i) + " (module " + std::to_string(events.module[i]) + ", row " +
            std::to_string(events.row[i]) + ", column " + std::to_string(events.column[i]) +
            ") is out of range or order in its " + wrong + ": make the event set again");
    }
    check_charges(events, e);
  }
  return events;
}

inline Digis digis_of(const Events& events, int event) {
  const i32 begin = events.offset[event];
  return {events.module.data + begin, events.row.data + begin, events.column.data + begin,
          events.adc.data + begin, events.offset[event + 1] - begin};
}

// Views of what all events read.
inline Frames frames_of(const Events& events) {
  return {events.frame.data(), events.layer.data(), events.matter.data(), events.region.data(),
          events.modules};
}
inline Matrix matrix_of(const Detector& d) {
  return {d.rows, d.columns, d.pitch_x_cm, d.pitch_y_cm, d.row_edges.data(), d.column_edges.data()};
}

}  // namespace sitecap::pixeltrack
