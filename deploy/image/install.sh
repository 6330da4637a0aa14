#!/bin/sh
# install.sh PROGRAM EXTRAS: sitecap and its libraries for $TARGETARCH in /opt/sitecap, with a list of them (SBOM).
#
# Nothing of the target is run, so that this needs no emulator: /opt/sitecap is a virtual environment of the base
# image's Python, and for another architecture pip is told which wheels to take.
set -eu
. "$(dirname "$0")/target.sh"
. "$(dirname "$0")/pip.sh"
program=$1 extras=$2
home=/opt/sitecap

python3 -m venv --without-pip "$home"
site=$(echo "$home"/lib/python3.*/site-packages)
wheel=$(echo /wheels/sitecap-*.whl)
set -- --no-compile --target "$site" "$wheel[$extras]"
if [ "$NATIVE" = no ]; then
    set -- --only-binary=:all: "$@"
    # glibc of the base image is 2.36.
    for tag in linux manylinux2014 manylinux_2_17 manylinux_2_28 manylinux_2_34; do
        set -- --platform "${tag}_$MACHINE" "$@"
    done
fi
/tools/bin/pip install -q "$@"
# Commands with this machine's interpreter in their first line.
rm -rf "$site/bin"
for command in agent capacity; do
    [ "$command" = "$program" ] || [ "$program" = capacity ] || continue
    printf '#!%s/bin/python -I\nfrom %s.cli import main\n\nmain()\n' "$home" "$command" >"$home/bin/$command"
    chmod 755 "$home/bin/$command"
done
rm -f "$home"/bin/[Aa]ctivate*

# The root is read-only: what is not compiled now would be at every start. Unchecked: nobody can change the sources.
"$home/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site"
mkdir -p "$home/share"
/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
    -o "$home/share/sbom.cdx.json" "$home"
cp LICENSE "$home/share/"
# The service's place for data; a COPY keeps the mode of what it copies, not of the directory that it copies into.
mkdir -p -m 755 /data
mkdir -p -m 770 /data/sitecap
