// All stages in their order: topology (cells), sharing (clusters), showers, links of tracks, candidates.
#pragma once
#include "kernels/pflow/candidates.h"
#include "kernels/pflow/layout.h"
