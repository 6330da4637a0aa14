"""Credentials: which token and proxy a job would use, for how long, for what, and does it pass as it lies there?

Opens no connection. The values stay behind the host door (`probes.live_credentials`); only what an admin needs comes out.
"""

from probes.credentials.catalogue import CHECKS
from probes.credentials.gather import gather
from probes.credentials.judge import judge, summarise
from probes.spec import Probe
from profiles.facts.credentials import CredentialsFacts

PROBE = Probe(
    name="credentials",
    title="tokens, X.509 proxies and authorities: lifetime, audience, scope, groups, file mode",
    section="Environment",
    facts_model=CredentialsFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=15.0,
)
