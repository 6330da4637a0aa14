// Layer clustering for CUDA alone, by hand: the twin of payloads/kernels/clue, with its arithmetic and bits.
//
// Unlike there, a neighbour is one load of 16 bytes, places within a tile are left as threads come to them
// (nothing depends on them), the search for a denser point decides at once, scans take two launches and warp
// shuffles, and members of a cluster are gathered in a row with their logarithms. 14 launches, not 24.
#ifndef __CUDACC__
#include "benchmarks/native_cuda/emulated_words.h"
#endif

namespace native_clue {

constexpr int threads = 128;
constexpr int scan_threads = 256, scan_items = 8, scan_tile = scan_threads * scan_items;

// The cells of an event as they come.
struct Cells {
  const float *x, *y, *z, *eta, *phi, *energy, *sigma;
  const unsigned char *plane, *silicon;
  int count;
};
struct Parameters {
  float threshold, kappa, critical_gev, outlier_factor, units_per_gev, log_floor, position_cm2;
};
struct Clusters {
  float *x, *y, *z, *eta, *phi, *energy;
  int *cells, *plane, *seed;
};

// A sheet in three loads; host: pack().
struct Sheet {
  float to_units, low_u, low_v, per_u, per_v, period;
  int rows, tiles, first_tile;
};
__device__ __forceinline__ Sheet load_sheet(const float4* __restrict__ sheets, int number) {
  const float4 a = __ldg(sheets + 3 * number), b = __ldg(sheets + 3 * number + 1),
               c = __ldg(sheets + 3 * number + 2);
  return {a.x, a.y, a.z, a.w, b.x, b.y, __float_as_int(b.z), __float_as_int(b.w), __float_as_int(c.x)};
}

__device__ __forceinline__ int bounded(int value, int low, int high) {
  return value < low ? low : (high < value ? high : value);
}
__device__ __forceinline__ int tile_of(const Sheet& s, float u) {
  return bounded(static_cast<int>((u - s.low_u) * s.per_u), 0, s.tiles - 1);
}
__device__ __forceinline__ int row_of(const Sheet& s, float v) {
  const int row = static_cast<int>((v - s.low_v) * s.per_v + static_cast<float>(s.rows)) - s.rows;
  return s.period > 0.f ? row : bounded(row, 0, s.rows - 1);
}
__device__ __forceinline__ int own_item() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

// Calls visit(j, shift) for the points of all tiles that a square of half-width `reach` around (u, v) meets.
template <class Visit>
__device__ __forceinline__ void each_near(const Sheet& s, const int* __restrict__ tile_offset, float u,
                                          float v, float reach, const Visit& visit) {
  const float margin = reach + 1e-3f;
  const int first = tile_of(s, u - margin), last = tile_of(s, u + margin), end = row_of(s, v + margin);
  for (int row = row_of(s, v - margin); row <= end; ++row) {
    int on_sheet = row;
    float shift = 0.f;
    if (row < 0) {
      on_sheet += s.rows;
      shift = -s.period;
    } else if (row >= s.rows) {
      on_sheet -= s.rows;
      shift = s.period;
    }
    const int* __restrict__ offset = tile_offset + s.first_tile + on_sheet * s.tiles;
    const int to = __ldg(offset + last + 1);
#pragma unroll 4
    for (int j = __ldg(offset + first); j < to; ++j) visit(j, shift);
  }
}

// Sum over the threads of lower rank, and over the block; all threads of a block of scan_threads call it.
__device__ __forceinline__ int block_exclusive(int value, int& total) {
  __shared__ int of_warp[scan_threads / 32];
  const int lane = static_cast<int>(threadIdx.x) & 31, warp = static_cast<int>(threadIdx.x) >> 5;
  int inclusive = value;
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    const int below = __shfl_up_sync(0xffffffffu, inclusive, step);
    if (lane >= step) inclusive += below;
  }
  if (lane == 31) of_warp[warp] = inclusive;
  __syncthreads();
  int before = 0;
  total = 0;
#pragma unroll
  for (int w = 0; w < scan_threads / 32; ++w) {
    before += w < warp ? of_warp[w] : 0;
    total += of_warp[w];
  }
  __syncthreads();
  return before + inclusive - value;
}

