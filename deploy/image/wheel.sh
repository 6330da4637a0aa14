#!/bin/sh
# wheel.sh DIRECTORY: the wheel of sitecap for $TARGETARCH; compiled here, whatever this machine is.
#
# Environment: SITECAP_NO_KERNELS=1 leaves the kernels out; SITECAP_ONLY_VARIANTS="scalar;x86_64_v3" and
# SITECAP_ONLY_KERNELS=pixeltrack compile these only.
set -eu
. "$(dirname "$0")/target.sh"
directory=$1

# An empty variable would be read as "no kernels" or not, by the reader's taste.
[ -n "${SITECAP_NO_KERNELS:-}" ] || unset SITECAP_NO_KERNELS
CMAKE_ARGS="-DSITECAP_ONLY_VARIANTS=${SITECAP_ONLY_VARIANTS:-} -DSITECAP_ONLY_KERNELS=${SITECAP_ONLY_KERNELS:-*}"
if [ "$NATIVE" = no ] && [ -z "${SITECAP_NO_KERNELS:-}" ]; then
    command -v "$TRIPLET-g++" >/dev/null || {
        apt-get update -q
        apt-get install -y -q --no-install-recommends "$PACKAGE"
        rm -rf /var/lib/apt/lists/*
    }
    headers=$(echo /target/usr/local/include/python3.*)
    [ -e "$headers/pyconfig.h" ] || { echo "the base image for $TARGETARCH has no Python headers" >&2; exit 1; }
    # The target's own Python says how its modules are called; the interpreter here cannot know.
    abi=cpython-$(basename "$headers" | tr -cd '0-9')
    export SETUPTOOLS_EXT_SUFFIX=".$abi-$TRIPLET.so" _PYTHON_HOST_PLATFORM="linux-$MACHINE"
    export CXX="$TRIPLET-g++"
    CMAKE_ARGS="$CMAKE_ARGS -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=$MACHINE -DPython_INCLUDE_DIR=$headers"
fi
PATH=/tools/bin:$PATH
export CMAKE_ARGS PATH

pip wheel -v --no-deps --no-build-isolation --wheel-dir "$directory" .
# Where compiling fails, the wheel is made without kernels: right for a pilot without a compiler, never for an image.
[ -n "${SITECAP_NO_KERNELS:-}" ] || ls "$directory"/sitecap-*-linux_"$MACHINE".whl >/dev/null || {
    echo "the kernels did not compile; the output above says why" >&2
    exit 1
}
