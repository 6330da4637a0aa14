#!/bin/sh
# libraries.sh EXTRAS: what sitecap with these extras stands on, for $TARGETARCH, in /opt/sitecap.
#
# By itself, so that it is a layer that stays the same from one version of sitecap to the next. Nothing of the target is
# run, so that this needs no emulator: /opt/sitecap is a virtual environment of the base image's Python, and for another
# architecture pip is told which wheels to take.
set -eu
. "$(dirname "$0")/target.sh"
. "$(dirname "$0")/pip.sh"
home=/opt/sitecap

python3 - "$1" >/requirements.txt <<'END'
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
known = project["optional-dependencies"]
extras = [extra for extra in sys.argv[1].split(",") if extra]
if unknown := sorted(set(extras) - known.keys()):
    sys.exit(f"sitecap has no extra {', '.join(unknown)}: there are {', '.join(sorted(known))}")
print(*project["dependencies"], *(line for extra in extras for line in known[extra]), sep="\n")
END

python3 -m venv --without-pip "$home"
rm -f "$home"/bin/[Aa]ctivate*
site=$(echo "$home"/lib/python3.*/site-packages)
set -- --no-compile --target "$site" --requirement /requirements.txt
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
# The root is read-only: what is not compiled now would be at every start. Unchecked: nobody can change the sources.
"$home/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site"
