// SPDX-License-Identifier: Apache-2.0
// Network training alone: J against seconds.
//   train_bench FILE.csv [--seconds S] [--decay G] [--divide-by-std] [key=value ..]
// Columns x* are features, y* targets.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/train_network.hpp"

namespace {

using namespace relulift;

ReducedProblem read(const std::string& file, bool divide, double decay) {
  std::ifstream in(file);
  std::string line, cell;
  std::getline(in, line);
  std::stringstream header(line);
  Index d = 0, c = 0;
  while (std::getline(header, cell, ',')) (cell[0] == 'x' ? d : c)++;
  std::vector<double> values;
  while (std::getline(in, line)) {
    std::stringstream row(line);
    while (std::getline(row, cell, ',')) values.push_back(std::strtod(cell.c_str(), nullptr));
  }
  const Index n = static_cast<Index>(values.size()) / (d + c);
  const Matrix all = Eigen::Map<const Matrix>(values.data(), d + c, n).transpose();
  Matrix X = all.leftCols(d);
  if (divide) X /= std::sqrt((X.array() - X.mean()).square().mean());
  const Matrix Y = all.rightCols(c);
  Problem p{.samples = n, .features = d, .outputs = c, .X = {}, .Y = {}, .weight_decay = decay};
  p.X.assign(X.data(), X.data() + X.size());
  p.Y.assign(Y.data(), Y.data() + Y.size());
  return presolve(p).reduced;
}

void set(TrainOptions& o, const std::string& text) {
  const auto at = text.find('=');
  const std::string key = text.substr(0, at), value = text.substr(at + 1);
  const double x = std::atof(value.c_str());
  if (key == "width") o.max_neurons = static_cast<Index>(x);
  if (key == "starts") o.starts = static_cast<Index>(x);
  if (key == "seed") o.seed = static_cast<std::uint64_t>(x);
  if (key == "evaluations") o.evaluations = static_cast<Index>(x);
  if (key == "new") o.new_directions = static_cast<Index>(x);
  if (key == "ascents") o.ascents = static_cast<Index>(x);
  if (key == "whitening") o.whitening = x;
  if (key == "patience") o.patience = static_cast<Index>(x);
  if (key == "keep") o.keep = x;
  if (key == "start_neurons") o.start_neurons = static_cast<Index>(x);
  if (key == "stall") o.stall = x;
  const auto list = [&] {
    std::vector<double> out;
    std::stringstream s(value);
    for (std::string cell; std::getline(s, cell, ',');) out.push_back(std::atof(cell.c_str()));
    return out;
  };
  if (key == "first") o.first_smoothing = list();
  if (key == "smoothing") o.smoothing = list();
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10.0, decay = 0.1;
  bool divide = false;
  TrainOptions options;
  for (int k = 2; k < argc; ++k) {
    const std::string arg = argv[k];
    if (arg == "--seconds") {
      seconds = std::atof(argv[++k]);
    } else if (arg == "--decay") {
      decay = std::atof(argv[++k]);
    } else if (arg == "--divide-by-std") {
      divide = true;
    } else {
      set(options, arg);
    }
  }
  const ReducedProblem problem = read(argv[1], divide, decay);
  CpuBackend backend;
  // Processor time, so that a loaded machine does not change what is compared.
  const auto cpu_seconds = [] { return double(std::clock()) / CLOCKS_PER_SEC; };
  const Control control(1e300, [&] { return cpu_seconds() > seconds; });
  NetworkTrainer<CpuBackend> trainer(backend, problem, options);
  const TrainReport r = trainer.run(control, [&](const TrainReport& now) {
    std::printf("%8.2f cpu s  J %.6f  neurons %ld  evaluations %ld  rounds %ld  kappa %.4f\n",
                cpu_seconds(), now.objective, long(now.weights.neurons()), long(now.iteration),
                long(now.rounds), now.kappa_found);
    return true;
  });
  std::printf("END %8.2f cpu s  J %.6f  neurons %ld  evaluations %ld  rounds %ld  kappa %.4f\n",
              cpu_seconds(), r.objective, long(r.weights.neurons()), long(r.iteration),
              long(r.rounds), r.kappa_found);
}
