"""The catalogue of the SITECONF checks: CFG-01 to CFG-04."""

from __future__ import annotations

from probes.spec import Check

CHECKS = (
    Check(
        id="CFG-01",
        title="SITECONF found",
        rule="OK if the directory is there: the setting siteconf.path, SITECONFIG_PATH, else "
        "/cvmfs/cms.cern.ch/SITECONF/local. CRITICAL if it is not.",
        origin="WMCore and CMSSW look in this order",
        hint="link SITECONF/local to the site's directory (CVMFS: set CMS_LOCAL_SITE in "
        "/etc/cvmfs/config.d/cms.cern.ch.local), or bind it into the container and set SITECONFIG_PATH",
        why="Without it a job knows neither where its site's files are nor through which proxy conditions are "
        "fetched, and ends in its first second.",
    ),
    Check(
        id="CFG-02",
        title="site-local-config",
        rule="CRITICAL if JobConfig/site-local-config.xml cannot be read, is not XML, or declares a document type. "
        "WARNING if site name, data-access (or the older event-data), stage-out or frontier-connect is missing or "
        "senseless.",
        origin="SAM test wn-basic, CMS pilot start-up test (PSST), CMSSW SiteLocalConfigService",
        hint="mend the file in the site's SITECONF project; `xmllint --noout` finds what is not XML",
        why="CMSSW and WMCore read this file before anything else; each missing part fails a later step: no data, no "
        "conditions, no stage-out.",
    ),
    Check(
        id="CFG-03",
        title="LFN to PFN",
        rule="OK if each entry of data-access and stage-out names a volume and protocol of storage.json that gives a "
        "physical name for the test file. CRITICAL if an entry of data-access is not described, or none gives a name. "
        "WARNING if one gives none, if a stage-out method is not described, or if a volume is malformed.",
        origin="CMSSW FileLocator ends the job at an entry that is not described; WMCore",
        hint="make site, volume and protocol in site-local-config.xml equal to those in storage.json, and let a "
        "prefix or rule cover /store/…",
        why="A job that cannot turn the logical name of its input into a physical one fails to open it, or reads from "
        "another continent.",
    ),
    Check(
        id="CFG-04",
        title="SITECONF current",
        rule="WARNING if a file differs from the central copy, whose hash is configured (siteconf.central_sha256). "
        "SKIPPED where none is.",
        origin="SAM test wn-siteconf compares with the central copy",
        hint="pull the site's SITECONF project, or find out why CVMFS shows an old revision (CVM-02)",
        why="A site that repaired its configuration centrally and still fails usually reads an old copy.",
    ),
)
