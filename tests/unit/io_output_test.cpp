// SPDX-License-Identifier: Apache-2.0
#include <relulift/io.hpp>
#include <set>

#include "tests/support/files.hpp"

namespace relulift::test {
namespace {

const std::map<std::string, std::string> kResult{
    {"result.json", R"({"program": "relulift", "version": "0", "status": "optimal"})"},
    {"trace.csv", "a\n"}};

std::set<std::string> names_below(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    names.insert(fs::relative(entry.path(), folder).string());
  return names;
}

TEST(OutputFolder, IsWrittenWholeWithItsParents) {
  const TemporaryFolder folder;

  replace_directory(folder / "a/b", kResult);

  EXPECT_EQ(names_below(folder.path()),
            (std::set<std::string>{"a", "a/b", "a/b/result.json", "a/b/trace.csv"}));
  EXPECT_EQ(content_of(folder / "a/b/trace.csv"), "a\n");
}

TEST(OutputFolder, ReplacesAnEmptyFolderAndAnEarlierResultOnly) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "r");
  replace_directory(folder / "r/", kResult);
  auto second = kResult;
  second["trace.csv"] = "b\n";

  replace_directory(folder / "r", second);

  EXPECT_EQ(content_of(folder / "r/trace.csv"), "b\n");
  EXPECT_EQ(names_below(folder.path()),
            (std::set<std::string>{"r", "r/result.json", "r/trace.csv"}));
}

TEST(OutputFolder, WhatIsNoResultIsLeftAlone) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "mine");
  folder.write("mine/result.json", R"({"version": "1"})");
  replace_directory(folder / "mixed", kResult);
  folder.write("mixed/notes.txt", "precious");
  folder.write("file", "x");
  const auto before = names_below(folder.path());

  EXPECT_NE(error_of([&] { replace_directory(folder / "mine", kResult); }).find("no relulift"),
            std::string::npos);
  EXPECT_NE(error_of([&] { replace_directory(folder / "mixed", kResult); }).find("'notes.txt'"),
            std::string::npos);
  EXPECT_NE(error_of([&] { replace_directory(folder / "file", kResult); }).find("not a folder"),
            std::string::npos);
  EXPECT_NE(error_of([&] { replace_directory(folder / "file/r", kResult); }), "");
  EXPECT_NE(error_of([&] { replace_directory(".", kResult); }), "");
  EXPECT_NE(error_of([&] { replace_directory("", kResult); }), "");
  EXPECT_EQ(names_below(folder.path()), before);
}

TEST(OutputFolder, AFailureLeavesNothingBehind) {
  const TemporaryFolder folder;
  const std::map<std::string, std::string> broken{{"result.json", "{}"}, {"no/such/folder", "x"}};

  EXPECT_NE(error_of([&] { replace_directory(folder / "a/b", broken); }), "");

  EXPECT_TRUE(names_below(folder.path()).empty());
}

// Another run may write below a folder that this one made: what it wrote is its own.
TEST(OutputFolder, AFailureSparesWhatOthersWrote) {
  const TemporaryFolder folder;
  const std::map<std::string, std::string> broken{{"../../theirs", "x"}, {"no/such/folder", "x"}};

  EXPECT_NE(error_of([&] { replace_directory(folder / "a/b/c", broken); }), "");

  EXPECT_EQ(names_below(folder.path()), (std::set<std::string>{"a", "a/theirs"}));
}

TEST(OutputFile, IsWrittenThroughATemporaryName) {
  const TemporaryFolder folder;
  write_file(folder / "f", "one");
  write_file(folder / "f", "two");

  EXPECT_EQ(content_of(folder / "f"), "two");
  EXPECT_EQ(names_below(folder.path()), std::set<std::string>{"f"});
  EXPECT_NE(error_of([&] { write_file(folder.path(), "x"); }), "");
  EXPECT_NE(error_of([&] { write_file(folder / "no/f", "x"); }), "");
  EXPECT_EQ(error_of([&] { write_file("/dev/null", "x"); }), "/dev/null: is not a regular file");
}

// The link would be replaced by the file, or the file would come to stand where nobody looks.
TEST(OutputFile, ALinkThatLeadsNowhereIsRefused) {
  const TemporaryFolder folder;
  fs::create_symlink("absent", folder / "dangling");
  fs::create_symlink("loop", folder / "loop");

  for (const char* name : {"dangling", "loop"})
    EXPECT_EQ(error_of([&] { write_file(folder / name, "x"); }),
              (folder / name).string() + ": is a symbolic link that leads nowhere");
  EXPECT_EQ(error_of([&] { write_file("", "x"); }), "the output file has no name");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2);
  EXPECT_TRUE(fs::is_symlink(folder / "dangling"));
  EXPECT_TRUE(fs::is_symlink(folder / "loop"));
}

TEST(OutputFile, IsRefusedBeforeItIsWritten) {
  const TemporaryFolder folder;
  folder.write("f", "one");

  EXPECT_EQ(error_of([&] { check_writable(folder / "f"); }), "");
  EXPECT_EQ(error_of([&] { check_writable(folder / "new"); }), "");
  EXPECT_EQ(error_of([&] { check_writable("new"); }), "");
  EXPECT_NE(error_of([&] { check_writable(folder.path()); }).find("is a folder"),
            std::string::npos);
  for (const char* nowhere : {"no/f", "f/g"})
    EXPECT_NE(error_of([&] { check_writable(folder / nowhere); }).find("cannot be written"),
              std::string::npos);
  EXPECT_EQ(error_of([&] { check_writable("/dev/null"); }), "/dev/null: is not a regular file");
  EXPECT_EQ(content_of(folder / "f"), "one");
  EXPECT_EQ(names_below(folder.path()), std::set<std::string>{"f"});
}

}  // namespace
}  // namespace relulift::test
