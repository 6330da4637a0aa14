// All stages of the kernel, in order. One text for CPU lanes and GPU threads; what drives them is in cpu.cpp
// and gpu.cu.
#pragma once
#include "kernels/pixeltrack/automaton.h"
#include "kernels/pixeltrack/cleaning.h"
#include "kernels/pixeltrack/clustering.h"
#include "kernels/pixeltrack/doublets.h"
#include "kernels/pixeltrack/fit.h"
#include "kernels/pixeltrack/hits.h"
