#include "simulation/calorimeters/channels.h"

namespace sitecap::simulation::calorimeters {

namespace {

// Steps across the edges, then across the corners: along eta (or x), along phi (or y).
constexpr int steps[8][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};

int turned(int sector, int sectors) {
  return (sector + sectors) % sectors;
}

int crystal_beside(int crystal, int along, int across) {
  if (ecal::region_of(crystal) == ecal::barrel) {
    const int ring = crystal / ecal::sectors + along;
    if (ring < 0 || ring >= ecal::rings) return -1;
    return ring * ecal::sectors + turned(crystal % ecal::sectors + across, ecal::sectors);
  }
  const int grid = ecal::side_cells * ecal::side_cells;
  const int cell = (crystal - ecal::barrel_crystals) % grid;
  const int column = cell % ecal::side_cells + along, row = cell / ecal::side_cells + across;
  if (column < 0 || column >= ecal::side_cells || row < 0 || row >= ecal::side_cells) return -1;
  return crystal - cell + row * ecal::side_cells + column;
}

// Same detector and depth. Where 72 sectors meet 36, a wide cell has three of the narrow ones beside it.
int tower_beside(const Towers& towers, int number, int along, int across) {
  Cell cell = towers[number];
  const int sectors = sectors_of(cell.ring);
  // along eta, not absolute eta; there is no ring 0 between the sides
  int signed_ring = (cell.side == 0 ? -1 - cell.ring : cell.ring) + along;
  cell.side = signed_ring < 0 ? 0 : 1;
  cell.ring = signed_ring < 0 ? -1 - signed_ring : signed_ring;
  if (cell.ring >= rings) return -1;
  const int there = sectors_of(cell.ring);
  if (there == sectors)
    cell.sector = turned(cell.sector + across, there);
  else if (there < sectors)
    cell.sector = turned(cell.sector / 2 + across, there);
  else
    cell.sector = turned(2 * cell.sector + across, there);
  return towers.find(cell);
}

}  // namespace

void put_channels(Columns& columns, const Towers& towers) {
  const auto count = static_cast<std::size_t>(ecal::crystals + towers.count());
  std::vector<float> x(count), y(count), z(count), eta(count), phi(count);
  std::vector<u8> layer(count);
  std::vector<i32> neighbours(8 * count, -1);
  for (std::size_t i = 0; i < count; ++i) {
    const int channel = static_cast<int>(i), tower = channel - ecal::crystals;
    const Vector p = tower < 0 ? ecal::centre_of(channel) : towers.centre(tower);
    x[i] = static_cast<float>(p.x);
    y[i] = static_cast<float>(p.y);
    z[i] = static_cast<float>(p.z);
    eta[i] = static_cast<float>(ecal::eta_of(p));
    phi[i] = static_cast<float>(precise::arc_tangent(p.y, p.x));
    const bool crystal_of_barrel = tower < 0 && ecal::region_of(channel) == ecal::barrel;
    layer[i] = static_cast<u8>(tower < 0 ? (crystal_of_barrel ? 0 : 1) : layer_of(towers[tower]));
    for (std::size_t k = 0; k < 8; ++k) {
      const int beside = tower < 0 ? crystal_beside(channel, steps[k][0], steps[k][1])
                                   : tower_beside(towers, tower, steps[k][0], steps[k][1]);
      if (beside >= 0) neighbours[8 * i + k] = tower < 0 ? beside : ecal::crystals + beside;
    }
  }
  columns.put("channel_x", std::move(x));
  columns.put("channel_y", std::move(y));
  columns.put("channel_z", std::move(z));
  columns.put("channel_eta", std::move(eta));
  columns.put("channel_phi", std::move(phi));
  columns.put("channel_layer", std::move(layer));
  columns.put("channel_neighbours", std::move(neighbours));
}

}  // namespace sitecap::simulation::calorimeters
