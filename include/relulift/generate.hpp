// SPDX-License-Identifier: Apache-2.0
// Data sets made from a seed, of any size. The same recipe gives the same bits on every machine
// with IEEE double arithmetic: random numbers are counted, not carried along, and logarithm, sine
// and cosine are made of + - * / here, so no mathematics library has a say.
#pragma once

#include <cstdint>
#include <relulift/network.hpp>
#include <relulift/problem.hpp>

namespace relulift {

// e: the noise level. N(0, s^2) stands for independent normal draws.
//
// teacher: X ~ N(0, 1), Y = (XU)_+ V' + N(0, e^2) with 10 planted neurons, U ~ N(0, 1/d) and
//   V ~ N(0, 1/4), so that the sizes of the outputs do not grow with d.
// random: the same with 100 planted neurons, U ~ N(0, 1) and V ~ N(0, 1).
// spiral: d = 2 and one arm per output, 2 to 11 of them (a twelfth would lie on the first). Arm k
//   holds rows floor(k n / c) to floor((k + 1) n / c) - 1; its row i of n_k has s = i / (n_k - 1)
//   (0 when n_k = 1), t = 4 (k + s) + N(0, e^2), x = (s / 2) (sin t, cos t), and y one-hot.
//   The first row of an arm is zero.
// random with e = 0, and spiral with c = 3 and e = 0.15, are recipes of Prakhya, Birdal & Yurtsever
// 2024.
enum class Recipe { teacher, random, spiral };

struct Generation {
  Recipe recipe = Recipe::teacher;
  Index samples = 0;   // n >= 1; spiral: n >= c
  Index features = 0;  // d >= 1; spiral: d = 2
  Index outputs = 0;   // c >= 1; spiral: 2 <= c <= 11
  double noise = 0.1;  // e, in [0, 1e6]
  std::uint64_t seed = 0;
};

struct Generated {
  Problem problem;  // its weight decay is the default
  // teacher and random: the network behind Y, which fits it exactly (to rounding) when e = 0;
  // spiral: 0 neurons.
  Network planted;
};

// X, noise, U and V have random streams of their own, X and noise draw row by row: the first rows
// of a larger teacher or random set are those of a smaller one, and X does not depend on the noise
// level. Throws InvalidInput naming the field out of range, or when the data need more memory than
// is free.
Generated generate(const Generation& generation);

}  // namespace relulift
