#include "plugin/library.h"

#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include <dlfcn.h>
#include <boost/dll/shared_library.hpp>
#include <boost/filesystem.hpp>

#include "base/mutex.h"
#include "plugin/library_file.h"

namespace tasker::plugin {
namespace {

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

// Boost.DLL wraps dlerror()'s text into words of its own.
std::string LinkerWords(std::string_view what) {
  constexpr std::string_view kBefore = "(dlerror system message: ";
  const std::size_t begin = what.find(kBefore);
  const std::size_t end = what.rfind("): ");
  if (begin == std::string_view::npos || end == std::string_view::npos) return std::string(what);
  what = what.substr(0, end);
  what.remove_prefix(std::min(begin + kBefore.size(), what.size()));
  return std::string(what);
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
    return Invalid("plugin " + file + ": it cannot be loaded: " + LinkerWords(e.what()) +
                   "; install what it needs (see ldd " + file + ")");
  } catch (...) {
    return Invalid("plugin " + file +
                   ": it threw an exception while it was loaded; mend the plugin");
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

  TRY(const std::string file, ResolveLibrary(path));
  TRY(const struct stat info, CheckPermissions(file));

  MutexLock lock(table->mu);
  const auto known = table->opened.find(file);
  if (known != table->opened.end()) {
    if (known->second.identity != IdentityOf(info)) {
      return Conflict("plugin " + file +
                      ": it changed since it was loaded; restart to load the new one");
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
