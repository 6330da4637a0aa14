// The Kalman step for CUDA alone, by hand: the twin of mkfit_fly of payloads/kernels/mkfit, with its
// arithmetic and bits.
//
// Unlike there, covariances come in and go out through shared memory, neighbouring threads at neighbouring
// addresses (rows of 21 floats meet no bank twice), a point is two loads of 16 bytes, and the next one is
// asked for before the step that needs this one.
#ifndef __CUDACC__
#include "benchmarks/native_cuda/emulated_words.h"
#endif

namespace native_mkfit {

constexpr int threads = 128, covariances = 21;
static_assert(threads * covariances % 4 == 0, "a block's covariances are copied in quads");

// Seeds as they come; lengths in cm, 1/pT in 1/GeV, rad.
struct Seeds {
  const float *x, *y, *z, *inverse_pt, *phi, *theta, *covariance;
  const signed char* charge;
};

struct Track {
  float x, y, z, inverse_pt, phi, theta;
  float bend;  // curvature by 1/pT
  float sin_phi, cos_phi, sin_theta, cot_theta, curvature;
};
struct Hit {
  float4 place, plane;  // x, y, z, tt; tl, ll, ux, uy
};

// Cephes (S. L. Moshier, 1989), term for term as in payloads/include/sitecap/maths.h, for equal bits.
__device__ __forceinline__ void sine_cosine(float x, float& sine, float& cosine) {
  const float shift = 12582912.f, turns = (x * 0.63661977236758134f + shift) - shift;
  const float r =
      ((x - turns * 1.5703125f) - turns * 4.837512969970703125e-4f) - turns * 7.54978995489188216e-8f;
  const float r2 = r * r;
  const float s = r + r * r2 * (-1.6666654611e-1f + r2 * (8.3321608736e-3f - r2 * 1.9515295891e-4f));
  const float c =
      1.f - 0.5f * r2 +
      r2 * r2 * (4.166664568298827e-2f + r2 * (-1.388731625493765e-3f + r2 * 2.443315711809948e-5f));
  const int quadrant = static_cast<int>(turns);
  const bool swapped = (quadrant & 1) != 0;
  const unsigned sine_sign = static_cast<unsigned>(quadrant & 2) << 30,
                 cosine_sign = static_cast<unsigned>((quadrant + 1) & 2) << 30;
  sine = __int_as_float(__float_as_int(swapped ? c : s) ^ static_cast<int>(sine_sign));
  cosine = __int_as_float(__float_as_int(swapped ? s : c) ^ static_cast<int>(cosine_sign));
}
__device__ __forceinline__ void head(Track& t) {
  float cos_theta;
  sine_cosine(t.phi, t.sin_phi, t.cos_phi);
  sine_cosine(t.theta, t.sin_theta, cos_theta);
  t.cot_theta = cos_theta / t.sin_theta;
  t.curvature = t.bend * t.inverse_pt;
}

// To the cylinder through the hit: closed form, the covariance goes to a fixed length of path (helix.h there
// tells the method).
__device__ __forceinline__ void propagate(Track& t, float (&c)[covariances], const Hit& hit) {
  const float radius = hit.place.x * hit.plane.z + hit.place.y * hit.plane.w, radius2 = radius * radius;
  const float a = t.x * t.cos_phi + t.y * t.sin_phi, b = t.y * t.cos_phi - t.x * t.sin_phi;
  const float d = radius2 - (t.x * t.x + t.y * t.y);
  const float factor = 1.f + t.curvature * (b - 0.25f * d * t.curvature);
  const float root2 = a * a + factor * d;
  const float sum = a + sqrtf(root2 < 0.f ? 0.f : root2);
  const float u = d / (sum < 1e-6f ? 1e-6f : sum);
  // half-angle tangent and path
  const float half = 0.5f * u * t.curvature, z1 = half * half, z2 = z1 * z1;
  const float series = (0.33333041f - z1 * 0.19981703f) + z2 * (0.13925982f - z1 * 0.0822668f);
  const float path = u - (u * z1) * series;

  const float turn = path * t.curvature, turn2 = turn * turn;
  const float along = turn * (0.33327289f - turn2 * 0.03257922f);
  const float across = 0.5f - turn2 * (1.f / 8.f - turn2 * (1.f / 144.f));
  const float scale = path * path * t.bend;
  const float xi = -scale * (along * t.cos_phi + across * t.sin_phi);
  const float yi = scale * (across * t.cos_phi - along * t.sin_phi);
  const float shrink = 1.f / (1.f + half * half);
  const float chord_x = (t.cos_phi - half * t.sin_phi) * shrink;
  const float chord_y = (t.sin_phi + half * t.cos_phi) * shrink;
  const float yp = u * chord_x, xp = -(u * chord_y);
  t.x = t.x + yp;
  t.y = t.y + u * chord_y;
  t.z = t.z + path * t.cot_theta;
  t.phi = t.phi + path * t.curvature;
  t.cos_phi = (chord_x - t.cos_phi) + chord_x;
  t.sin_phi = (chord_y - t.sin_phi) + chord_y;
  const float zt = -path * (1.f + t.cot_theta * t.cot_theta), pi = path * t.bend;

  const float x3 = c[6] + xi * c[9] + xp * c[13], x4 = c[10] + xi * c[13] + xp * c[14];
  const float x5 = c[15] + xi * c[18] + xp * c[19];
  const float y3 = c[7] + yi * c[9] + yp * c[13], y4 = c[11] + yi * c[13] + yp * c[14];
  const float y5 = c[16] + yi * c[18] + yp * c[19];
  const float z3 = c[8] + zt * c[18], z4 = c[12] + zt * c[19], z5 = c[17] + zt * c[20];
  c[0] = c[0] + xi * (c[6] + x3) + xp * (c[10] + x4);
  c[1] = c[1] + (xi * c[7] + xp * c[11]) + (yi * x3 + yp * x4);
  c[2] = c[2] + yi * (c[7] + y3) + yp * (c[11] + y4);
  c[3] = c[3] + (xi * c[8] + xp * c[12]) + zt * x5;
  c[4] = c[4] + (yi * c[8] + yp * c[12]) + zt * y5;
  c[5] = c[5] + zt * (c[17] + z5);
  const float p3 = c[13] + pi * c[9];
  c[14] = c[14] + pi * (c[13] + p3);
  c[13] = p3;
  c[19] = c[19] + pi * c[18];
  c[10] = x4 + pi * x3;
  c[11] = y4 + pi * y3;
  c[12] = z4 + pi * z3;
  c[6] = x3;
  c[7] = y3;
  c[8] = z3;
  c[15] = x5;
  c[16] = y5;
  c[17] = z5;
}

// The heading after these steps of the angles: turned where they are small.
__device__ __forceinline__ void turn_by(Track& t, float phi, float theta) {
  const float p2 = phi * phi, t2 = theta * theta;
  const float sin_p = phi - phi * (p2 * (1.f / 6.f)), cos_p = 1.f - p2 * (0.5f - p2 * (1.f / 24.f));
  const float tan_t = theta + theta * (t2 * (1.f / 3.f + t2 * (2.f / 15.f)));
  const float cos_t = 1.f - t2 * (0.5f - t2 * (1.f / 24.f));
  const float stretch = 1.f + t.cot_theta * tan_t;
  if (!(p2 < 0.01f && t2 < 0.01f)) {
    head(t);
    return;
  }
  const float sine = t.sin_phi * cos_p + t.cos_phi * sin_p;
  t.cos_phi = t.cos_phi * cos_p - t.sin_phi * sin_p;
  t.sin_phi = sine;
  t.sin_theta = t.sin_theta * (cos_t * stretch);
  t.cot_theta = (t.cot_theta - tan_t) / stretch;
  t.curvature = t.bend * t.inverse_pt;
}

__device__ __forceinline__ void update(Track& t, float (&c)[covariances], const Hit& hit) {
  const float ux = hit.plane.z, uy = hit.plane.w;
  const float inverse_normal = 1.f / (ux * t.cos_phi + uy * t.sin_phi), slope = -t.cot_theta * inverse_normal;
  const float tx = -t.sin_phi * inverse_normal, ty = t.cos_phi * inverse_normal;
  const float lx = ux * slope, ly = uy * slope;
  // covariance of each parameter with the two measured coordinates: columns x, y and z of the rows
  constexpr int column[6][3] = {{0, 1, 3}, {1, 2, 4}, {3, 4, 5}, {6, 7, 8}, {10, 11, 12}, {15, 16, 17}};
  float along_t[6], along_l[6];
#pragma unroll
  for (int i = 0; i < 6; ++i) {
    const float cx = c[column[i][0]], cy = c[column[i][1]], cz = c[column[i][2]];
    along_t[i] = tx * cx + ty * cy;
    along_l[i] = lx * cx + ly * cy + cz;
  }
  const float dx = hit.place.x - t.x, dy = hit.place.y - t.y, dz = hit.place.z - t.z;
  const float residual_t = ux * dy - uy * dx;
  const float tt = tx * along_t[0] + ty * along_t[1] + hit.place.w;
  const float tl = tx * along_l[0] + ty * along_l[1] + hit.plane.x;
  const float ll = lx * along_l[0] + ly * along_l[1] + along_l[2] + hit.plane.y;
  const float determinant = tt * ll - tl * tl;
  const float inverse = 1.f / (tt * determinant);
  const float weight_t = determinant * inverse, weight_l = tt * (tt * inverse), mix = tl * weight_t;
  const float residual_l = dz - mix * residual_t;
  float step[6];
  int at = 0;
#pragma unroll
  for (int i = 0; i < 6; ++i) {
    along_l[i] = along_l[i] - mix * along_t[i];
    const float gain_t = along_t[i] * weight_t, gain_l = along_l[i] * weight_l;
    step[i] = gain_t * residual_t + gain_l * residual_l;
#pragma unroll
    for (int j = 0; j <= i; ++j, ++at) c[at] = c[at] - (gain_t * along_t[j] + gain_l * along_l[j]);
  }
  t.x = t.x + step[0];
  t.y = t.y + step[1];
  t.z = t.z + step[2];
  const float inverse_pt = t.inverse_pt + step[3];
  t.inverse_pt = inverse_pt < 1e-4f ? 1e-4f : inverse_pt;
  t.phi = t.phi + step[4];
  t.theta = t.theta + step[5];
  turn_by(t, step[4], step[5]);
}

// Floats between memory, neighbouring threads side by side, and shared memory; both are aligned to 16 bytes.
__device__ __forceinline__ void copy(float4* __restrict__ to, const float4* __restrict__ from, int floats) {
  for (int k = static_cast<int>(threadIdx.x); k < floats / 4; k += threads) to[k] = from[k];
  const int k = floats / 4 * 4 + static_cast<int>(threadIdx.x);
  if (k < floats) reinterpret_cast<float*>(to)[k] = reinterpret_cast<const float*>(from)[k];
}

}  // namespace native_mkfit

