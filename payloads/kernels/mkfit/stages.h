// The stages of the kernel, one text for every processor.
#pragma once
#include "kernels/mkfit/attach.h"
#include "kernels/mkfit/fit.h"
#include "kernels/mkfit/search.h"
#include "kernels/mkfit/seeds.h"
