/* A libnvidia-ml.so.1 that answers as real nodes did, healthy and broken; FAKE_NVML names the node.
 *
 * Signatures and error numbers from nvml.h (CUDA 12). What is not exported here is missing on purpose: pynvml
 * then says FUNCTION_NOT_FOUND, as with an old driver. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned int u32;
typedef unsigned long long u64;

enum {
    OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15, VERSION_MISMATCH = 18, UNKNOWN = 999
};

typedef struct { u64 total, free, used; } memory_t;
typedef struct {
    char bus_id_legacy[16];
    u32 domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} pci_t;
typedef struct {
    u32 multiprocessors, copy, decoder, encoder, jpeg, ofa, gpu_slices, compute_slices;
    u64 memory_mib;
} attributes_t;
typedef struct { u32 pid; u64 used; u32 gpu_instance, compute_instance; } process_t;

/* A handle is the address of one of these; the first two are boards, the rest MIG instances of board 0. */
struct unit { int index, mig; };
static struct unit units[] = {{0, 0}, {1, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {0, 7}};

static int is(const char *name)
{
    const char *scenario = getenv("FAKE_NVML");
    return strcmp(scenario ? scenario : "h100", name) == 0;
}

static int mig(void) { return is("mig") || is("mig-empty"); }
static int a100(void) { return mig(); }

static void hang(void)
{
    for (;;)
        pause();
}

static int text(char *out, u32 room, const char *what)
{
    if (strlen(what) >= room)
        return INSUFFICIENT_SIZE;
    strcpy(out, what);
    return OK;
}

int nvmlInitWithFlags(u32 flags)
{
    if (flags)
        return INVALID_ARGUMENT;
    if (is("hang-init"))
        hang();
    if (is("crash"))
        abort();
    if (is("mismatch"))
        return VERSION_MISMATCH;
    if (is("unknown"))
        return UNKNOWN;
    if (is("not-loaded"))
        return DRIVER_NOT_LOADED;
    if (is("forbidden"))
        return NO_PERMISSION;
    return OK;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }

const char *nvmlErrorString(int error)
{
    return error == UNKNOWN ? "Unknown Error" : "error of the fake library";
}

int nvmlSystemGetDriverVersion(char *out, u32 room) { return text(out, room, "535.129.03"); }

int nvmlSystemGetCudaDriverVersion(int *version)
{
    *version = 12020;
    return OK;
}

int nvmlDeviceGetCount_v2(u32 *count)
{
    *count = a100() ? 1 : 2;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(u32 index, struct unit **out)
{
    if (index >= (a100() ? 1u : 2u))
        return INVALID_ARGUMENT;
    if (is("lost") && index == 1)
        return GPU_IS_LOST;
    *out = &units[index];
    return OK;
}

/* As much of the place as drivers compare: domain, bus, device. */
int nvmlDeviceGetHandleByPciBusId_v2(const char *id, struct unit **out)
{
    unsigned domain, bus;
    if (sscanf(id, "%x:%x:", &domain, &bus) != 2)
        return INVALID_ARGUMENT;
    if (bus != 0x3b && bus != 0xdb)
        return NOT_FOUND;
    *out = &units[bus == 0xdb];
    return OK;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 250 W at all times. */
int nvmlDeviceGetPowerUsage(struct unit *unit, u32 *milliwatts)
{
    (void)unit;
    if (is("refused"))
        return NO_PERMISSION;
    *milliwatts = 250000;
    return OK;
}

int nvmlDeviceGetTotalEnergyConsumption(struct unit *unit, u64 *millijoules)
{
    (void)unit;
    if (is("old-board") || is("refused"))
        return NOT_SUPPORTED;
    *millijoules = (u64)(seconds() * 250000);
    return OK;
}

int nvmlDeviceGetName(struct unit *unit, char *out, u32 room)
{
    if (is("hang-name"))
        hang();
    if (unit->mig)
        return text(out, room, "NVIDIA A100-SXM4-40GB MIG 1g.5gb");
    return text(out, room, a100() ? "NVIDIA A100-SXM4-40GB" : "NVIDIA H100 80GB HBM3");
}

int nvmlDeviceGetUUID(struct unit *unit, char *out, u32 room)
{
    char uuid[64];
    const char *kind = unit->mig ? "MIG" : "GPU";
    snprintf(uuid, sizeof uuid, "%s-00000000-1111-2222-3333-4444444444%d%d", kind, unit->index, unit->mig);
    return text(out, room, uuid);
}

int nvmlDeviceGetMinorNumber(struct unit *unit, u32 *minor)
{
    if (unit->mig)
        return INVALID_ARGUMENT;
    *minor = (u32)unit->index;
    return OK;
}

int nvmlDeviceGetPciInfo_v3(struct unit *unit, pci_t *out)
{
    memset(out, 0, sizeof *out);
    out->bus = unit->index ? 0xdb : 0x3b;
    out->device_id = 0x233010deu;
    snprintf(out->bus_id_legacy, sizeof out->bus_id_legacy, "0000:%02X:00.0", out->bus & 0xffu);
    snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02X:00.0", out->bus & 0xffu);
    return OK;
}

int nvmlDeviceGetMemoryInfo(struct unit *unit, memory_t *out)
{
    const u64 mib = 1024 * 1024;
    /* A container with an instance is not told about its parent. */
    if ((mig() && !unit->mig) || is("refused"))
        return NO_PERMISSION;
    out->total = (unit->mig ? 4864 : 81559) * mib;
    out->used = 619 * mib;
    out->free = out->total - out->used;
    return OK;
}

int nvmlDeviceGetCudaComputeCapability(struct unit *unit, int *major, int *minor)
{
    (void)unit;
    *major = a100() ? 8 : 9;
    *minor = 0;
    return OK;
}

int nvmlDeviceGetEccMode(struct unit *unit, u32 *current, u32 *pending)
{
    (void)unit;
    *current = *pending = 1;
    return OK;
}

int nvmlDeviceGetTotalEccErrors(struct unit *unit, u32 type, u32 counter, u64 *count)
{
    if (is("refused"))
        return NO_PERMISSION;
    /* Only what was asked: uncorrected (1), volatile (0). Other counters are large, so that a mix-up shows. */
    *count = type == 1 && counter == 0 ? (is("ecc") && unit->index == 1 ? 3 : 0) : 1000;
    return OK;
}

int nvmlDeviceGetRetiredPages(struct unit *unit, u32 cause, u32 *count, u64 *pages)
{
    (void)unit, (void)cause, (void)count, (void)pages;
    return NOT_SUPPORTED;
}

int nvmlDeviceGetRemappedRows(struct unit *unit, u32 *correctable, u32 *uncorrectable, u32 *pending, u32 *failed)
{
    int ill = is("ecc") && unit->index == 1;
    *correctable = 7;
    *uncorrectable = ill ? 2 : 0;
    *pending = ill ? 1 : 0;
    *failed = 0;
    return OK;
}

int nvmlDeviceGetTemperature(struct unit *unit, u32 sensor, u32 *celsius)
{
    if (sensor)
        return INVALID_ARGUMENT;
    *celsius = is("hot") && unit->index == 0 ? 89 : 34;
    return OK;
}

int nvmlDeviceGetTemperatureThreshold(struct unit *unit, u32 kind, u32 *celsius)
{
    (void)unit;
    *celsius = kind == 1 ? 89 : 92;
    return OK;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(struct unit *unit, u64 *reasons)
{
    *reasons = is("hot") && unit->index == 0 ? 0x8 | 0x40 : 0x1;
    return OK;
}

int nvmlDeviceGetEnforcedPowerLimit(struct unit *unit, u32 *milliwatts)
{
    (void)unit;
    *milliwatts = 700000;
    return OK;
}

int nvmlDeviceGetClockInfo(struct unit *unit, u32 kind, u32 *mhz)
{
    (void)unit;
    *mhz = kind == 1 ? 345 : kind == 2 ? 2619 : 1;
    return OK;
}

int nvmlDeviceGetPersistenceMode(struct unit *unit, u32 *mode)
{
    (void)unit;
    *mode = 1;
    return OK;
}

int nvmlDeviceGetComputeMode(struct unit *unit, u32 *mode)
{
    (void)unit;
    *mode = 3;
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct unit *unit, u32 *count, process_t *out)
{
    if (unit->index)
        return *count = 0, OK;
    if (*count < 2)
        return *count = 2, INSUFFICIENT_SIZE;
    *count = 2;
    memset(out, 0, 2 * sizeof *out);
    out[0].pid = 4711;
    out[1].pid = 4712;
    return OK;
}

int nvmlDeviceGetMigMode(struct unit *unit, u32 *current, u32 *pending)
{
    (void)unit;
    if (is("mig-old"))
        return NOT_SUPPORTED;
    *current = *pending = mig() ? 1 : 0;
    return OK;
}

int nvmlDeviceGetMaxMigDeviceCount(struct unit *unit, u32 *count)
{
    (void)unit;
    *count = mig() ? 8 : 0;
    return OK;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct unit *unit, u32 index, struct unit **out)
{
    /* Slot 3 is free: instances need not be numbered without a gap. */
    if (unit->mig || !is("mig") || index > 7 || index == 3)
        return NOT_FOUND;
    *out = &units[2 + (index > 3 ? index - 1 : index)];
    return OK;
}

int nvmlDeviceGetAttributes_v2(struct unit *unit, attributes_t *out)
{
    if (!unit->mig)
        return NOT_SUPPORTED;
    memset(out, 0, sizeof *out);
    out->multiprocessors = 14;
    out->gpu_slices = out->compute_slices = 1;
    out->memory_mib = 4864;
    return OK;
}
