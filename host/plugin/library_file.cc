#include "plugin/library_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/dll/library_info.hpp>

namespace tasker::plugin {
namespace {

constexpr std::string_view kEntryPrefix = "tasker_plugin_v";

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
constexpr char kMachineName[] = "x86-64";
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
constexpr char kMachineName[] = "aarch64";
#else
#error "add this machine's ELF number"
#endif

std::string Plugin(const std::string& file) { return "plugin " + file + ": "; }

// Whoever may write the file, or put another one in its place, runs code as this user.
Status CheckWriters(const std::string& file, const std::string& path, const struct stat& info,
                    const char* noun) {
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return Invalid(Plugin(file) + noun + " " + path + " belongs to user " +
                   std::to_string(info.st_uid) +
                   ", neither root nor the user of this host; chown it");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Invalid(Plugin(file) + noun + " " + path +
                   " is writable by others than its owner; run chmod go-w " + path);
  }
  return Ok();
}

}  // namespace

Result<std::string> ResolveLibrary(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr),
                                                             &std::free);
  if (resolved == nullptr)
    return NotFound(Plugin(path) + "it cannot be found: " + std::strerror(errno));
  return std::string(resolved.get());
}

Result<struct stat> CheckPermissions(const std::string& file) {
  const std::string folder = file.substr(0, std::max<std::size_t>(file.rfind('/'), 1));
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    return Invalid(Plugin(file) + "its folder cannot be read: " + std::strerror(errno));
  }
  TRY_OK(CheckWriters(file, folder, info, "the folder"));
  if (::stat(file.c_str(), &info) != 0) {
    return Invalid(Plugin(file) + "it cannot be read: " + std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) return Invalid(Plugin(file) + "it is no file; name a shared library");
  TRY_OK(CheckWriters(file, file, info, "the file"));
  return info;
}

Status CheckFormat(const std::string& file) {
  Elf64_Ehdr header{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!stream || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Invalid(Plugin(file) + "it is no ELF library; build it with -shared");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine) {
    return Incompatible(Plugin(file) + "it is made for another machine; build it for " +
                        kMachineName);
  }
  if (header.e_type != ET_DYN) {
    return Invalid(Plugin(file) + "it is an ELF file but no shared library; build it with -shared");
  }
  return Ok();
}

Status CheckSymbols(const std::string& file) {
  std::vector<std::string> symbols;
  try {
    symbols = boost::dll::library_info(file).symbols();
  } catch (const std::exception& e) {
    return Invalid(Plugin(file) + "its symbols cannot be read (" + e.what() + "); build it anew");
  }
  if (std::ranges::find(symbols, kEntrySymbol) != symbols.end()) return Ok();
  for (const std::string& symbol : symbols) {
    if (!symbol.starts_with(kEntryPrefix) || symbol.size() == kEntryPrefix.size()) continue;
    const std::string major = symbol.substr(kEntryPrefix.size());
    if (major.find_first_not_of("0123456789") != std::string::npos) continue;
    return Incompatible(
        Plugin(file) + "it is made for plugin ABI " + major +
        ", this host has plugin ABI 1; build it with this host's <tasker/plugin.h>");
  }
  return Invalid(Plugin(file) + "it exports no tasker_plugin_v1, so it is no Tasker plugin; " +
                 "define tasker_plugin_v1() as TASKER_EXPORT, or use TASKER_PLUGIN");
}

}  // namespace tasker::plugin
