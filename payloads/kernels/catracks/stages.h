// All stages: read by cpu.cpp and by gpu.cu.
#pragma once
#include "kernels/catracks/cleaning.h"
#include "kernels/catracks/segments.h"
#include "sitecap/order.h"
