"""Suite reports as versions 2 and 3 write them, cut down to what matters. Facts of the real ones: hosts are made up.

Ratios are those of the sample result that HEPiX publishes with HEPscore23: 796.0658 by its own arithmetic.
"""

from __future__ import annotations

from typing import Any

RATIOS = {
    "atlas-gen_sherpa-ma-bmk": ("gen", 0.8328, 38.58),
    "atlas-reco_mt-ma-bmk": ("reco", 0.6678, 9.062),
    "cms-gen-sim-run3-ma-bmk": ("gen-sim", 0.7779, 2.665),
    "cms-reco-run3-ma-bmk": ("reco", 0.7995, 4.814),
    "lhcb-sim-run3-ma-bmk": ("sim", 0.8656, 1950),
    "belle2-gen-sim-reco-ma-bmk": ("gen-sim-reco", 0.7973, 15.4),
    "alice-digi-reco-core-run3-ma-bmk": ("digi-reco", 0.7491, 0.762),
}


def version3(**changes: Any) -> dict[str, Any]:
    report: dict[str, Any] = {
        "_id": "0b7c2d3e-1f2a-4b5c-8d9e-0f1a2b3c4d5e",
        "_timestamp": "2025-03-04T05:06:07Z",
        "_timestamp_end": "2025-03-04T11:06:07Z",
        "json_version": "3.1",
        "host": {
            "hostname": "wn042.example.org",
            "ip": "192.0.2.42",
            "tags": {"site": "T2_LV_Example", "purpose": "acceptance"},
            "HW": {
                "CPU": {
                    "Architecture": "x86_64",
                    "CPU_Model": "Intel(R) Xeon(R) Silver 4216 CPU @ 2.10GHz",
                    "CPU_Family": "6",
                    "CPU_num": 64,
                    "Online_CPUs_list": "0-63",
                    "Threads_per_core": "2",
                    "Cores_per_socket": "16",
                    "Sockets": "2",
                    "Vendor_ID": "GenuineIntel",
                    "CPU_Max_Speed_MHz": "3200.0000 MHz",
                    "CPU_Min_Speed_MHz": -1,
                    "NUMA_nodes": "2",
                    "SMT_Enabled": True,
                },
                "SYSTEM": {"isVM": False, "Product_Serial": "SECRET-SERIAL"},
                "MEMORY": {"Mem_Total": "196608000 kB", "Mem_Available": "not_available"},
            },
        },
        "suite": {"version": "3.1", "flags": {"ncores": 64, "run_mode": "singularity"}},
        "profiles": {
            "hepscore": {
                "settings": {"name": "HEPscore23", "scaling": 1018, "method": "geometric_mean"},
                "score": 796.0658,
                "status": "success",
                "wl-scores": {
                    workload: {name: ratio * reference, f"{name}_ref": reference}
                    for workload, (name, ratio, reference) in RATIOS.items()
                },
            }
        },
    }
    return {**report, **changes}


def version2(**profiles: Any) -> dict[str, Any]:
    """As Suite 2.0 wrote it: other names, everything text, HEPscore19 and a shortened HS06."""
    return {
        "_id": "machineX_2020-08-31T09:20:21Z",
        "_timestamp": "2020-08-31T09:20:21Z",
        "_timestamp_end": "2020-08-31T19:20:21Z",
        "json_version": "v2.0-dev",
        "host": {
            "hostname": "wn7.example.org",
            "tags": {"cloud": "Suite CI", "site": "CERN"},
            "SW": {"os_version": "CentOS Linux release 7.8.2003 (Core)"},
            "HW": {
                "CPU": {
                    "Architecture": "x86_64",
                    "CPU_Model": "Intel(R) Xeon(R) CPU E5-2695 v2 @ 2.40GHz",
                    "CPU_Family": "6",
                    "CPU": "48",
                    "Threads_per_core": "2",
                    "Cores_per_socket": "12",
                    "Sockets": "2",
                    "SMT_Enabled?": True,
                },
                "SYSTEM": {"Manufacturer": "not_available"},
                "MEMORY": {"Mem_Total": "65703336"},
            },
        },
        "suite": {"version": "2.0.rc0", "flags": {"ncores": 48}},
        "profiles": {
            "DB12": {"value": 20.8, "unit": "est. HS06"},
            **profiles,
        },
    }


HS06_32 = {"copies": 48, "bset": "all_cpp", "score": 520.69, "avg_core_score": 10.84, "num_bmks": 7}
HEPSCORE19 = {
    "app_info": {"name": "HEPscore19"},
    "settings": {"scaling": 355},
    "score": 875.8939,
    "status": "success",
}
