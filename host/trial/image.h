#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tasker::trial {

// What the linker wrote into a shared library.
struct Image {
  std::vector<std::string> exports;      // symbols that others can link to
  std::vector<std::string> unique;       // those of them that are STB_GNU_UNIQUE
  std::vector<std::string> needed;       // DT_NEEDED
  std::vector<std::string> search_path;  // the entries of DT_RPATH and DT_RUNPATH
  bool text_relocations = false;
  bool static_tls = false;
  bool bind_now = false;
  bool relro = false;
  bool executable_stack = false;
};

// Runs no code of the file. The error says what is wrong with it.
Result<Image> ReadImage(const std::string& file);

}  // namespace tasker::trial
