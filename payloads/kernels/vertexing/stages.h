// Vertexing of one event, stage by stage: select and sort the tracks, cluster them in z by annealing and by
// density, fit the vertices of both, order them.
#pragma once
#include "kernels/vertexing/blocks.h"
#include "kernels/vertexing/density.h"
#include "kernels/vertexing/fit.h"
