#include "trial/file_findings.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enumerate.h"
#include "plugin/library_file.h"
#include "trial/child.h"
#include "trial/image.h"

namespace tasker::trial {
namespace {

#if defined(__x86_64__)
constexpr char kLinker[] = "/lib64/ld-linux-x86-64.so.2";
#elif defined(__aarch64__)
constexpr char kLinker[] = "/lib/ld-linux-aarch64.so.1";
#else
#error "add this machine's dynamic linker"
#endif

constexpr std::chrono::seconds kLinkerWithin{30};
constexpr std::size_t kSymbolsMax = 3;  // their names are long
constexpr std::string_view kAllocators[] = {"libjemalloc", "libmimalloc", "libtcmalloc"};

class FileTrial final {
 public:
  FileTrial(const std::string& file, Findings& findings)
      : file_(file), prefix_("plugin " + file + ": "), findings_(findings) {}

  bool Look() {
    // Each needs what stands before it.
    if (!Must("permissions", plugin::CheckPermissions(file_),
              "only its owner may write the file and its folder") ||
        !Must("format", plugin::CheckFormat(file_), "it is a shared library for this machine") ||
        !Must("entry", plugin::CheckSymbols(file_), "it exports tasker_plugin_v1")) {
      return false;
    }
    const auto image = ReadImage(file_);
    if (!image) {
      Error("format", image.error().message + "; build it anew");
      return false;
    }
    LookAtExports(*image);
    LookAtSearchPath(*image);
    LookAtFlags(*image);
    return LookAtDependencies(*image);
  }

 private:
  template <typename T>
  bool Must(const char* name, const T& checked, const char* good) {
    if (checked) {
      findings_.Ok(name, good);
    } else {
      findings_.Error(name, checked.error().message, "");
    }
    return static_cast<bool>(checked);
  }
  void Error(const char* name, const std::string& sentence) {
    findings_.Error(name, prefix_ + sentence, "");
  }
  void Warning(const char* name, const std::string& sentence) {
    findings_.Warning(name, prefix_ + sentence, "");
  }

  void LookAtExports(const Image& image) {
    std::vector<std::string> others = image.exports;
    std::erase_if(others, [&](const std::string& name) {
      return name == plugin::kEntrySymbol || std::ranges::count(image.unique, name) > 0;
    });
    if (others.empty()) {
      findings_.Ok("exports", "it exports nothing else");
    } else {
      Warning("exports", "it exports more than its entry (" + Enumerate(others, kSymbolsMax) +
                             "); build it with tasker_add_plugin, or -fvisibility=hidden and a "
                             "version script");
    }
    if (!image.unique.empty()) {
      Warning("unique", "it exports STB_GNU_UNIQUE symbols (" +
                            Enumerate(image.unique, kSymbolsMax) +
                            "), which all plugins of a process share; compile it with "
                            "-fno-gnu-unique");
    }
  }

  // What stands in these folders runs with the rights of the host.
  void LookAtSearchPath(const Image& image) {
    const std::string folder = file_.substr(0, std::max<std::size_t>(file_.rfind('/'), 1));
    for (const std::string& entry : image.search_path) {
      const bool own = entry.starts_with("$ORIGIN") || entry.starts_with("${ORIGIN}") ||
                       entry == folder || entry.starts_with(folder + "/");
      const bool up = entry.find("..") != std::string::npos;
      if (own && !up) continue;
      if (entry.starts_with('/') || own) {
        Warning("search_path", "its RUNPATH names " + entry +
                                   ", outside of its own folder; set it to $ORIGIN or a folder "
                                   "below");
      } else {
        Error("search_path", "its RUNPATH names '" + entry +
                                 "', which is taken from whichever folder the host was started in; "
                                 "set it to $ORIGIN");
      }
      return;
    }
    findings_.Ok("search_path", "it looks for libraries in its own folder at most");
  }

  void LookAtFlags(const Image& image) {
    if (image.text_relocations) {
      Error("text",
            "it has text relocations, so its code must be writable; compile all of it with "
            "-fPIC");
    }
    if (image.executable_stack) {
      Error("stack",
            "it asks for an executable stack, which the whole process would get; link it "
            "with -Wl,-z,noexecstack");
    }
    if (image.static_tls) {
      Warning("tls",
              "it uses static TLS (DF_STATIC_TLS), of which a process has little, so that "
              "loading may fail; compile it without -ftls-model=initial-exec");
    }
    if (!image.bind_now) {
      Warning("binding",
              "it is linked for lazy binding; link it with -Wl,-z,now, so that a missing "
              "symbol is found when it is built into a host");
    }
    if (!image.relro) {
      Warning("relro", "its tables stay writable (no RELRO); link it with -Wl,-z,relro");
    }
    const bool good = !image.text_relocations && !image.executable_stack && !image.static_tls &&
                      image.bind_now && image.relro;
    if (good) findings_.Ok("flags", "position independent, bound at load, RELRO, no static TLS");
  }

  bool LookAtDependencies(const Image& image) {
    for (const std::string& name : image.needed) {
      if (name.find('/') != std::string::npos) {
        Warning("dependencies", "it needs " + name +
                                    " by its path, which is another one elsewhere; link it by a "
                                    "library that has a soname");
      }
      const auto allocates = [&](std::string_view allocator) {
        return name.starts_with(allocator);
      };
      if (std::ranges::any_of(kAllocators, allocates)) {
        Warning("dependencies", "it needs " + name +
                                    ", an allocator, which cannot be loaded into a running process "
                                    "safely; link the plugin without it");
      }
    }
    // The linker's own list, as ldd has it; it runs nothing of the libraries. With --list it would
    // stop at the first that is missing.
    const auto listed = RunChild({kLinker, file_}, kLinkerWithin, {"LD_TRACE_LOADED_OBJECTS=1"});
    std::vector<std::string> missing;
    std::string_view rest = listed ? std::string_view(listed->out) : std::string_view();
    while (!rest.empty()) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const std::size_t arrow = line.find(" => not found");
      if (arrow == std::string_view::npos) continue;
      line = line.substr(0, arrow);
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      missing.emplace_back(line);
    }
    if (!missing.empty()) {
      Error("dependencies", "it needs " + Enumerate(missing) +
                                ", which cannot be found; install it, or put it into the plugin's "
                                "folder and link with -Wl,-rpath,'$ORIGIN'");
      return false;
    }
    findings_.Ok("dependencies", image.needed.empty()
                                     ? "it needs no library"
                                     : "all that it needs is there: " + Enumerate(image.needed));
    return true;
  }

  const std::string& file_;
  const std::string prefix_;
  Findings& findings_;
};

}  // namespace

bool LookAtFile(const std::string& file, Findings& findings) {
  return FileTrial(file, findings).Look();
}

}  // namespace tasker::trial
