# SPDX-License-Identifier: Apache-2.0
# Enables CUDA. Order and form matter: enable_language itself would set the architectures, and
# cxx_std_20 does not reach .cu files; CMake 3.25 knows no CUDA standard 20 for nvcc 13.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  # Machine code for 80 and 90, and the intermediate code of 90 for what is newer.
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
enable_language(CUDA)
if(cuda_std_20 IN_LIST CMAKE_CUDA_COMPILE_FEATURES)
  set(CMAKE_CUDA_STANDARD 20)
elseif(NOT CMAKE_CUDA_FLAGS MATCHES "-std=")
  string(APPEND CMAKE_CUDA_FLAGS " -std=c++20")
endif()
