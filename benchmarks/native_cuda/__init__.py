"""What writing kernels once for all GPUs costs: clue and mkfit's Kalman step beside twins written by hand for CUDA."""
