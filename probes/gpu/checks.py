"""The catalogue of the GPU checks."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="GPU-01",
        title="GPU presence",
        rule=(
            "OK if every accelerator on the PCI bus has a device node; WARNING if one has none; "
            "SKIPPED without any."
        ),
        origin="PanDA pilot asks lspci; Node Feature Discovery's PCI source",
        hint=(
            "Load the driver and start nvidia-persistenced (it makes the nodes); give containers "
            "--nv, --rocm or the NVIDIA runtime."
        ),
        why=("A device without its node is paid for and idle: no job can open it, and nothing else tells."),
    ),
    Check(
        id="GPU-02",
        title="NVML opens",
        rule=(
            "OK if nvmlInit succeeds; WARNING if the library or its Python bindings are missing while "
            "a device is there; CRITICAL if it fails, crashes or hangs."
        ),
        origin="gpu-feature-discovery#25, nvidia-container-toolkit#115, nvidia-docker#1671",
        hint="Run nvidia-smi on the node, then in the container; restart what fails first.",
        why=(
            "Every CUDA job starts with the same handshake: where NVML does not open, CUDA does not either."
        ),
        critical_on_hang=True,
    ),
    Check(
        id="GPU-03",
        title="GPU inventory",
        rule=(
            "OK if every device answers all questions that it supports, or leaves them to its MIG instances; "
            "WARNING if one was refused; CRITICAL if a device is lost."
        ),
        origin="condor_gpu_discovery's properties; modular#6896",
        hint=(
            "See which call was refused: capabilities of the container, or MIG without access to the parent."
        ),
        why=(
            "Match-making uses name, memory and capability; a property that nobody may read matches nothing."
        ),
    ),
    Check(
        id="GPU-04",
        title="MIG",
        rule="OK if MIG is off or has instances; WARNING if it is on without an instance.",
        origin="gpu-feature-discovery#6 and #24, nvidia-container-toolkit#86, condor_gpu_discovery",
        hint=(
            "Create instances (nvidia-smi mig -cgi … -C) or switch MIG off; a monitoring container "
            "needs NVIDIA_MIG_MONITOR_DEVICES=all."
        ),
        why=("A device in MIG mode without an instance runs no job at all, though it is counted as one."),
    ),
    Check(
        id="GPU-05",
        title="GPU allocation",
        rule=(
            "WARNING if the slot was granted more devices than can be opened, or none while some can "
            "be; OK else."
        ),
        origin="k8s-device-plugin#61 and #87, glideinwms#444, libnvidia-container's device cgroup",
        hint=(
            "Make the NVIDIA runtime opt-in, request nvidia.com/gpu, confine devices "
            "(ConstrainDevices=yes in Slurm's cgroup.conf), and let the batch system say 0 where it "
            "grants none."
        ),
        why=(
            "Jobs that see devices of others use them: both get slow or run out of memory, and "
            "neither knows why."
        ),
    ),
    Check(
        id="GPU-06",
        title="GPU health",
        rule=(
            "CRITICAL for uncorrected ECC errors since the driver was loaded or a failed row "
            "remapping; WARNING for a pending remapping, many retired pages, slow-down or heat."
        ),
        origin="LBNL Node Health Check and Azure's GPU checks; DCGM",
        hint=(
            "Drain the node; reset the GPU (nvidia-smi -r) or reboot; if the errors return, replace "
            "it. For heat, look at fans and inlet temperature."
        ),
        why=(
            "An uncorrected error kills the job or falsifies its result; a hot GPU runs at a fraction "
            "of its speed."
        ),
        bounds=(
            Bound(
                name="critical_above_uncorrected_ecc_errors",
                default=0,
                origin="LBNL NHC, Azure health checks",
            ),
            Bound(
                name="warn_at_retired_pages", default=60, origin="policy: no spare pages to speak of are left"
            ),
            Bound(
                name="warn_within_celsius_of_slowdown",
                default=3,
                origin="policy; the device names its slow-down",
            ),
        ),
    ),
    Check(
        id="GPU-07",
        title="CMS GPU match",
        rule=(
            "OK with what CMS matches: memory, capability and CUDA runtime; UNKNOWN if one cannot be read."
        ),
        origin="WMCore GPU parameters: GPUMemoryMB, CUDACapabilities, CUDARuntime; cmssw#33057",
        hint=(
            "See GPU-03 for the call that was refused; with MIG, hand the instance's own device to the slot."
        ),
        why="A workflow that needs a GPU only comes to a slot that advertises these three.",
    ),
    Check(
        id="GPU-08",
        title="Other accelerators",
        rule="OK with the AMD and Intel devices; SKIPPED without one.",
        origin="condor_gpu_discovery (HIP), EESSI accel/amd/gfx…",
        hint="Load amdgpu (with KFD) or xe/i915.",
        why="Software is built for each instruction set: gfx90a code does not run on gfx942.",
    ),
)
