#include "server/config/secrets.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>
#include <vector>

#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::server::config;

TEST_CASE("secrets: made once: the same ever after, for the owner only, nothing else left behind") {
  const TemporaryDirectory directory;
  CHECK(load_secrets(directory.path()).error().code == ErrorCode::not_found);
  const Result<Secrets> made = load_or_create_secrets(directory.path());
  REQUIRE(made.ok());
  CHECK(made.value().hs256.size() == 64);
  CHECK(made.value().directory.size() == 32);
  const Result<Secrets> again = load_or_create_secrets(directory.path());
  REQUIRE(again.ok());
  CHECK(again.value().hs256 == made.value().hs256);
  CHECK(again.value().directory == made.value().directory);
  struct stat facts {};
  REQUIRE(::stat((directory.path() / "secrets").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600U);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{directory.path()}) ++files;
  CHECK(files == 1);
}

TEST_CASE("secrets: two directories: have nothing in common") {
  const TemporaryDirectory one;
  const TemporaryDirectory other;
  const Result<Secrets> left = load_or_create_secrets(one.path());
  const Result<Secrets> right = load_or_create_secrets(other.path());
  REQUIRE(left.ok());
  REQUIRE(right.ok());
  CHECK(left.value().hs256 != right.value().hs256);
  CHECK(left.value().directory != right.value().directory);
}

TEST_CASE("secrets: readable by others, cut or altered: refused, never replaced") {
  const TemporaryDirectory directory;
  REQUIRE(load_or_create_secrets(directory.path()).ok());
  const auto path = directory.path() / "secrets";
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(load_or_create_secrets(directory.path()).error().code == ErrorCode::invalid);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2);
  CHECK(load_or_create_secrets(directory.path()).error().code == ErrorCode::corrupt);
  std::ofstream{path} << "";
  CHECK(load_or_create_secrets(directory.path()).error().code == ErrorCode::corrupt);
}

TEST_CASE("secrets: eight at once: all get the same") {
  const TemporaryDirectory directory;
  std::vector<std::string> got(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& text : got) {
      threads.emplace_back([&text, &directory] {
        const Result<Secrets> secrets = load_or_create_secrets(directory.path());
        if (secrets.ok()) text = secrets.value().directory;
      });
    }
  }
  CHECK(got[0].size() == 32);
  for (const std::string& text : got) CHECK(text == got[0]);
}

TEST_CASE("secrets: no directory: an error of the system") {
  const TemporaryDirectory directory;
  CHECK(load_or_create_secrets(directory.path() / "absent").error().code == ErrorCode::io);
}