extern "C" {

// Seeds fly outwards through equal cylinders and meet a hit in each. hits: of each seed, cylinder by
// cylinder; covariance: 21 of each seed after the last.
__global__ void __launch_bounds__(native_mkfit::threads)
    native_fly(native_mkfit::Seeds seeds, int count, int cylinders, const float4* __restrict__ hits,
               float* __restrict__ covariance) {
  using namespace native_mkfit;
  __shared__ float4 staged[threads * covariances / 4];
  const int first = static_cast<int>(blockIdx.x) * threads, rank = static_cast<int>(threadIdx.x);
  const int i = first + rank, floats = (count - first < threads ? count - first : threads) * covariances;
  copy(staged,
       reinterpret_cast<const float4*>(seeds.covariance + static_cast<long long>(first) * covariances),
       floats);
  __syncthreads();
  float* own = reinterpret_cast<float*>(staged) + rank * covariances;
  if (i < count) {
    native_mkfit::Track t;  // our kernel, before this text in NVRTC's hands, has one too
    t.x = __ldg(seeds.x + i);
    t.y = __ldg(seeds.y + i);
    t.z = __ldg(seeds.z + i);
    t.inverse_pt = __ldg(seeds.inverse_pt + i);
    t.phi = __ldg(seeds.phi + i);
    t.theta = __ldg(seeds.theta + i);
    t.bend = -0.0113923923f * static_cast<float>(__ldg(seeds.charge + i));  // c * 3.8 T in GeV per cm
    head(t);
    float c[covariances];
#pragma unroll
    for (int k = 0; k < covariances; ++k) c[k] = own[k];
    const float4* __restrict__ at = hits + 2 * i;
    Hit next{__ldg(at), __ldg(at + 1)};
    for (int cylinder = 0; cylinder < cylinders; ++cylinder) {
      const Hit hit = next;
      at += cylinder + 1 < cylinders ? 2 * count : 0;
      next = Hit{__ldg(at), __ldg(at + 1)};
      propagate(t, c, hit);
      update(t, c, hit);
    }
#pragma unroll
    for (int k = 0; k < covariances; ++k) own[k] = c[k];
  }
  __syncthreads();
  copy(reinterpret_cast<float4*>(covariance + static_cast<long long>(first) * covariances), staged, floats);
}

}  // extern "C"
