#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "plugin/abi.h"

namespace tasker::plugin {

// A plugin's file, loaded. A library is never unmapped and the dynamic linker knows it for as long
// as the process lives, so the Library does too: Open returns what it returned before for the same
// file, from whichever part of the process. Thread-safe.
class Library final {
 public:
  // Runs no code of the file before its permissions, its format, its machine and its exported
  // symbols are found good. The errors are whole sentences: file, defect, remedy.
  static Result<const Library*> Open(const std::string& path);

  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const std::string& file() const { return file_; }  // resolved: absolute, no symbolic links
  const PluginEntry& entry() const { return entry_; }

 private:
  struct Image;
  Library(std::string file, std::unique_ptr<Image> image, PluginEntry entry);
  static Result<std::unique_ptr<Image>> Map(const std::string& file);

  const std::string file_;
  const std::unique_ptr<Image> image_;
  const PluginEntry entry_;
};

}  // namespace tasker::plugin
