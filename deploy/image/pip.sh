# shellcheck shell=sh
# Read by other scripts: what pip needs to know of this network.
# Two build secrets, both optional: where packages come from, and whose certificates are believed on the way.
[ ! -s /run/secrets/pip.conf ] || export PIP_CONFIG_FILE=/run/secrets/pip.conf
[ ! -s /run/secrets/ca-bundle ] || export PIP_CERT=/run/secrets/ca-bundle
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
