// SPDX-License-Identifier: Apache-2.0
// Scalars on the device.
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

struct SetSlot {
  Slot slot;
  double value;
  RELULIFT_HD void operator()(Index, Index) const { slot.set(value); }
};

}  // namespace relulift::kernels
