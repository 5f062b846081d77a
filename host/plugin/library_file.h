#pragma once

#include <sys/stat.h>

#include <string>

#include "base/result.h"

namespace tasker::plugin {

// What is known of a plugin's file before any of its code runs. The errors are whole sentences:
// file, defect, remedy.

inline constexpr char kEntrySymbol[] = "tasker_plugin_v1";

// Absolute, without symbolic links.
Result<std::string> ResolveLibrary(const std::string& path);
// It and its folder belong to root or to this user, and nobody else may write them.
Result<struct stat> CheckPermissions(const std::string& file);
// It is a shared library for this machine.
Status CheckFormat(const std::string& file);
// It exports the entry of this major version. Constructors would run first if it were loaded.
Status CheckSymbols(const std::string& file);

}  // namespace tasker::plugin
