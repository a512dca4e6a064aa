// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <relulift/io.hpp>

#include "tests/support/files.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;

// The format by its specification, written here independently of the reader.
template <class T>
std::string npy(const std::string& dictionary, const std::vector<T>& entries, char version = 1) {
  std::string header = dictionary + "\n";
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  const std::size_t width = version == 1 ? 2 : 4;
  for (std::size_t k = 0; k < width; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(T));
  return bytes;
}

std::string dictionary(const std::string& descr, const std::string& fortran,
                       const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

class Npy : public testing::Test {
 protected:
  Dataset read(const std::string& bytes) { return read_dataset(folder.write("x.npy", bytes), {}); }
  std::string error(const std::string& bytes) {
    const std::string message = error_of([&] { read(bytes); });
    const std::string path = (folder / "x.npy").string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Npy, BothOrdersBothTypesAndAllVersionsAreRead) {
  const Doubles by_rows{1, 2, 3, 4, 5, 6}, by_columns{1, 4, 2, 5, 3, 6};
  const std::vector<float> floats(by_rows.begin(), by_rows.end());
  for (const char version : {1, 2, 3}) {
    EXPECT_EQ(read(npy(dictionary("<f8", "False", "(2, 3)"), by_rows, version)).X, by_columns);
    EXPECT_EQ(read(npy(dictionary("<f8", "True", "(2, 3)"), by_columns, version)).X, by_columns);
    EXPECT_EQ(read(npy(dictionary("<f4", "False", "(2, 3)"), floats, version)).X, by_columns);
  }
}

TEST_F(Npy, AVectorIsOneColumnAndFeaturesAreCounted) {
  EXPECT_EQ(read(npy(dictionary("<f8", "False", "(2,)"), Doubles{7, 8})).X, (Doubles{7, 8}));
  EXPECT_EQ(read(npy(dictionary("<f8", "False", "(1, 2)"), Doubles{7, 8})).schema.features,
            (std::vector<std::string>{"x0", "x1"}));
}

TEST_F(Npy, TargetsComeFromASecondFile) {
  const auto x = folder.write("x.npy", npy(dictionary("<f8", "False", "(2, 1)"), Doubles{1, 2}));
  const auto y =
      folder.write("y.npy", npy(dictionary("<f8", "False", "(2, 2)"), Doubles{0, 1, 1, 0}));

  const Dataset data = read_dataset(x, {.file = y});

  EXPECT_EQ(data.Y, (Doubles{0, 1, 1, 0}));
  EXPECT_EQ(data.schema.outputs, (std::vector<std::string>{"y0", "y1"}));
  EXPECT_TRUE(data.is_classification());
}

TEST_F(Npy, RowsOfTheTwoFilesMustAgree) {
  const auto x = folder.write("x.npy", npy(dictionary("<f8", "False", "(2, 1)"), Doubles{1, 2}));
  const auto y = folder.write("y.npy", npy(dictionary("<f8", "False", "(1,)"), Doubles{1}));

  EXPECT_NE(error_of([&] { read_dataset(x, {.file = y}); }).find("has 1 rows"), std::string::npos);
}

TEST_F(Npy, SizesAreCheckedAgainstTheFileBeforeAllocation) {
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(3, 1)"), Doubles{1, 2})),
            ": 3 x 1 entries of 8 bytes are announced, 16 bytes follow");
  for (const std::string shape :
       {"(4611686018427387904, 4)", "(9223372036854775807, 2)", "(1000000000000, 1000000000000)"})
    EXPECT_NE(error(npy(dictionary("<f8", "False", shape), Doubles{1, 2})).find("announced"),
              std::string::npos);
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(99999999999999999999, 4)"), Doubles{1})),
            ": the NPY header cannot be understood");
}

TEST_F(Npy, OtherContentIsRefusedWithTheReason) {
  EXPECT_EQ(error(npy(dictionary(">f8", "False", "(1, 1)"), Doubles{1})),
            ": is big-endian; save it as '<f8' or '<f4'");
  EXPECT_EQ(error(npy(dictionary("<i8", "False", "(1, 1)"), Doubles{1})),
            ": holds entries of type '<i8'; float32 and float64 are read");
  EXPECT_EQ(error(npy(dictionary("|O", "False", "(1, 1)"), Doubles{1})),
            ": holds entries of type '|O'; float32 and float64 are read");
  EXPECT_EQ(
      error(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", Doubles{1})),
      ": holds records, not a plain array of float32 or float64");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(1, 1, 1)"), Doubles{1})),
            ": has 3 dimensions, a table has two");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "()"), Doubles{1})),
            ": has 0 dimensions, a table has two");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(0, 3)"), Doubles{})),
            ": is an empty array of 0 x 3");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(1, 1)"), Doubles{1}, 9)),
            ": NPY version 9 is unknown");
  EXPECT_EQ(error("\x93NUMPY\x01"), ": ends within the NPY header");
  EXPECT_EQ(error(std::string("\x93NUMPY\x01\x00\xFF\xFF{", 11)), ": ends within the NPY header");
  EXPECT_EQ(error(npy("{'descr': '<f8'}", Doubles{1})), ": the NPY header cannot be understood");
  EXPECT_EQ(error(npy("garbage", Doubles{1})), ": the NPY header cannot be understood");
}

TEST_F(Npy, EntriesMustBeFinite) {
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(2, 2)"), Doubles{1, 2, std::nan(""), 4})),
            ": the entry in row 1, column 0 (from 0) is not finite");
}

}  // namespace
}  // namespace relulift::test
