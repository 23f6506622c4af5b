// gpu.c
