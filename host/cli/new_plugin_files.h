#pragma once

#include <cstddef>

namespace tasker::cli {

// A file of a new plugin, embedded at build from sdk/new_plugin (embed_new_plugin.cmake). In its
// text @NAME@ and @SOURCE@ stand for the plugin's name and its source file.
struct NewPluginFile {
  const char* language;  // "cpp", "c" or, for each of them, "both"
  const char* path;      // in the plugin's folder
  const char* text;
};

extern const NewPluginFile kNewPluginFiles[];
extern const std::size_t kNewPluginFilesCount;

}  // namespace tasker::cli
