#!/bin/sh
# tools.sh: what builds the wheel and lists what is installed, in /tools; with $DEVICE_COMPILER, a requirement of pip's.
set -eu
. "$(dirname "$0")/pip.sh"

python3 -m venv /tools
/tools/bin/python -m pip install -q 'pip>=25.1' 'cmake>=3.22,<5' 'ninja>=1.11' 'nanobind>=3.1,<4' \
    'scikit-build-core>=1.1,<2' 'cyclonedx-bom[json-validation]>=7.5,<8' ${DEVICE_COMPILER:+"$DEVICE_COMPILER"}
