#include "kernels/clue/layout.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace sitecap::clue {

namespace {

constexpr int sheet_count = 512;       // 256 planes
constexpr i32 most_tiles = 1 << 23;    // of all sheets
constexpr double points_a_tile = 0.5;  // aimed at where a sheet is sparse; a tile is at least 2 x 1 deltac
constexpr float most_units = 8192.f;   // of a coordinate: its rounding must stay below the margin of a search
constexpr i32 least_rows = 8;          // of a periodic sheet: a search must not meet a row twice

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("clue: " + what);
}

float bounded(const Settings& settings, const char* name, double otherwise, double low, double high) {
  const double value = setting(settings, name, otherwise);
  if (!(value >= low && value <= high))
    refuse("setting '" + std::string(name) + "' is not within " + std::to_string(low) + " and " +
           std::to_string(high) + ": correct the manifest");
  return static_cast<float>(value);
}

}  // namespace

Parameters parameters_of(const Settings& s) {
  static const std::set<std::string> known = {
      "deltac_cm",      "deltac_scintillator", "threshold_sigma",  "kappa",          "critical_gev",
      "outlier_factor", "units_per_gev",       "log_weight_floor", "position_cm2",   "link",
      "layers",         "sibling_layers",      "least_cells",      "least_clusters", "density_cm2",
      "density_factor", "critical_3d_gev",     "critical_share",   "critical_cm",    "outlier_factor_3d"};
  for (const auto& [name, value] : s)
    if (known.count(name) == 0) refuse("there is no setting '" + name + "': correct the manifest");
  Parameters p{};
  p.deltac_cm = bounded(s, "deltac_cm", 1.3, 1e-4, 1e4);
  p.deltac_scintillator = bounded(s, "deltac_scintillator", 0.0315, 1e-3, 0.25);
  p.layer.threshold_sigma = bounded(s, "threshold_sigma", 3.0, 0.0, 1e6);
  p.layer.kappa = bounded(s, "kappa", 9.0, 0.0, 1e6);
  p.layer.critical_gev = bounded(s, "critical_gev", 0.0, 0.0, 1e4);
  p.layer.outlier_factor = bounded(s, "outlier_factor", 2.0, 1.0, 8.0);
  p.layer.units_per_gev = bounded(s, "units_per_gev", 1e5, 1.0, 1e7);
  p.layer.log_weight_floor = bounded(s, "log_weight_floor", 2.9, 0.0, 100.0);
  p.layer.position_cm2 = bounded(s, "position_cm2", 1.69, 0.0, 1e8);
  p.link = bounded(s, "link", 1.0, 0.0, 1.0) > 0.5f;
  p.trackster.layers = static_cast<i32>(bounded(s, "layers", 47.0, 1.0, 128.0));
  p.trackster.sibling_layers = static_cast<i32>(bounded(s, "sibling_layers", 3.0, 1.0, 64.0));
  p.trackster.least_cells = static_cast<i32>(bounded(s, "least_cells", 2.0, 1.0, 1e6));
  p.trackster.least_clusters = static_cast<i32>(bounded(s, "least_clusters", 2.0, 1.0, 1e6));
  p.trackster.density_cm2 = bounded(s, "density_cm2", 3.24, 0.0, 1e4);
  p.trackster.density_factor = bounded(s, "density_factor", 0.2, 0.0, 10.0);
  p.trackster.critical_gev = bounded(s, "critical_3d_gev", 0.6, 0.0, 1e4);
  p.trackster.critical_share = bounded(s, "critical_share", 0.15, 0.0, 1.0);
  p.trackster.critical_cm = bounded(s, "critical_cm", 1.8, 0.0, 1e4);
  p.trackster.outlier_factor = bounded(s, "outlier_factor_3d", 2.0, 1.0, 100.0);
  return p;
}

Cells cells_of(const Events& events, int event) {
  const i32 first = events.offset[event];
  const Cells& all = events.cells;
  return {all.x_cm + first,       all.y_cm + first,
          all.z_cm + first,       all.eta + first,
          all.phi + first,        all.energy_gev + first,
          all.sigma_gev + first,  all.plane + first,
          all.is_silicon + first, events.offset[event + 1] - first};
}