// A thread's eight neighbouring counts: two loads but at the end.
__device__ __forceinline__ void load_counts(const int* __restrict__ counts, int first, int n, int (&c)[8]) {
  if (first + scan_items <= n) {
    const int4 a = *reinterpret_cast<const int4*>(counts + first),
               b = *reinterpret_cast<const int4*>(counts + first + 4);
    c[0] = a.x, c[1] = a.y, c[2] = a.z, c[3] = a.w, c[4] = b.x, c[5] = b.y, c[6] = b.z, c[7] = b.w;
    return;
  }
#pragma unroll
  for (int k = 0; k < scan_items; ++k) c[k] = first + k < n ? counts[first + k] : 0;
}
__device__ __forceinline__ int sum_of(const int (&c)[8]) {
  return ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7]));
}

// Second half of a scan, after scan_sums: offset[i] = sum of the counts before i; with `list`, which items
// have a count of one is written to kept[] too. Each block adds up the sums before its own.
template <bool list>
__device__ __forceinline__ void scan(const int* __restrict__ counts, int n, const int* __restrict__ sums,
                                     int* __restrict__ offset, int* __restrict__ kept) {
  if (static_cast<int>(blockIdx.x) * scan_tile >= n) return;
  int share = 0, before = 0, of_block = 0;
  for (unsigned b = threadIdx.x; b < blockIdx.x; b += scan_threads) share += __ldg(sums + b);
  block_exclusive(share, before);
  int c[scan_items];
  const int first = own_item() * scan_items;
  load_counts(counts, first, n, c);
  int at = before + block_exclusive(sum_of(c), of_block);
  int out[scan_items];
#pragma unroll
  for (int k = 0; k < scan_items; ++k) {
    out[k] = at;
    if (list && c[k] != 0) kept[at] = first + k;
    at += c[k];
  }
  if (first + scan_items <= n) {
    *reinterpret_cast<int4*>(offset + first) = make_int4(out[0], out[1], out[2], out[3]);
    *reinterpret_cast<int4*>(offset + first + 4) = make_int4(out[4], out[5], out[6], out[7]);
    return;
  }
#pragma unroll
  for (int k = 0; k < scan_items; ++k)
    if (first + k < n) offset[first + k] = out[k];
}

// Cephes (S. L. Moshier, 1989), term for term as in payloads/include/sitecap/maths.h, for equal bits.
__device__ __forceinline__ float logarithm(float x) {
  const int bits = __float_as_int(x);
  const float mantissa = __int_as_float((bits & 0x007fffff) | 0x3f000000);
  const float exponent = static_cast<float>(((bits >> 23) & 0xff) - 126);
  const bool low = mantissa < 0.707106781186547524f;
  const float e = low ? exponent - 1.f : exponent, m = (low ? mantissa + mantissa : mantissa) - 1.f;
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = p * m * z;
  y = y - 2.12194440e-4f * e;
  y = y - 0.5f * z;
  return (m + y) + 0.693359375f * e;
}
__device__ __forceinline__ float arc_tangent(float y, float x) {
  const float ax = fabsf(x), ay = fabsf(y);
  const bool steep = ay > ax;
  const float small = steep ? ax : ay, large = steep ? ay : ax;
  const float ratio = small / (large > 0.f ? large : 1.f);
  const bool upper = ratio > 0.4142135623730950f;
  const float t = upper ? (ratio - 1.f) / (ratio + 1.f) : ratio, z = t * t;
  float p = 8.05374449538e-2f;
  p = p * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z - 3.33329491539e-1f;
  float angle = p * z * t + t;
  angle = upper ? angle + 0.78539816339744831f : angle;
  angle = steep ? 1.57079632679489662f - angle : angle;
  angle = x < 0.f ? 3.14159265358979f - angle : angle;
  return __int_as_float(__float_as_int(angle) ^ (__float_as_int(y) & static_cast<int>(0x80000000u)));
}

}  // namespace native_clue

