// SPDX-License-Identifier: Apache-2.0
// The kinds of tables behind read_dataset, and what their readers share.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "src/io/array.hpp"

namespace relulift::io {

// `text` is the content of a CSV file with a header, `source` its path.
Dataset read_csv_dataset(std::string_view text, const std::string& source, const Targets& targets,
                         const Schema& like);

// `bytes` is the content of an NPY or IDX file.
Dataset read_array_dataset(std::string_view bytes, const std::string& source,
                           const Targets& targets, const Schema& like);

Dataset read_npz_dataset(const Path& path, const Targets& targets, const Schema& like);

// `text` is in the format of LIBSVM.
Dataset read_svm_dataset(std::string_view text, const std::string& source, const Targets& targets,
                         const Schema& like);

// Whether `bytes` are CIFAR-10 records: by the name .bin and the size, since they have no magic.
// Throws InvalidInput for what has the name and can be neither that nor text.
bool is_cifar(std::string_view bytes, const std::string& source);
Dataset read_cifar_dataset(std::string_view bytes, const std::string& source,
                           const Targets& targets, const Schema& like);

// A data set without entries yet, whose columns count by position: features named like those of
// `like`, or x0, x1, .. Throws InvalidInput when those of `like` are of another number.
Dataset positional_features(Index samples, Index features, const std::string& source,
                            const Schema& like);

// Throws InvalidInput unless there are targets for every row of `data`.
void check_rows(const Array& targets, const std::string& source, const Dataset& data);

// PREFIXfirst, PREFIXfirst+1, ..
std::vector<std::string> counted_names(std::string_view prefix, Index count, Index first = 0);

// Sorted class names: by value when all are integers, else by bytes.
std::vector<std::string> sorted_classes(std::vector<std::string> names);

// Throws InvalidInput when sorted class names cannot be meant as classes.
void check_classes(const std::string& source, const std::string& column,
                   const std::vector<std::string>& classes);

// "FILE:line N, column 'name'".
std::string place(const std::string& source, Index line, std::string_view column);

}  // namespace relulift::io
