#include "simulation/electron/hits.h"

#include "sitecap/order.h"

namespace sitecap::simulation::electron {

namespace {

// Crossings that leave no trace, as in section `pixel`.
constexpr double lost_first_layer = 0.025, lost_others = 0.01;
// Resolution along local x and y, near what kernel pixeltrack finds of clusters (its manifest, hit_x_um and
// hit_y_um), and the distance within which two crossings make one cluster: two pixels.
constexpr double sigma_x_cm = 0.0012, sigma_y_cm = 0.0022;
constexpr double joined_x_cm = 2.0 * pixel::pitch_x_cm, joined_y_cm = 2.0 * pixel::pitch_y_cm;

}  // namespace

void add_hits(const std::vector<pixel::Crossing>& crossings, Random& random, Hits& hits) {
  const auto& modules = pixel::modules();
  const i32 bins = static_cast<i32>(modules.size()), count = static_cast<i32>(crossings.size());
  std::vector<i32> module, offset(modules.size() + 1), cursor(modules.size()), order(crossings.size());
  for (const pixel::Crossing& crossing : crossings) module.push_back(crossing.module);
  counting_sort(module.data(), count, bins, offset.data(), cursor.data(), order.data());
  std::vector<const pixel::Crossing*> kept;
  for (i32 m = 0; m < bins; ++m) {
    const pixel::Module& frame = modules[static_cast<std::size_t>(m)];
    kept.clear();
    for (i32 k = offset[static_cast<std::size_t>(m)]; k < offset[static_cast<std::size_t>(m + 1)]; ++k) {
      const pixel::Crossing& crossing =
          crossings[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
      bool joined = random.uniform() < (frame.layer == 0 ? lost_first_layer : lost_others);
      for (const pixel::Crossing* other : kept)
        joined = joined || (precise::absolute(other->x_cm - crossing.x_cm) < joined_x_cm &&
                            precise::absolute(other->y_cm - crossing.y_cm) < joined_y_cm);
      if (joined) continue;
      kept.push_back(&crossing);
      const double x = crossing.x_cm + sigma_x_cm * random.normal();
      const double y = crossing.y_cm + sigma_y_cm * random.normal();
      const Vector at = frame.centre + x * frame.x + y * frame.y;
      hits.x.push_back(static_cast<float>(at.x));
      hits.y.push_back(static_cast<float>(at.y));
      hits.z.push_back(static_cast<float>(at.z));
      hits.layer.push_back(static_cast<u8>(frame.layer));
      hits.particle.push_back(crossing.particle);
    }
  }
  hits.offset.push_back(static_cast<i32>(hits.x.size()));
}

}  // namespace sitecap::simulation::electron
