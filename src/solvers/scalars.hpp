// SPDX-License-Identifier: Apache-2.0
// Scalars of a solver on its backend: set by number, and read some at a time where they stand side
// by side, since every read waits.
#pragma once

#include <array>
#include <span>

#include "kernels/slots.hpp"
#include "src/core/backend.hpp"

namespace relulift {

template <Backend B>
class Scalars {
 public:
  Scalars(B& be, Index count) : be_(be), slots_(be.slots(count)) {}

  Slot operator[](Index which) const { return slots_[which]; }
  void set(Index which, double value) { be_.launch({1}, kernels::SetSlot{slots_[which], value}); }
  // From `first` on; waits.
  template <std::size_t count>
  std::array<double, count> read(Index first) {
    std::array<double, count> values;
    be_.fetch(slots_[first], values);
    return values;
  }

 private:
  B& be_;
  typename B::Slots slots_;
};

}  // namespace relulift
