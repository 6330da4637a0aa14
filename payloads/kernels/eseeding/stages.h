// Electron seeding of one event, stage by stage: crystals to clusters to super-clusters, pixel hits by
// azimuth, first hits, next hits, seeds.
#pragma once
#include "kernels/eseeding/seeds.h"
#include "sitecap/order.h"