Events events_of(const Columns& columns, const Parameters& p) {
  Events events;
  events.offset = columns.offsets("rechit");
  const Span<const i32> offset = events.offset;
  events.count = static_cast<int>(offset.size - 1);
  Cells& c = events.cells;
  c.x_cm = columns.get<float>("rechit_x", offset).data;
  c.y_cm = columns.get<float>("rechit_y", offset).data;
  c.z_cm = columns.get<float>("rechit_z", offset).data;
  c.eta = columns.get<float>("rechit_eta", offset).data;
  c.phi = columns.get<float>("rechit_phi", offset).data;
  c.energy_gev = columns.get<float>("rechit_energy", offset).data;
  c.sigma_gev = columns.get<float>("rechit_sigma_noise", offset).data;
  c.plane = columns.get<u8>("rechit_layer", offset).data;
  c.is_silicon = columns.get<u8>("rechit_is_silicon", offset).data;
  c.count = 0;
  const auto within = [](float value, double low, double high) { return value >= low && value <= high; };
  for (int event = 0; event < events.count; ++event) {
    c.count = std::max(c.count, offset[event + 1] - offset[event]);
    std::vector<double> units(256, 0.0);  // energy by plane
    for (i32 i = offset[event]; i < offset[event + 1]; ++i) {
      const bool good = within(c.x_cm[i], -1e4, 1e4) && within(c.y_cm[i], -1e4, 1e4) &&
                        within(c.z_cm[i], -1e4, 1e4) && within(c.eta[i], -10, 10) &&
                        within(c.phi[i], -3.1416, 3.1416) && within(c.energy_gev[i], 1e-9, 1e6) &&
                        within(c.sigma_gev[i], 0, 1e3) && c.is_silicon[i] <= 1;
      if (!good)
        refuse("rechit " + std::to_string(i - offset[event]) + " of event " + std::to_string(event) +
               " has a position, energy or noise out of range: make the event set again");
      if (p.link && (c.plane[i] >= 2 * p.trackster.layers || c.z_cm[i] == 0.f))
        refuse("rechit " + std::to_string(i - offset[event]) + " of event " + std::to_string(event) +
               " lies on a layer that no endcap has: make the event set again, or set link to 0");
      units[c.plane[i]] +=
          static_cast<double>(c.energy_gev[i]) * static_cast<double>(p.layer.units_per_gev) + 1.0;
      if (static_cast<double>(p.layer.kappa) * static_cast<double>(c.sigma_gev[i]) *
              static_cast<double>(p.layer.units_per_gev) >
          1e9)
        refuse("the noise is too large for units_per_gev: lower that setting");
    }
    // densities are sums of at most twice a plane's energy, in 31 bits
    if (*std::max_element(units.begin(), units.end()) > 1e9)
      refuse("event " + std::to_string(event) +
             " has a plane with too much energy for units_per_gev: lower that setting");
  }
  if (static_cast<double>(p.layer.critical_gev) * static_cast<double>(p.layer.units_per_gev) > 1e9)
    refuse("critical_gev is too large for units_per_gev: lower that setting");
  return events;
}

Layout lay_out(const Events& events, const Parameters& p) {
  struct Extent {
    float low_u = 1e30f, high_u = -1e30f, low_v = 1e30f, high_v = -1e30f;
    i32 most = 0;  // cells in one event
  };
  std::vector<Extent> extents(sheet_count);
  for (int event = 0; event < events.count; ++event) {
    std::vector<i32> cells(sheet_count, 0);
    const Cells c = cells_of(events, event);
    for (i32 i = 0; i < c.count; ++i) {
      const bool silicon = c.is_silicon[i] != 0;
      const auto s = static_cast<std::size_t>(sheet_number(c.plane[i], silicon));
      Extent& e = extents[s];
      const float to_units = 1.f / (silicon ? p.deltac_cm : p.deltac_scintillator);
      const float u = (silicon ? c.x_cm[i] : absolute(c.eta[i])) * to_units;
      const float v = (silicon ? c.y_cm[i] : c.phi[i]) * to_units;
      e.low_u = std::min(e.low_u, u);
      e.high_u = std::max(e.high_u, u);
      e.low_v = std::min(e.low_v, v);
      e.high_v = std::max(e.high_v, v);
      e.most = std::max(e.most, ++cells[s]);
      if (absolute(u) > most_units || absolute(v) > most_units)
        refuse("deltac is too small for these positions: raise that setting");
    }
  }
  Layout layout;
  for (double coarser = 1.0;; coarser *= 2.0) {
    layout.sheets.assign(sheet_count, Sheet{});
    double tiles = 0.0;
    for (int s = 0; s < sheet_count; ++s) {
      const Extent& e = extents[static_cast<std::size_t>(s)];
      Sheet& sheet = layout.sheets[static_cast<std::size_t>(s)];
      const bool silicon = (s & 1) != 0;
      sheet.to_units = 1.f / (silicon ? p.deltac_cm : p.deltac_scintillator);
      sheet.first_tile = static_cast<i32>(std::min(tiles, 1e9));
      sheet.rows = sheet.tiles = 1;
      if (e.most == 0) continue;
      sheet.period = silicon ? 0.f : 2.f * pi * sheet.to_units;
      sheet.low_u = e.low_u;
      sheet.low_v = silicon ? e.low_v : -pi * sheet.to_units;
      const double length_u = static_cast<double>(e.high_u) - static_cast<double>(e.low_u) + 0.01;
      const double length_v = silicon ? static_cast<double>(e.high_v) - static_cast<double>(e.low_v) + 0.01
                                      : static_cast<double>(sheet.period);
      const double scale =
          coarser * std::max(1.0, std::sqrt(points_a_tile * length_u * length_v / (2.0 * e.most)));
      sheet.rows = std::max(static_cast<i32>(std::min(length_v / scale, 1e6)), silicon ? 1 : least_rows);
      sheet.tiles = std::max(static_cast<i32>(std::min(length_u / (2.0 * scale), 1e6)), 1);
      sheet.per_v = static_cast<float>(sheet.rows / length_v);
      sheet.per_u = static_cast<float>(sheet.tiles / length_u);
      tiles += static_cast<double>(sheet.rows) * sheet.tiles;
    }
    layout.tiles = static_cast<i32>(std::min(tiles, 2e9));
    if (layout.tiles <= most_tiles) return layout;
  }
}

}  // namespace sitecap::clue
