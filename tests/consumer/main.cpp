// SPDX-License-Identifier: Apache-2.0
// The program of README.md, "Library", on data whose optimum is known: X = I,
// y = (3, 4, -5), g = 1. One neuron fits the positive part a = |(3, 4)| = 5, one the negative part
// b = 5, each at min_t (t - 5)^2 / 2 + g t = 5g - g^2/2, so the optimum is 2 (5 - 1/2) = 9.
#include <iostream>
#include <relulift/solve.hpp>

int main() {
  relulift::Problem problem{.samples = 3, .features = 3, .outputs = 1, .weight_decay = 1.0};
  problem.X = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  problem.Y = {3, 4, -5};

  const relulift::Result result = relulift::solve(problem);

  std::cout << "objective " << result.objective << ", proved lower bound "
            << result.certificate.lower_bound << ", " << result.network.neurons << " neurons\n";
  const bool right = result.certificate.claim == relulift::Claim::every_network &&
                     result.certificate.lower_bound <= 9.0 + 1e-9 &&
                     result.objective >= 9.0 - 1e-9 && result.objective <= 9.1 &&
                     result.certificate.lower_bound >= 8.9;
  return right ? 0 : 1;
}
