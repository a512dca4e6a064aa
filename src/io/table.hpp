// SPDX-License-Identifier: Apache-2.0
// The two kinds of tables behind read_dataset.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

// `text` is the content of a CSV file with a header, `source` its path.
Dataset read_csv_dataset(std::string_view text, const std::string& source, const Targets& targets,
                         const Schema& like);

// `bytes` is the content of an NPY file: features named like those of `like`, or x0, x1, ...
Dataset read_npy_dataset(std::string_view bytes, const std::string& source, const Targets& targets,
                         const Schema& like);

// Sorted class names: by value when all are integers, else by bytes.
std::vector<std::string> sorted_classes(std::vector<std::string> names);

// Throws InvalidInput when sorted class names cannot be meant as classes.
void check_classes(const std::string& source, const std::string& column,
                   const std::vector<std::string>& classes);

// "FILE:line N, column 'name'".
std::string place(const std::string& source, Index line, std::string_view column);

}  // namespace relulift::io
