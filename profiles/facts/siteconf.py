"""SITECONF, a CMS site's own description, as a job of this node finds it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.base import Count, Facts, Model, Text


class SiteconfProblem(Model):
    """Something wrong with the files."""

    kind: Literal["missing", "refused", "unparsable", "incomplete", "unresolved"]
    where: Text = Field(description="file, or the element or entry in it")
    text: Text


class StorageAccess(Model):
    """One way to the site's data, and what it makes of the test file's name."""

    site: Text
    volume: Text
    protocol: Text
    access: Text | None = Field(
        default=None, description="virtual, site-ro …, null = storage.json does not say"
    )
    pfn: Text | None = Field(default=None, description="physical name of test_lfn; null = see problem")
    problem: SiteconfProblem | None = None


class FrontierFacts(Model):
    """How jobs reach conditions data."""

    proxies: tuple[Text, ...] = Field(default=(), max_length=32)
    backup_proxies: tuple[Text, ...] = Field(default=(), max_length=32)
    proxyconfigs: tuple[Text, ...] = Field(default=(), max_length=32)
    servers: tuple[Text, ...] = Field(default=(), max_length=32)
    balance_proxies: bool = False


class SiteconfFacts(Facts):
    """What SITECONF says."""

    directory: Text | None = Field(description="where it was found")
    origin: Text = Field(description="what named the directory: a setting, SITECONFIG_PATH or the default")
    site: Text | None = Field(description="CMS name of the site")
    subsite: Text | None = Field(description="name of the sub-site")
    event_data_catalogs: Count = Field(
        default=0, description="trivial file catalogues, the form before storage.json"
    )
    data_access: tuple[StorageAccess, ...] = Field(default=(), max_length=64)
    stage_out: tuple[StorageAccess, ...] = Field(default=(), max_length=64)
    unused_volumes: tuple[Text, ...] = Field(
        default=(),
        max_length=128,
        description="the site's volumes that neither data-access nor stage-out names",
    )
    frontier: FrontierFacts | None = Field(description="frontier-connect")
    sha256: dict[str, Text] = Field(
        default_factory=dict, max_length=4, description="of the own files, by name"
    )
    test_lfn: Text = Field(description="logical name that was resolved")
    problems: tuple[SiteconfProblem, ...] = Field(default=(), max_length=64)
