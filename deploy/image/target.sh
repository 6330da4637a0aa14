# shellcheck shell=sh
# Read by other scripts: the names of $TARGETARCH.
case "${TARGETARCH:?the container engine says for which architecture it builds}" in
    amd64) MACHINE=x86_64 TRIPLET=x86_64-linux-gnu PACKAGE=g++-x86-64-linux-gnu ;;
    arm64) MACHINE=aarch64 TRIPLET=aarch64-linux-gnu PACKAGE=g++-aarch64-linux-gnu ;;
    ppc64le) MACHINE=ppc64le TRIPLET=powerpc64le-linux-gnu PACKAGE=g++-powerpc64le-linux-gnu ;;
    *)
        echo "sitecap is built for amd64, arm64 and ppc64le, not for $TARGETARCH" >&2
        exit 2
        ;;
esac
NATIVE=$([ "$(uname -m)" = "$MACHINE" ] && echo yes || echo no)
export MACHINE TRIPLET PACKAGE NATIVE
