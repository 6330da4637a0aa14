"""Where a site belongs, as far as its name says: T2_DE_DESY is a Tier-2 in Germany."""

from __future__ import annotations

import re

from capacity.fleet.model import SiteInfo

_NAME = re.compile(r"T([0-9])_([A-Z]{2})_[A-Za-z0-9_]{1,48}")


def by_name(site: str) -> SiteInfo:
    """Tier and country of a CMS site name; both None if it is not one."""
    match = _NAME.fullmatch(site)
    if match is None:
        return SiteInfo(name=site[:64])
    return SiteInfo(name=site, country=match[2], tier=int(match[1]))


def completed(site: SiteInfo) -> SiteInfo:
    """A site with what its name says where nobody told."""
    named = by_name(site.name)
    return site.model_copy(
        update={
            "country": site.country or named.country,
            "tier": site.tier if site.tier is not None else named.tier,
        }
    )
