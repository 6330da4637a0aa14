/* Layouts of NVML's public structures as the C compiler of this architecture lays them out.
 *
 * Members and types from nvml.h (CUDA 12, versions as pynvml names them). Read through ctypes and compared
 * with pynvml's own structures. */
#include <stddef.h>

typedef unsigned int u32;
typedef unsigned long long u64;

typedef struct { u64 total, free, used; } nvmlMemory_t;
typedef struct { u32 version; u64 total, reserved, free, used; } nvmlMemory_v2_t;
typedef struct { u32 gpu, memory; } nvmlUtilization_t;
typedef struct {
    char busIdLegacy[16];
    u32 domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;
typedef struct {
    u32 multiprocessorCount, sharedCopyEngineCount, sharedDecoderCount, sharedEncoderCount, sharedJpegCount,
        sharedOfaCount, gpuInstanceSliceCount, computeInstanceSliceCount;
    u64 memorySizeMB;
} nvmlDeviceAttributes_t;
typedef struct { u32 pid; u64 usedGpuMemory; u32 gpuInstanceId, computeInstanceId; } nvmlProcessInfo_t;
typedef struct { u64 l1Cache, l2Cache, deviceMemory, registerFile; } nvmlEccErrorCounts_t;

/* Passed and given back by value: ctypes has to know in which registers. */
nvmlMemory_t doubled(nvmlMemory_t memory)
{
    memory.total *= 2;
    memory.free *= 2;
    memory.used *= 2;
    return memory;
}

nvmlUtilization_t swapped(nvmlUtilization_t rates)
{
    nvmlUtilization_t other = {rates.memory, rates.gpu};
    return other;
}

/* A call back into Python, with arguments of three sizes. */
double called_back(double (*function)(char, u64, double), u64 bytes) { return function('n', bytes, 0.5) + 1.0; }

struct row {
    const char *structure, *member;
    size_t offset_bytes, size_bytes, structure_bytes;
};

#define ROW(s, m) {#s, #m, offsetof(s, m), sizeof(((s *)0)->m), sizeof(s)}

static const struct row table[] = {
    ROW(nvmlMemory_t, total), ROW(nvmlMemory_t, free), ROW(nvmlMemory_t, used),
    ROW(nvmlMemory_v2_t, version), ROW(nvmlMemory_v2_t, total), ROW(nvmlMemory_v2_t, reserved),
    ROW(nvmlMemory_v2_t, free), ROW(nvmlMemory_v2_t, used),
    ROW(nvmlUtilization_t, gpu), ROW(nvmlUtilization_t, memory),
    ROW(nvmlPciInfo_t, busIdLegacy), ROW(nvmlPciInfo_t, domain), ROW(nvmlPciInfo_t, pciSubSystemId),
    ROW(nvmlPciInfo_t, busId),
    ROW(nvmlDeviceAttributes_t, multiprocessorCount), ROW(nvmlDeviceAttributes_t, gpuInstanceSliceCount),
    ROW(nvmlDeviceAttributes_t, computeInstanceSliceCount), ROW(nvmlDeviceAttributes_t, memorySizeMB),
    ROW(nvmlProcessInfo_t, pid), ROW(nvmlProcessInfo_t, usedGpuMemory), ROW(nvmlProcessInfo_t, gpuInstanceId),
    ROW(nvmlProcessInfo_t, computeInstanceId),
    ROW(nvmlEccErrorCounts_t, l1Cache), ROW(nvmlEccErrorCounts_t, registerFile),
};

size_t row_count(void) { return sizeof table / sizeof table[0]; }
const struct row *rows(void) { return table; }