extern "C" {

// Cell to coordinates, tile and its place there, in any order; clears what later entries count in.
__global__ void __launch_bounds__(native_clue::threads)
    native_place(native_clue::Cells cells, const float4* __restrict__ sheets, native_clue::Parameters p,
                 float4* __restrict__ placed, int2* __restrict__ tile, int* __restrict__ tile_count,
                 int* __restrict__ is_seed, int* __restrict__ cluster, int* __restrict__ size) {
  using namespace native_clue;
  const int i = own_item();
  if (i > cells.count) return;
  is_seed[i] = 0;
  size[i] = 0;
  if (i == cells.count) return;
  cluster[i] = -1;
  const float energy = __ldg(cells.energy + i), sigma = __ldg(cells.sigma + i);
  if (energy < p.threshold * sigma) {
    tile[i] = make_int2(-1, 0);
    return;
  }
  const bool silicon = __ldg(cells.silicon + i) != 0;
  const Sheet s = load_sheet(sheets, 2 * __ldg(cells.plane + i) + (silicon ? 1 : 0));
  const float u = (silicon ? __ldg(cells.x + i) : fabsf(__ldg(cells.eta + i))) * s.to_units;
  const float v = (silicon ? __ldg(cells.y + i) : __ldg(cells.phi + i)) * s.to_units;
  const float least = p.critical_gev > 0.f ? p.critical_gev : p.kappa * sigma;
  placed[i] = make_float4(u, v, __int_as_float(static_cast<int>(energy * p.units_per_gev + 0.5f)),
                          __int_as_float(static_cast<int>(2.f * least * p.units_per_gev + 0.5f)));
  const int t = s.first_tile + bounded(row_of(s, v), 0, s.rows - 1) * s.tiles + tile_of(s, u);
  tile[i] = make_int2(t, atomicAdd(tile_count + t, 1));
}

// First half of a scan. There are `n` counts or, where `written` is given, one more than it says.
__global__ void __launch_bounds__(native_clue::scan_threads)
    native_scan_sums(const int* __restrict__ counts, int n, const int* __restrict__ written,
                     int* __restrict__ sums) {
  using namespace native_clue;
  const int count = written != nullptr ? __ldg(written) + 1 : n;
  int c[scan_items], total = 0;
  load_counts(counts, own_item() * scan_items, count, c);
  block_exclusive(sum_of(c), total);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}
__global__ void __launch_bounds__(native_clue::scan_threads)
    native_scan(const int* __restrict__ counts, int n, const int* __restrict__ written,
                const int* __restrict__ sums, int* __restrict__ offset) {
  native_clue::scan<false>(counts, written != nullptr ? __ldg(written) + 1 : n, sums, offset, nullptr);
}
__global__ void __launch_bounds__(native_clue::scan_threads)
    native_number_seeds(const int* __restrict__ is_seed, int n, const int* __restrict__ sums,
                        int* __restrict__ number, int* __restrict__ seed) {
  native_clue::scan<true>(is_seed, n, sums, number, seed);
}

// points: u, v, weight, cell; about: least density of a seed, sheet.
__global__ void __launch_bounds__(native_clue::threads)
    native_scatter(native_clue::Cells cells, const float4* __restrict__ placed, const int2* __restrict__ tile,
                   const int* __restrict__ tile_offset, float4* __restrict__ points,
                   int2* __restrict__ about) {
  const int i = native_clue::own_item();
  if (i >= cells.count) return;
  const int2 own = tile[i];
  if (own.x < 0) return;
  const int k = __ldg(tile_offset + own.x) + own.y;
  const float4 p = placed[i];
  points[k] = make_float4(p.x, p.y, p.z, __int_as_float(i));
  about[k] =
      make_int2(__float_as_int(p.w), 2 * __ldg(cells.plane + i) + (__ldg(cells.silicon + i) != 0 ? 1 : 0));
}

// dense: u, v, density, cell.
__global__ void __launch_bounds__(native_clue::threads)
    native_density(const int* __restrict__ count, const float4* __restrict__ sheets,
                   const int* __restrict__ tile_offset, const float4* __restrict__ points,
                   const int2* __restrict__ about, float4* __restrict__ dense) {
  using namespace native_clue;
  const int k = own_item();
  if (k >= __ldg(count)) return;
  const float4 own = __ldg(points + k);
  int sum = __float_as_int(own.z);
  each_near(load_sheet(sheets, about[k].y), tile_offset, own.x, own.y, 1.f, [&](int j, float shift) {
    const float4 other = __ldg(points + j);
    const float du = other.x - own.x, dv = (other.y + shift) - own.y;
    if (du * du + dv * dv < 1.f) sum += __float_as_int(other.z);
  });
  dense[k] = make_float4(own.x, own.y, __int_as_float(sum), own.w);
}

// The nearest denser point, and whether this one is a seed, follows it, or is an outlier (-1).
__global__ void __launch_bounds__(native_clue::threads)
    native_follow(const int* __restrict__ count, const float4* __restrict__ sheets,
                  const int* __restrict__ tile_offset, const float4* __restrict__ dense,
                  const int2* __restrict__ about, float reach, int* __restrict__ follows,
                  int* __restrict__ is_seed) {
  using namespace native_clue;
  const int k = own_item();
  if (k >= __ldg(count)) return;
  const float4 own = __ldg(dense + k);
  const int2 self = about[k];
  const int own_density = __float_as_int(own.z), own_cell = __float_as_int(own.w);
  float best = reach * reach;
  int best_point = -1, best_density = -1, best_cell = -1;
  each_near(load_sheet(sheets, self.y), tile_offset, own.x, own.y, reach, [&](int j, float shift) {
    const float4 other = __ldg(dense + j);
    const float du = other.x - own.x, dv = (other.y + shift) - own.y, distance2 = du * du + dv * dv;
    const int density = __float_as_int(other.z), cell = __float_as_int(other.w);
    if (distance2 > best || density < own_density || (density == own_density && cell <= own_cell)) return;
    if (distance2 == best && (density < best_density || (density == best_density && cell <= best_cell)))
      return;
    best = distance2;
    best_point = j;
    best_density = density;
    best_cell = cell;
  });
  const bool seed = own_density >= self.x && (best_point < 0 || best > 1.f);
  follows[k] = seed ? k : best_point;
  if (seed) is_seed[own_cell] = 1;
}

// Cluster of each cell, and its place there, in any order.
__global__ void __launch_bounds__(native_clue::threads)
    native_label(const int* __restrict__ count, const int* __restrict__ follows,
                 const float4* __restrict__ dense, const int* __restrict__ number, int* __restrict__ cluster,
                 int* __restrict__ place, int* __restrict__ size) {
  const int k = native_clue::own_item();
  if (k >= __ldg(count)) return;
  int at = k;
  while (at >= 0) {
    const int next = __ldg(follows + at);
    if (next == at) break;
    at = next;
  }
  if (at < 0) return;
  const int cell = __float_as_int(__ldg(dense + k).w),
            c = __ldg(number + __float_as_int(__ldg(dense + at).w));
  cluster[cell] = c;
  place[cell] = atomicAdd(size + c, 1);
}

__global__ void __launch_bounds__(native_clue::threads)
    native_scatter_members(int cells, const int* __restrict__ cluster, const int* __restrict__ place,
                           const int* __restrict__ member_offset, int* __restrict__ unordered) {
  const int i = native_clue::own_item();
  if (i >= cells) return;
  const int c = cluster[i];
  if (c >= 0) unordered[__ldg(member_offset + c) + place[i]] = i;
}

// Members in the order of cells, in which their energies are added up: x, y, energy and its logarithm.
__global__ void __launch_bounds__(native_clue::threads)
    native_gather_members(native_clue::Cells cells, const int* __restrict__ clusters,
                          const int* __restrict__ cluster, const int* __restrict__ member_offset,
                          const int* __restrict__ unordered, float4* __restrict__ member,
                          int* __restrict__ member_cell) {
  const int m = native_clue::own_item();
  if (m >= __ldg(member_offset + __ldg(clusters))) return;
  const int cell = __ldg(unordered + m), c = __ldg(cluster + cell);
  const int from = __ldg(member_offset + c), to = __ldg(member_offset + c + 1);
  int rank = from;
  for (int other = from; other < to; ++other) rank += __ldg(unordered + other) < cell ? 1 : 0;
  const float energy = __ldg(cells.energy + cell);
  member[rank] =
      make_float4(__ldg(cells.x + cell), __ldg(cells.y + cell), energy, native_clue::logarithm(energy));
  member_cell[rank] = cell;
}

__global__ void __launch_bounds__(native_clue::threads)
    native_measure(native_clue::Cells cells, const int* __restrict__ count,
                   const int* __restrict__ member_offset, const float4* __restrict__ member,
                   const int* __restrict__ member_cell, native_clue::Parameters p,
                   native_clue::Clusters clusters) {
  using namespace native_clue;
  const int c = own_item();
  if (c >= __ldg(count)) return;
  const int from = __ldg(member_offset + c), to = __ldg(member_offset + c + 1);
  float4 hottest = __ldg(member + from);
  int hottest_at = from;
  float energy = 0.f;
  for (int m = from; m < to; ++m) {
    const float4 one = __ldg(member + m);
    energy += one.z;
    if (one.z > hottest.z) {
      hottest = one;
      hottest_at = m;
    }
  }
  const int hottest_cell = __ldg(member_cell + hottest_at);
  float x = 0.f, y = 0.f, sum = 0.f;
  if (to - from == 1) {
    x = hottest.x;
    y = hottest.y;
    sum = 1.f;
  } else if (__ldg(cells.silicon + hottest_cell) != 0) {
    const float floor = p.log_floor - logarithm(energy);
    for (int m = from; m < to; ++m) {
      const float4 one = __ldg(member + m);
      const float dx = one.x - hottest.x, dy = one.y - hottest.y;
      if (dx * dx + dy * dy > p.position_cm2) continue;
      const float logarithmic = floor + one.w, weight = logarithmic < 0.f ? 0.f : logarithmic;
      x += one.x * weight;
      y += one.y * weight;
      sum += weight;
    }
  } else {
    for (int m = from; m < to; ++m) {
      const float4 one = __ldg(member + m);
      x += one.x * one.z;
      y += one.y * one.z;
      sum += one.z;
    }
  }
  x = sum > 0.f ? x / sum : hottest.x;
  y = sum > 0.f ? y / sum : hottest.y;
  const float z = __ldg(cells.z + hottest_cell);
  const float across = sqrtf(x * x + y * y), r = across < 1e-3f ? 1e-3f : across;
  const float eta = logarithm((fabsf(z) + sqrtf(z * z + r * r)) / r);
  clusters.x[c] = x;
  clusters.y[c] = y;
  clusters.z[c] = z;
  clusters.eta[c] = z < 0.f ? -eta : eta;
  clusters.phi[c] = arc_tangent(y, x);
  clusters.energy[c] = energy;
  clusters.cells[c] = to - from;
  clusters.plane[c] = __ldg(cells.plane + hottest_cell);
}

}  // extern "C"
