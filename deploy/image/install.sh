#!/bin/sh
# install.sh PROGRAM: sitecap itself in /own/opt/sitecap, beside the libraries' /opt/sitecap, with a list of both (SBOM).
set -eu
. "$(dirname "$0")/target.sh"
. "$(dirname "$0")/pip.sh"
program=$1
home=/opt/sitecap

site=$(echo "$home"/lib/python3.*/site-packages)
mkdir -p "/own$site" "/own$home/bin" "/own$home/share"
set -- --no-index --no-deps --no-compile --target "/own$site"
[ "$NATIVE" = yes ] || set -- --only-binary=:all: --platform "linux_$MACHINE" "$@"
/tools/bin/pip install -q "$@" /wheels/sitecap-*.whl
rm -rf "/own$site/bin"
for command in agent capacity; do
    [ "$command" = "$program" ] || [ "$program" = capacity ] || continue
    printf '#!%s/bin/python -I\nfrom %s.cli import main\n\nmain()\n' "$home" "$command" >"/own$home/bin/$command"
    chmod 755 "/own$home/bin/$command"
done
"$home/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /own "/own$site"

cp -a "/own$home/." "$home/"
/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
    -o "/own$home/share/sbom.cdx.json" "$home"
cp LICENSE "/own$home/share/"
# The service's place for data; a COPY keeps the mode of what it copies, not of the directory that it copies into.
mkdir -p -m 755 /data
mkdir -p -m 770 /data/sitecap
