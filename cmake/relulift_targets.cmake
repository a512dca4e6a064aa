# SPDX-License-Identifier: Apache-2.0
# Which files belong to a target, and the flags that library, program, tests and benchmarks share.

# relulift_sources(OUT FOLDERS folder...): the sources below the project root. In a CUDA build the
# .cu files are in and the *_absent.cpp files, which stand in for them, are out; else the reverse.
function(relulift_sources out)
  cmake_parse_arguments(arg "" "" "FOLDERS" ${ARGN})
  set(found "")
  foreach(folder IN LISTS arg_FOLDERS)
    file(GLOB cpp CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    file(GLOB cu CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cu)
    set(absent ${cpp})
    list(FILTER absent INCLUDE REGEX "_absent\\.cpp$")
    list(FILTER cpp EXCLUDE REGEX "_absent\\.cpp$")
    if(RELULIFT_CUDA)
      list(APPEND found ${cpp} ${cu})
    elseif(folder MATCHES "cuda")
      list(APPEND found ${absent})
    else()
      list(APPEND found ${cpp} ${absent})
    endif()
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# What every target of this project compiles with. Includes are "src/..." from the project root.
add_library(relulift_internal INTERFACE)
target_include_directories(relulift_internal INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
# No contraction into fused multiply-adds: CPU and GPU agree entry by entry.
target_compile_options(relulift_internal INTERFACE
  # restrict: g++ 12 reports "literal" + std::string falsely (GCC bug 105651).
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off -fno-math-errno -Wall -Wextra -Wpedantic
    -Wno-restrict>
  $<$<COMPILE_LANGUAGE:CUDA>:--fmad=false -Xcompiler=-ffp-contract=off,-fno-math-errno,-Wall,-Wextra>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-fopenmp>)  # loops of the CPU backend in .cu files
# Eigen serves the host alone.
target_compile_definitions(relulift_internal INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:EIGEN_NO_CUDA>)
target_link_libraries(relulift_internal INTERFACE Eigen3::Eigen nlohmann_json::nlohmann_json)
if(RELULIFT_WERROR)
  target_compile_options(relulift_internal INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Werror>
    $<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings -Xcompiler=-Werror>)
endif()
if(RELULIFT_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(relulift_internal INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${sanitizers}>)
  target_link_options(relulift_internal INTERFACE ${sanitizers})
endif()
