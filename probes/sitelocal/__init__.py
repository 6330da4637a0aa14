"""SITECONF: a CMS site's own description of where its jobs find files and conditions. A library for probes, not a probe.

`read_site` reads the two files that a job reads, `JobConfig/site-local-config.xml` and `storage.json`, both as hostile
input, and never raises: what is wrong is in `Site.problems`.
"""

from probes.sitelocal.model import (
    DataAccess,
    Frontier,
    LocalConfig,
    Pfn,
    Problem,
    Resolved,
    StageOut,
    StorageFile,
)
from probes.sitelocal.read import read_site
from probes.sitelocal.site import Site

__all__ = [
    "DataAccess",
    "Frontier",
    "LocalConfig",
    "Pfn",
    "Problem",
    "Resolved",
    "Site",
    "StageOut",
    "StorageFile",
    "read_site",
]
