// SPDX-License-Identifier: Apache-2.0
// Host matrices. Eigen serves small host algebra only; the hot loops go through a Backend.
#pragma once

#include <Eigen/Core>
#include <relulift/problem.hpp>

namespace relulift {

using Matrix = Eigen::MatrixXd;  // column-major
using Vector = Eigen::VectorXd;

}  // namespace relulift
