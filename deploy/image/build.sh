#!/bin/sh
# build.sh TARGET [OPTION...]: the image of "agent" (sitecap-agent) or "service" (sitecap-capacity), from a working copy.
#
# ENGINE: podman (the default where it is installed) or docker. The options go to its `build`, such as
# --platform linux/arm64, --build-arg SITECAP_ONLY_VARIANTS="scalar;x86_64_v3", --tag registry.example/sitecap-agent:1.
# This machine's pip configuration and certificate authorities are lent to the build as secrets; they stay in no layer.
set -eu
cd "$(dirname "$0")/../.."
target=${1:?which image: agent or service}
shift
case $target in
    agent) name=sitecap-agent ;;
    service) name=sitecap-capacity ;;
    *) echo "build.sh: there is no image \"$target\": agent or service" >&2; exit 2 ;;
esac
engine=${ENGINE:-$(command -v podman || command -v docker || :)}
[ -n "$engine" ] || { echo 'build.sh: no podman and no docker on PATH: install one, or name it in ENGINE' >&2; exit 2; }

for file in "${PIP_CONFIG_FILE:-}" "${HOME:-}/.config/pip/pip.conf" /etc/pip.conf; do
    [ -f "$file" ] || continue
    set -- --secret "id=pip.conf,src=$file" "$@"
    break
done
for file in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    [ -f "$file" ] || continue
    set -- --secret "id=ca-bundle,src=$file" "$@"
    break
done
# The format that knows HEALTHCHECK; docker writes no other. And Podman 4 does not know where it runs.
case $engine in
    *podman | *buildah)
        case $(uname -m) in x86_64) here=amd64 ;; aarch64) here=arm64 ;; *) here=$(uname -m) ;; esac
        set -- --format docker --build-arg "BUILDPLATFORM=linux/$here" "$@"
        ;;
esac

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ "$revision" = unknown ] || [ -z "$(git status --porcelain)" ] || revision="$revision-dirty"
created=$(git log -1 --format=%cI 2>/dev/null || echo unknown)

exec "$engine" build --target "$target" --tag "$name:$version" --tag "$name:latest" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created" "$@" .
