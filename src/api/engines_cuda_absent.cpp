// SPDX-License-Identifier: Apache-2.0
// The CUDA engines of a build without the toolkit.
#include <relulift/error.hpp>

#include "src/api/engines.hpp"

namespace relulift {

std::unique_ptr<Engines> make_cuda_engines() {
  throw DeviceUnavailable("this build of relulift has no CUDA support; use the cpu device");
}

bool cuda_available() { return false; }

}  // namespace relulift
