// The launch of mkfit.cu in the place of mkfit_fly: memory, seeds and hits are those of the product's kernel.
#include <vector>

#include "benchmarks/native_cuda/mkfit.cu"
#include "benchmarks/native_cuda/twins.h"
#include "kernels/mkfit/bare_device.h"

namespace sitecap::native {

namespace {

using namespace mkfit;

class Bare final : public BareOnDevice {
 public:
  Bare(const Events& events, const Settings& settings, Device& device, int slots)
      : BareOnDevice(events, settings, device, slots), cylinders_(bare_cylinders(settings)) {}

  void reconstruct(int slot) override {
    BareSlot& s = at(slot);
    const RawSeeds& r = s.event.seeds;
    const native_mkfit::Seeds seeds{r.x, r.y, r.z, r.inverse_pt, r.phi, r.theta, r.covariance, r.charge};
    const i32 count = s.event.seed_count;
    constexpr u32 threads = native_mkfit::threads;
    const Shape shape{(static_cast<u32>(count) + threads - 1) / threads, threads};
    if (count > 0)
      SITECAP_LAUNCH_BLOCKS(s.stream, native_fly, shape, seeds, count, cylinders_,
                            reinterpret_cast<const float4*>(s.points), s.covariance);
  }
  Columns results(int slot) const override {
    const BareFound& found = at(slot).found;
    Columns columns;
    columns.put("covariance",
                std::vector<float>(found.covariance, found.covariance + 21 * i64{found.seed_count}));
    return columns;
  }

 private:
  i32 cylinders_;
};

}  // namespace

std::unique_ptr<DevicePayload> open_mkfit(const Columns& columns, const Settings& settings, Device& device,
                                          int slots) {
  if (setting(settings, "bare_layers", 0) < 1)
    throw std::invalid_argument("the twin of mkfit is its Kalman step alone: set bare_layers");
  return std::make_unique<Bare>(Events(columns), settings, device, slots);
}

}  // namespace sitecap::native
