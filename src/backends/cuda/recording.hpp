// SPDX-License-Identifier: Apache-2.0
// A captured segment of a stream.
#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <memory>
#include <type_traits>

namespace relulift::cuda {

struct DestroyGraphExec {
  void operator()(cudaGraphExec_t graph) const noexcept;
};
using GraphExec = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraphExec>;

// Captures what body enqueues on the stream; nothing runs. Null if CUDA or a library call in the
// body cannot be captured. Any other exception of the body passes through. The stream is usable
// afterwards in every case.
GraphExec capture(cudaStream_t stream, const std::function<void()>& body);

// Replays a graph, or the callable itself where capture was refused.
class Recording {
 public:
  Recording(cudaStream_t stream, std::function<void()> body)
      : stream_(stream), body_(std::move(body)), graph_(capture(stream_, body_)) {}
  void replay() const;
  bool captured() const { return graph_ != nullptr; }

 private:
  cudaStream_t stream_;
  std::function<void()> body_;
  GraphExec graph_;
};

}  // namespace relulift::cuda
