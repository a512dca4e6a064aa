// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cuda/recording.hpp"

#include <relulift/error.hpp>

#include "src/backends/cuda/check.hpp"

namespace relulift::cuda {

namespace {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const noexcept { cudaGraphDestroy(graph); }
};
using Graph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;

// Ends the capture whatever happens between.
class Capturing {
 public:
  explicit Capturing(cudaStream_t stream) : stream_(stream) {
    // Relaxed: a library may grow a workspace of its own while it is captured.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  }
  Capturing(const Capturing&) = delete;
  Capturing& operator=(const Capturing&) = delete;
  ~Capturing() {
    if (open_) static_cast<void>(end());
  }
  // Null when the capture was invalidated.
  Graph end() {
    open_ = false;
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(stream_, &graph) != cudaSuccess) cudaGetLastError();
    return Graph(graph);
  }

 private:
  cudaStream_t stream_;
  bool open_ = true;
};

}  // namespace

void DestroyGraphExec::operator()(cudaGraphExec_t graph) const noexcept {
  cudaGraphExecDestroy(graph);
}

GraphExec capture(cudaStream_t stream, const std::function<void()>& body) {
  Graph graph;
  {
    Capturing capturing(stream);
    try {
      body();
    } catch (const DeviceError&) {
      return nullptr;  // a call that cannot be captured; a real fault comes back at replay
    }
    graph = capturing.end();
  }
  if (graph == nullptr) return nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, graph.get(), 0));
  GraphExec owner(executable);
  check(cudaGraphUpload(executable, stream));
  return owner;
}

void Recording::replay() const {
  if (graph_ != nullptr) {
    check(cudaGraphLaunch(graph_.get(), stream_));
  } else {
    body_();
  }
}

}  // namespace relulift::cuda
