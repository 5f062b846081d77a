#include "plugin/library.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <variant>
#include <vector>

#include <dlfcn.h>
#include <boost/dll/library_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <boost/filesystem.hpp>

#include "base/mutex.h"

namespace tasker::plugin {
namespace {

constexpr char kEntrySymbol[] = "tasker_plugin_v1";
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

// What tells one state of a file from another.
struct Identity {
  dev_t device;
  ino_t inode;
  std::int64_t mtime_s, mtime_ns, size;

  bool operator==(const Identity&) const = default;
};

Identity IdentityOf(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size};
}

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

// Reads the file's symbols without loading it: constructors would run first.
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

}  // namespace

struct Library::Image {
  boost::dll::shared_library library;
  const tasker_plugin_entry* (*entry)() = nullptr;
};

Library::Library(std::string file, std::unique_ptr<Image> image, PluginEntry entry)
    : file_(std::move(file)), image_(std::move(image)), entry_(std::move(entry)) {}
Library::~Library() = default;

Result<std::unique_ptr<Library::Image>> Library::Map(const std::string& file) {
  auto image = std::make_unique<Image>();
  try {
    // load_mode has no name for RTLD_NODELETE; on POSIX the mode goes to dlopen as it is. The
    // overload with an error_code would lose dlerror()'s text.
    constexpr auto kMode =
        static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    image->library.load(boost::dll::fs::path(file), kMode);
    image->entry = &image->library.get<const tasker_plugin_entry*()>(kEntrySymbol);
  } catch (const std::exception& e) {
    return Invalid(Plugin(file) + "it cannot be loaded: " + e.what() +
                   "; install what it needs (see ldd " + file + ")");
  } catch (...) {
    return Invalid(Plugin(file) + "it threw an exception while it was loaded; mend the plugin");
  }
  return image;
}

Result<const Library*> Library::Open(const std::string& path) {
  // A file whose code has run, whether it was accepted or refused: the linker would return the old
  // mapping for its path.
  struct Opened {
    Identity identity;
    std::variant<std::unique_ptr<Library>, Error> outcome;
  };
  struct Table {
    Mutex mu;
    std::map<std::string, Opened> opened GUARDED_BY(mu);
  };
  static Table* const table = std::make_unique<Table>().release();

  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr),
                                                             &std::free);
  if (resolved == nullptr)
    return NotFound(Plugin(path) + "it cannot be found: " + std::strerror(errno));
  const std::string file = resolved.get();
  TRY(const struct stat info, CheckPermissions(file));

  MutexLock lock(table->mu);
  const auto known = table->opened.find(file);
  if (known != table->opened.end()) {
    if (known->second.identity != IdentityOf(info)) {
      return Conflict(Plugin(file) + "it changed since it was loaded; restart to load the new one");
    }
    const auto* library = std::get_if<std::unique_ptr<Library>>(&known->second.outcome);
    if (library == nullptr) return std::get<Error>(known->second.outcome);
    return library->get();
  }
  TRY_OK(CheckFormat(file));
  TRY_OK(CheckSymbols(file));
  TRY(auto image, Map(file));
  Opened& opened = table->opened[file];
  opened.identity = IdentityOf(info);
  auto entry = ReadEntry(image->entry(), file);
  if (!entry) {
    opened.outcome = entry.error();
    return entry.error();
  }
  std::unique_ptr<Library> library(new Library(file, std::move(image), *std::move(entry)));
  const Library* const borrowed = library.get();
  opened.outcome = std::move(library);
  return borrowed;
}

}  // namespace tasker::plugin
